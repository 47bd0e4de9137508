// SPDX-License-Identifier: MIT
/* gateway_servers.c - whom HAProxy hands requests to: penstock and its agent, and how long it waits for them. */
#include "cmd/gateway_priv.h"

#include "config/kind.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Penstock can listen on "any address", but HAProxy cannot connect to it: then it takes the loopback address. */
static const char *
reachable(const char *host)
{
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(host, "::") == 0 ? "::1" : host;
}

/* The path is made absolute, because HAProxy may be started in another folder. */
static void
add_socket(struct buf *address, const char *path)
{
	char here[PATH_MAX];

	buf_add_text(address, "unix@");
	if (path[0] != '/' && getcwd(here, sizeof here) != NULL)
		buf_addf(address, "%s/", here);
	buf_add_text(address, path);
}

static void
add_server_address(struct buf *out, const struct listen *listen)
{
	struct buf address = { 0 };

	if (listen->unix_socket != NULL)
		add_socket(&address, listen->unix_socket);
	else if (strchr(listen->host, ':') != NULL)
		buf_addf(&address, "[%s]:%s", reachable(listen->host), listen->port);
	else
		buf_addf(&address, "%s:%s", reachable(listen->host), listen->port);
	gateway_add_word(out, &address);
}

/* An address without proxy_protocol is better: after such a header the client counts as the sender, and our X-Request-Id
 * as its word. */
static const struct listen *
server_of(const struct config *config)
{
	for (size_t i = 0; i < config->n_listen; i++)
		if (!config->listen[i].proxy_protocol)
			return &config->listen[i];
	return &config->listen[0];
}

#define OWN_MS 10000 /* that penstock itself may take on a busy machine */

/* How long penstock may let a form wait before it reads a byte of it. */
static uint64_t
wait_ms(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (config->routes[i].memory > 0)
			return config->memory_wait_ms;
	return 0;
}

/* How long penstock may neither answer nor read: while a form waits for memory, and after it has the whole form. */
static uint64_t
silence_ms(const struct config *config)
{
	uint64_t most = wait_ms(config);

	for (size_t i = 0; i < config->n_destinations; i++) {
		const struct destination *to = &config->destinations[i];
		uint64_t ms = to->kind->silence_ms != NULL ? to->kind->silence_ms(to->settings) : 0;

		most = ms > most ? ms : most;
	}
	return OWN_MS + most;
}

/* HAProxy takes less than 25 days. */
void
gateway_add_time(struct buf *out, uint64_t ms)
{
	const uint64_t most = 24u * 86400000u;

	if (ms > most)
		ms = most;
	if (ms >= 1000 && ms % 1000 == 0)
		buf_addf(out, "%llus\n", (unsigned long long)ms / 1000);
	else
		buf_addf(out, "%llums\n", (unsigned long long)ms + (ms == 0));
}

void
gateway_add_server(struct buf *out, const struct config *config)
{
	buf_add_text(out,
		"    # The longest that penstock may be silent: while a form waits for memory, and while destinations store it.\n"
		"    timeout server ");
	gateway_add_time(out, silence_ms(config));
	buf_add_text(out,
		"    # A refusal waits for no destination, so a penstock that has not answered by then is stuck.\n"
		"    http-request set-timeout server 15s if { req.fhdr(x-penstock-refuse) -m found }\n"
		"    # An upload cannot be sent twice, so it is never sent on a used connection, which penstock may be closing.\n"
		"    http-reuse never\n"
		"    server penstock ");
	add_server_address(out, server_of(config));
	buf_addf(out, " check inter 2s%s\n",
		server_of(config)->proxy_protocol ? " send-proxy-v2 check-send-proxy" : "");
}

void
gateway_add_agent(struct buf *out, const struct config *config)
{
	buf_add_text(out,
		"\n"
		"backend penstock-agent\n"
		"    mode tcp\n"
		"    option spop-check\n"
		"    # Ten connections that fail mark the agent as down at once. Otherwise HAProxy up to 3.0 would ask a question\n"
		"    # whose connection fails again without a pause, thousands of times within `timeout processing`.\n"
		"    timeout connect 500ms\n"
		"    timeout server 3m\n"
		"    server agent ");
	add_server_address(out, &config->spoa.listen[0]);
	buf_add_text(out, " check inter 1s fall 2 rise 1 observe layer4 error-limit 10 on-error mark-down\n");
}
