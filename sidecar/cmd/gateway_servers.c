// SPDX-License-Identifier: MIT
/* gateway_servers.c - whom HAProxy hands requests to: penstock and its agent, and how long it waits for them. */
#include "cmd/gateway_priv.h"

#include "config/kind.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* "Any address" is where penstock listens, not where it can be found. */
static const char *
reachable(const char *host)
{
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(host, "::") == 0 ? "::1" : host;
}

/* Whole, for penstock is started here, and HAProxy anywhere. */
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

/* Not one with proxy_protocol, if that can be helped: behind its header our X-Request-Id would be the client's word. */
static const struct listen *
server_of(const struct config *config)
{
	for (size_t i = 0; i < config->n_listen; i++)
		if (!config->listen[i].proxy_protocol)
			return &config->listen[i];
	return &config->listen[0];
}

#define OWN_MS 10000 /* penstock's own, on a busy machine */

/* How long penstock may let a form wait before it reads a byte of it. */
static uint64_t
wait_ms(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (config->routes[i].memory > 0)
			return config->memory_wait_ms;
	return 0;
}

/* How long penstock may say nothing and take nothing: before a form that waits for memory, and once it has the whole form. */
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
		"    # The longest silence of a penstock that has the whole form and waits for its destinations.\n"
		"    timeout server ");
	gateway_add_time(out, silence_ms(config));
	buf_add_text(out,
		"    # What is refused needs no destination: a penstock that says nothing to it stands still.\n"
		"    http-request set-timeout server 15s if { req.fhdr(x-penstock-refuse) -m found }\n"
		"    # An upload cannot be sent twice, so it never goes over a connection that may be closing.\n"
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
		"    # Ten connections that fail take it down at once: up to 3.0 a question whose connection fails is asked\n"
		"    # again without a pause, thousands of times until its time is over.\n"
		"    timeout connect 500ms\n"
		"    timeout server 3m\n"
		"    server agent ");
	add_server_address(out, &config->spoa.listen[0]);
	buf_add_text(out, " check inter 1s fall 2 rise 1 observe layer4 error-limit 10 on-error mark-down\n");
}
