// SPDX-License-Identifier: MIT
/* gateway_clients.c - see gateway_priv.h: limits.per_client.uploads, counted by HAProxy over all penstocks behind it, which count each for
 * itself.
 *
 * A stick-table for each route has the client's requests under way (conn_cur). Peers do not tell each other that number, so where there are
 * several HAProxies each has a table of its own for each route, whose entries it marks with the number (gpt0), which peers do tell.
 * Everybody adds up his own number and the marks of the others. A mark that nobody takes back, because a client has left in the middle
 * of an upload, is forgotten after EXPIRE, and so is that of an upload that takes longer. */
#include "cmd/gateway_priv.h"

#include <string.h>

#define EXPIRE "1m"
#define TABLE "penstock-clients:"

static bool
counts(const struct route *route)
{
	return route->limits.per_client.uploads != LIMIT_NONE;
}

bool
gateway_counts_clients(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (counts(&config->routes[i]))
			return true;
	return false;
}

/* The last route whose clients are counted: what comes behind it takes nothing away from those before. */
static size_t
n_asked(const struct config *config)
{
	size_t n = config->n_routes;

	while (n > 0 && !counts(&config->routes[n - 1]))
		n--;
	return n;
}

/* -- peers --------------------------------------------------------------------------------------------- */

static bool
is_peer_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!str_is_token_char(name.data[i]) || strchr("!#$%&'*+^`|~", name.data[i]) != NULL)
			return false;
	return name.len > 0 && name.len <= 64;
}

static bool
has_peer(const struct gateway_peers *peers, struct str name)
{
	for (size_t i = 0; i < peers->n; i++)
		if (peers->list[i].name.len == name.len &&
			memcmp(peers->list[i].name.data, name.data, name.len) == 0)
			return true;
	return false;
}

bool
gateway_read_peer(const char *text, struct gateway_peers *peers, struct error *err)
{
	const char *equals = strchr(text, '=');
	struct str name = { text, equals != NULL ? (size_t)(equals - text) : 0 };

	if (!is_peer_name(name) || strchr(equals, ':') == NULL || strchr(equals, ' ') != NULL)
		return error_set(err, ERR_CONFIG,
			"--peer %.60s: NAME=HOST:PORT is needed, the name of letters, digits, '.', '_' and '-'",
			text);
	if (has_peer(peers, name))
		return error_set(err, ERR_CONFIG, "--peer %.60s: this name stands twice", text);
	if (peers->n == GATEWAY_PEERS_MAX)
		return error_set(err, ERR_CONFIG, "--peer: there can be %d at the most", GATEWAY_PEERS_MAX);
	peers->list[peers->n++] = (struct gateway_peer){ name, equals + 1 };
	return true;
}

/* -- tables -------------------------------------------------------------------------------------------- */

static void
add_table(struct buf *out, const struct route *route, const struct gateway_peer *peer)
{
	buf_addf(out, "\nbackend " TABLE "%s", route->id);
	if (peer != NULL)
		buf_addf(out, ":%.*s", STR_ARG(peer->name));
	buf_addf(out, "\n    stick-table type ipv6 size 1m expire " EXPIRE " store conn_cur%s\n",
		peer != NULL ? ",gpt0 peers penstock" : "");
}

void
gateway_add_client_tables(struct buf *out, const struct config *config, const struct gateway_peers *peers)
{
	if (peers->n > 0)
		buf_add_text(
			out, "\n# Start each HAProxy with its own name: haproxy -L NAME ...\npeers penstock\n");
	for (size_t i = 0; i < peers->n; i++) {
		buf_addf(out, "    peer %.*s ", STR_ARG(peers->list[i].name));
		gateway_add_quoted(out, peers->list[i].address);
		buf_add_text(out, "\n");
	}
	for (size_t i = 0; i < config->n_routes; i++) {
		if (!counts(&config->routes[i]))
			continue;
		if (peers->n == 0)
			add_table(out, &config->routes[i], NULL);
		for (size_t k = 0; k < peers->n; k++)
			add_table(out, &config->routes[i], &peers->list[k]);
	}
}

/* -- rules --------------------------------------------------------------------------------------------- */

/* A request is the first route's that takes it, whether its clients are counted or not. */
static void
add_belongs(struct buf *out, const struct route *route)
{
	buf_addf(out, "    http-request set-var(txn.upload.counts) str(%s) if ", route->id);
	gateway_add_place(out, route);
	buf_addf(out, " %s_method !odd !{ var(txn.upload.counts) -m found }\n", route->id);
}

static void
add_condition(struct buf *out, const struct route *route)
{
	buf_addf(out, " if { var(txn.upload.counts) -m str %s }", route->id);
}

/* Adds what the table says to txn.upload.has. */
static void
add_sum(struct buf *out, const struct route *route, const struct gateway_peer *peer, const char *what)
{
	buf_addf(out, "    http-request set-var(txn.upload.has) src,ipmask(32,64),table_%s(" TABLE "%s", what,
		route->id);
	if (peer != NULL)
		buf_addf(out, ":%.*s),add(txn.upload.has)", STR_ARG(peer->name));
	else
		buf_add_text(out, ")");
	add_condition(out, route);
	buf_add_text(out, "\n");
}

static void
add_sum_of_peers(struct buf *out, const struct route *route, const struct gateway_peers *peers)
{
	buf_add_text(out, "    http-request set-var(txn.upload.has) int(0)");
	add_condition(out, route);
	buf_add_text(out, "\n");
	for (size_t i = 0; i < peers->n; i++) {
		buf_addf(out, ".if streq(\"$HAPROXY_LOCALPEER\",%.*s)\n", STR_ARG(peers->list[i].name));
		add_sum(out, route, &peers->list[i], "conn_cur");
		buf_add_text(out, ".else\n");
		add_sum(out, route, &peers->list[i], "gpt0");
		buf_add_text(out, ".endif\n");
	}
}

static void
add_rules_of(struct buf *out, const struct route *route, const struct gateway_peers *peers)
{
	if (peers->n == 0)
		add_sum(out, route, NULL, "conn_cur");
	else
		add_sum_of_peers(out, route, peers);
	buf_add_text(out, "    http-request set-var(txn.upload.refuse) int(429)");
	add_condition(out, route);
	buf_addf(out, " { var(txn.upload.has) -m int ge %llu } !{ var(txn.upload.refuse) -m found }\n",
		(unsigned long long)route->limits.per_client.uploads);
	buf_addf(out, "    http-request track-sc2 src,ipmask(32,64) table \"" TABLE "%s%s\"", route->id,
		peers->n > 0 ? ":${HAPROXY_LOCALPEER}" : "");
	add_condition(out, route);
	buf_add_text(out, " !{ var(txn.upload.refuse) -m found }\n");
}

void
gateway_add_clients(struct buf *out, const struct config *config, const struct gateway_peers *peers)
{
	buf_add_text(out,
		"    # What one client has under way of a route with limits.per_client.uploads, over all penstocks behind this HAProxy and\n"
		"    # its peers. It is counted by sc2, so your own rules must leave that free.\n");
	for (size_t i = 0; i < n_asked(config); i++)
		add_belongs(out, &config->routes[i]);
	for (size_t i = 0; i < config->n_routes; i++)
		if (counts(&config->routes[i]))
			add_rules_of(out, &config->routes[i], peers);
	if (peers->n > 0)
		buf_add_text(out,
			"    http-request sc-set-gpt0(2) sc_conn_cur(2) if { sc_tracked(2) }\n"
			"    http-response sc-set-gpt0(2) sc_conn_cur(2),sub(1) if { sc_tracked(2) }\n");
}
