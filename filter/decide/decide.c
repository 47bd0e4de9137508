// SPDX-License-Identifier: MIT
/* decide.c - see decide.h. Each check is one function; the first that says no is the answer. What is checked here
 * may have been checked by a gateway or by libmicrohttpd: neither is trusted, and two readings of one head are how
 * requests are smuggled. It does not look at the body, nor at how many requests a client has. */
#include "decide/decide.h"

#include "decide/reserved.h"
#include "route/body_limit.h"
#include "route/cors.h"
#include "route/named.h"
#include "source/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool
header(const struct head *head, struct str name, size_t nth, struct str *value)
{
	return head->header(head->arg, name, nth, value);
}

static bool
is_repeated(const struct head *head, struct str name)
{
	struct str value;

	return header(head, name, 1, &value);
}

static bool
is_http_1_0(const struct head *head)
{
	return str_is(head->version, "HTTP/1.0");
}

/* A gateway may have gone by the one and we by the other; a client has to send the same (RFC 9112 section 3.2). */
static bool
is_of_one_host(const struct head *head)
{
	struct head without_target = *head;

	without_target.target = STR("/");
	return str_equal_nocase(head_host(head), head_host(&without_target));
}

/* RFC 9112 section 3.2: exactly one Host in HTTP/1.1, and one that is valid. */
static bool
check_host(const struct head *head, struct error *err)
{
	struct str value = STR("");
	bool has_host = header(head, STR("host"), 0, &value);

	if (value.len > DECIDE_HOST_MAX)
		return error_set(err, ERR_BAD_REQUEST, "the Host is over %d bytes", DECIDE_HOST_MAX);
	if (is_repeated(head, STR("host")))
		return error_set(err, ERR_BAD_REQUEST, "more than one Host");
	if (!has_host && !is_http_1_0(head))
		return error_set(err, ERR_BAD_REQUEST, "no Host");
	if (!head_has_sound_hosts(head))
		return error_set(err, ERR_BAD_REQUEST, "a Host that is not a host");
	if (has_host && !is_of_one_host(head))
		return error_set(err, ERR_BAD_REQUEST, "a Host other than that of the target");
	return true;
}

/* RFC 9112 section 6: how long the body is must be said once and in one way. */
static bool
check_framing(const struct head *head, struct decision *decision)
{
	struct str length, coding;
	bool has_length = header(head, STR("content-length"), 0, &length);
	bool has_coding = header(head, STR("transfer-encoding"), 0, &coding);
	struct error *err = &decision->error;

	decision->length = LENGTH_UNKNOWN;
	if (is_repeated(head, STR("content-length")) || is_repeated(head, STR("transfer-encoding")))
		return error_set(err, ERR_BAD_REQUEST, "more than one Content-Length or Transfer-Encoding");
	if (has_length && has_coding)
		return error_set(err, ERR_BAD_REQUEST, "both Content-Length and Transfer-Encoding");
	if (has_coding && !str_equal_nocase(coding, STR("chunked")))
		return error_set(err, ERR_BAD_REQUEST, "a Transfer-Encoding other than chunked");
	if (has_coding && is_http_1_0(head)) /* section 6.1: the framing is to be treated as faulty */
		return error_set(err, ERR_BAD_REQUEST, "a Transfer-Encoding in HTTP/1.0");
	if (has_length && (!str_to_u64(length, &decision->length) || decision->length == LENGTH_UNKNOWN))
		return error_set(err, ERR_BAD_REQUEST, "a Content-Length that is not a number");
	return true;
}

