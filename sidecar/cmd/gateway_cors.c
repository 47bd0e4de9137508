// SPDX-License-Identifier: MIT
/* gateway_cors.c - see gateway_priv.h: pages of other origins (`cors` of a route) at a written gateway.
 *
 * penstock answers what a browser asks first, and says in each of its answers whose page may read it. What HAProxy answers itself
 * gets the same lines here: by the route that would take the request, as sidecar/route/cors.h chooses it. Of paths that only
 * penstock reads (`odd`) nothing is said here. */
#include "cmd/gateway_priv.h"
#include "route/cors.h"

#include <string.h>

bool
gateway_has_cors(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (cors_is_on(&config->routes[i]))
			return true;
	return false;
}

/* -- which route ------------------------------------------------------------------------------------- */

/* "{ var(txn.upload.page) -m str -- album import }", of all routes for which `fits` says yes. */
static void
add_is_page_of(struct buf *out, const struct config *config, bool (*fits)(const struct route *route))
{
	buf_add_text(out, "{ var(txn.upload.page) -m str --");
	for (size_t i = 0; i < config->n_routes; i++)
		if (fits(&config->routes[i]))
			buf_addf(out, " %s", config->routes[i].id);
	buf_add_text(out, " }");
}

static void
begin_choice(struct buf *out, const struct route *route)
{
	buf_addf(out, "    http-request set-var(txn.upload.page) str(%s) if ", route->id);
	gateway_add_place(out, route);
}

/* The first that takes what is asked for, as penstock will find it; whether it has a `cors` is looked at then. */
static void
add_asked(struct buf *out, const struct route *route)
{
	begin_choice(out, route);
	buf_add_text(out, " { var(txn.upload.asks) -m str --");
	for (size_t i = 0; i < route->match.n_methods; i++) {
		buf_add_char(out, ' ');
		gateway_add_quoted(out, route->match.methods[i]);
	}
	buf_add_text(out, " } !odd !{ var(txn.upload.page) -m found }\n");
}

static void
add_preflight(struct buf *out, const struct config *config)
{
	buf_add_text(out,
		"    # Pages of other origins (cors). What a browser asks first has no credentials, so your own rules do not refuse it.\n"
		"    http-request set-var(txn.upload.asks) req.fhdr(access-control-request-method) if METH_OPTIONS "
		"{ req.fhdr_cnt(origin) 1 } { req.fhdr_cnt(access-control-request-method) 1 } "
		"!{ req.fhdr(transfer-encoding) -m found } !{ req.hdr_val(content-length) gt 0 }\n");
	for (size_t i = 0; i < config->n_routes; i++)
		add_asked(out, &config->routes[i]);
	buf_add_text(out, "    http-request set-var(txn.upload.preflight) bool(true) if ");
	add_is_page_of(out, config, cors_is_on);
	buf_add_text(out,
		"\n"
		"    http-request unset-var(txn.upload.page) if !{ var(txn.upload.preflight) -m bool }\n"
		"    http-request unset-var(txn.upload.refuse) if { var(txn.upload.preflight) -m bool } "
		"{ var(txn.upload.refuse) -m int 401 403 }\n");
}

static void
add_others(struct buf *out, const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		begin_choice(out, &config->routes[i]);
		buf_addf(out, " %s_method !odd !{ var(txn.upload.page) -m found }\n", config->routes[i].id);
	}
	for (size_t i = 0; i < config->n_routes; i++) {
		if (!cors_is_on(&config->routes[i]))
			continue;
		begin_choice(out, &config->routes[i]);
		buf_add_text(out, " !odd !{ var(txn.upload.page) -m found }\n");
	}
}

/* -- what is said of it -------------------------------------------------------------------------------- */

/* An origin with a star as a regular expression: any name below what follows. */
static void
add_pattern(struct buf *out, const char *origin)
{
	buf_add_text(out, "-m reg -- '^");
	for (; *origin != '*'; origin++)
		buf_addf(out, *origin == '.' || *origin == '+' ? "\\%c" : "%c", *origin);
	buf_add_text(out, "([-_a-z0-9]+\\.)+");
	for (origin += 2; *origin != '\0'; origin++)
		buf_addf(out, *origin == '.' ? "\\%c" : "%c", *origin);
	buf_add_text(out, "$'");
}

static void
add_origin(struct buf *out, const struct route *route, const char *origin)
{
	bool is_any = strcmp(origin, "*") == 0;

	buf_addf(out,
		"    http-request set-var(txn.upload.origin) %s if { var(txn.upload.page) -m str -- %s } { req.fhdr_cnt(origin) 1 } ",
		is_any ? "str(*)" : "req.fhdr(origin)", route->id);
	if (is_any) {
		buf_add_text(out, "!{ req.fhdr(origin) -m str null } !{ req.fhdr(origin) -m len 0 }\n");
		return;
	}
	buf_add_text(out, "{ req.fhdr(origin) ");
	if (strchr(origin, '*') != NULL) {
		add_pattern(out, origin);
	} else {
		buf_add_text(out, "-m str -- ");
		gateway_add_quoted(out, origin);
	}
	buf_add_text(out, " }\n");
}

/* In a log-format a '%' stands twice. */
static void
add_exposed(struct buf *out, const struct route *route)
{
	if (route->cors.expose[0] == '\0')
		return;
	buf_add_text(out, "    http-request set-var-fmt(txn.upload.expose) '");
	for (const char *p = route->cors.expose; *p != '\0'; p++)
		if (*p == '\'')
			buf_add_text(out, "'\\''");
		else
			buf_addf(out, *p == '%' ? "%%%c" : "%c", *p);
	buf_addf(out, "' if { var(txn.upload.page) -m str -- %s }\n", route->id);
}

static bool
has_credentials(const struct route *route)
{
	return cors_is_on(route) && route->cors.credentials;
}

/* Where penstock has answered, it has said all of this: the last line is what is looked at, so it comes last. */
static void
add_lines(struct buf *out, const struct config *config)
{
	static const char here[] = "{ var(txn.upload.origin) -m found } !{ res.fhdr(vary) -m sub -i origin }";
	bool any = false;

	for (size_t i = 0; i < config->n_routes; i++)
		any = any || has_credentials(&config->routes[i]);
	buf_addf(out,
		"    http-after-response set-header Access-Control-Allow-Origin %%[var(txn.upload.origin)] if %s\n"
		"    http-after-response set-header Access-Control-Expose-Headers %%[var(txn.upload.expose)] if %s "
		"{ var(txn.upload.expose) -m found }\n",
		here, here);
	if (any) {
		buf_addf(out, "    http-after-response set-header Access-Control-Allow-Credentials true if %s ",
			here);
		add_is_page_of(out, config, has_credentials);
		buf_add_char(out, '\n');
	}
	buf_add_text(
		out, "    http-after-response add-header Vary Origin if !{ res.fhdr(vary) -m sub -i origin } ");
	add_is_page_of(out, config, cors_is_on);
	buf_add_char(out, '\n');
}

void
gateway_add_cors(struct buf *out, const struct config *config)
{
	if (!gateway_has_cors(config))
		return;
	add_preflight(out, config);
	add_others(out, config);
	for (size_t i = 0; i < config->n_routes; i++) {
		const struct route *route = &config->routes[i];

		for (size_t k = 0; k < route->cors.origins.n; k++)
			add_origin(out, route, route->cors.origins.items[k]);
		if (cors_is_on(route))
			add_exposed(out, route);
	}
	add_lines(out, config);
}