/* Who has not authenticated himself, say. It comes before all that a stranger could find out about the routes. */
static bool
check_gateway(const struct load *load, struct decision *decision)
{
	static const struct {
		const char *status;
		enum error_kind kind;
		const char *why;
	} rows[] = {
		{ "401", ERR_UNAUTHORIZED, "the gateway wants to know who sends this" },
		{ "403", ERR_FORBIDDEN, "the gateway does not let this in" },
		{ "429", ERR_TOO_MANY, "the gateway has had too many requests from this client" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (str_is(load->gateway_refuses, rows[i].status))
			error_set(&decision->error, rows[i].kind, "%s", rows[i].why);
	decision->retry_after_s = decision->error.kind == ERR_TOO_MANY;
	return !error_is_set(&decision->error);
}

/* From HTTP/2 on the end of a body is framing of its own (RFC 9113 section 8.1): only a gateway shows us such heads. */
static bool
has_framing(const struct head *head)
{
	struct str value;

	if (str_starts_nocase(head->version, "HTTP/2") || str_starts_nocase(head->version, "HTTP/3"))
		return true;
	return header(head, STR("content-length"), 0, &value) || header(head, STR("transfer-encoding"), 0, &value);
}

/* Clients that want neither send the header empty (Python's and curl's way of taking a default back). */
static bool
has_header(const struct head *head, const char *name, struct str *value)
{
	*value = head_header(head, name);
	return value->len > 0 || is_repeated(head, str_of(name));
}

static bool
check_expect(const struct head *head, struct error *err)
{
	struct str value;

	if (!has_header(head, "expect", &value))
		return true;
	if (is_repeated(head, STR("expect")) || !str_equal_nocase(value, STR("100-continue")))
		return error_set(err, ERR_EXPECTATION, "an Expect other than 100-continue");
	return true;
}

/* Whose authority is that long may seem to have another path where it is cut. */
static bool
check_target(const struct head *head, struct error *err)
{
	struct str query = head_query(head);
	size_t len = query.data != NULL ? (size_t)(query.data - head->target.data) - 1 : head->target.len;

	return len <= DECIDE_TARGET_MAX ||
		error_set(err, ERR_BAD_REQUEST, "the target is over %d bytes before its query", DECIDE_TARGET_MAX);
}

size_t
decide_target_shown(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (config->routes[i].match.query.n > 0)
			return DECIDE_TARGET_MAX + sizeof "?" - 1 + NAMED_QUERY_MAX + 1;
	return DECIDE_TARGET_MAX + 1;
}

static bool
check_route(const struct config *config, const struct head *head, struct decision *decision)
{
	if (!path_read(head_path(head), &decision->path, &decision->error) || !check_target(head, &decision->error))
		return false;
	decision->route = match_request(config, head, &decision->path, &decision->match, &decision->error);
	return decision->route != NULL;
}

static bool
check_length(const struct head *head, struct decision *decision)
{
	if (!has_framing(head))
		return error_set(&decision->error, ERR_LENGTH_REQUIRED, "neither Content-Length nor chunked");
	if (!decision->route->limits.length_required || decision->length != LENGTH_UNKNOWN)
		return true;
	error_set(&decision->error, ERR_LENGTH_REQUIRED, "this route wants a Content-Length");
	error_name_limit(&decision->error, "length");
	return false;
}

static bool
check_content(const struct head *head, struct decision *decision)
{
	struct str coding, type = head_header(head, "content-type");

	if (has_header(head, "content-encoding", &coding) &&
		(is_repeated(head, STR("content-encoding")) || !str_equal_nocase(coding, STR("identity"))))
		return error_set(&decision->error, ERR_MEDIA_TYPE,
			"a Content-Encoding other than identity: send the body as it is, not compressed");
	if (is_repeated(head, STR("content-type")))
		return error_set(&decision->error, ERR_MEDIA_TYPE, "more than one Content-Type");
	if (type.len > DECIDE_TYPE_MAX)
		return error_set(
			&decision->error, ERR_MEDIA_TYPE, "the Content-Type is over %d bytes", DECIDE_TYPE_MAX);
	return source_format_of(decision->route)->accepts(type, &decision->error);
}

static bool
check_size(struct decision *decision)
{
	uint64_t max = decision->route->limits.body;

	if (decision->length == LENGTH_UNKNOWN || decision->length <= max)
		return true;
	return body_limit_refuse(max, &decision->error);
}

static bool
has_all_uploads(const struct load *load, const struct route *route)
{
	uint64_t most = route->limits.per_client.uploads;

	return load->uploads != NULL && most != LIMIT_NONE && load->uploads(load->uploads_arg, route) >= most;
}

static bool
check_load(const struct load *load, struct decision *decision)
{
	const struct route *route = decision->route;

	if (load->gateway_refuses.data != NULL)
		error_set(&decision->error, ERR_BUSY, "the gateway's admission agent does not answer");
	else if (load->is_draining)
		error_set(&decision->error, ERR_DRAINING, "shutting down");
	else if (load->is_over_memory && route->memory == 0) /* else it waits for its turn */
		error_set(&decision->error, ERR_BUSY, "the memory budget is used up; try again later");
	else if (has_all_uploads(load, route))
		decide_too_many_of_client(decision, "uploads", route->limits.per_client.uploads);
	else if (load->active == NULL || counter_read(load->active[route->index]) < route->limits.concurrent)
		return true;
	else
		decide_too_many(decision);
	decision->retry_after_s = 1;
	return false;
}

void
decide_too_many(struct decision *decision)
{
	uint64_t most = decision->route->limits.concurrent;

	decision->allow = false;
	decision->retry_after_s = 1;
	error_set(&decision->error, ERR_TOO_MANY, "the route has its %" PRIu64 " request%s already", most,
		PLURAL(most));
	error_name_limit(&decision->error, "concurrent");
}

void
decide_too_many_of_client(struct decision *decision, const char *what, uint64_t most)
{
	decision->allow = false;
	decision->retry_after_s = 1;
	error_set(&decision->error, ERR_TOO_MANY, "this client has its %" PRIu64 " %.*s%s of the route already",
		most, (int)strlen(what) - 1, what, PLURAL(most));
	snprintf(decision->error.limit, sizeof decision->error.limit, "per_client.%s", what);
}

static bool
is_preflight(const struct config *config, const struct head *head, struct decision *decision)
{
	struct error none = { 0 };

	if (check_target(head, &none))
		decision->route = cors_of_preflight(config, head);
	decision->is_preflight = decision->route != NULL;
	return decision->is_preflight;
}

static bool
is_let_in(const struct config *config, const struct head *head, const struct load *load, struct decision *decision)
{
	return check_gateway(load, decision) && check_expect(head, &decision->error) &&
		check_route(config, head, decision) &&
		reserved_check_query(decision->route, head, &decision->error) && check_length(head, decision) &&
		check_content(head, decision) && check_size(decision) && check_load(load, decision);
}

bool
decide_expects_continue(const struct head *head)
{
	struct str value;

	for (size_t i = 0; !is_http_1_0(head) && header(head, STR("expect"), i, &value); i++)
		if (str_equal_nocase(value, STR("100-continue")))
			return true;
	return false;
}

void
decide(const struct config *config, const struct head *head, const struct load *load, struct decision *decision)
{
	decision->allow = check_host(head, &decision->error) && check_framing(head, decision) &&
		(is_preflight(config, head, decision) || is_let_in(config, head, load, decision));
	if (decision->allow)
		decision->max_body = decision->route->limits.body;
}
