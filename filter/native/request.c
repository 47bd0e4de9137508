// SPDX-License-Identifier: MIT
/* request.c - see request.h. The load is not known here: whether there is room for one more is the sidecar's to say. */
#include "native/request.h"

#include "base/must.h"
#include "base/state.h"
#include "decide/decide.h"
#include "reply/problem.h"
#include "reply/status.h"
#include "source/format.h"

#include <stdio.h>

static const unsigned may_become[] = {
	[REQUEST_NEW] = BIT(REQUEST_REFUSED) | BIT(REQUEST_FOLLOWED) | BIT(REQUEST_LEFT_ALONE),
	[REQUEST_FOLLOWED] = BIT(REQUEST_REFUSED) | BIT(REQUEST_LEFT_ALONE),
	[REQUEST_REFUSED] = 0,
	[REQUEST_LEFT_ALONE] = 0,
};

/* -- faults: what is said of a request that nobody has judged ------------------------------------------ */

static const struct core_verdict let_in = { .allow = true,
	.is_fault = true,
	.status = 200,
	.title = "OK",
	.reason = "",
	.route = "",
	.limit = "",
	.allow_methods = "",
	.id = "" };

static const struct core_verdict no_memory = { .is_fault = true,
	.status = 503,
	.title = "Service Unavailable",
	.reason = "out of memory",
	.route = "",
	.limit = "",
	.allow_methods = "",
	.id = "",
	.retry_after = 1 };

static const struct core_verdict bug = { .is_fault = true,
	.status = 500,
	.title = "Internal Server Error",
	.reason = "a bug in penstock's filter",
	.route = "",
	.limit = "",
	.allow_methods = "",
	.id = "" };

const struct core_verdict *
request_without_memory(const struct filter_core *core)
{
	return core->manner.fail_open ? &let_in : &no_memory;
}

/* No must() in here, and nothing is believed but a verdict that is whole. */
void
request_give_up(struct core_request *request)
{
	struct core_verdict *verdict = &request->verdict;
	bool is_said = verdict->title != NULL, is_refused = is_said && !verdict->allow;

	request->is_broken = true;
	if (request->core->manner.fail_open && !is_refused) {
		if (!is_said)
			*verdict = let_in;
		request->state = REQUEST_LEFT_ALONE;
		return;
	}
	if (!is_refused)
		*verdict = bug;
	request->state = REQUEST_REFUSED;
}

/* -- its life ------------------------------------------------------------------------------------- */

static void
request_move(struct core_request *request, enum request_state to)
{
	must(state_may_become(may_become, (int)request->state, (int)to));
	request->state = to;
}

void
request_fini(struct core_request *request)
{
	if (request->has_scan)
		scan_fini(&request->scan);
	buf_free(&request->allow_methods);
	buf_free(&request->problem);
}

/* -- the head ------------------------------------------------------------------------------------- */

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct core_head *head = arg;

	if (!head->header(head->arg, name.data, name.len, nth, &value->data, &value->len))
		return false;
	*value = str_trim(*value);
	return true;
}

/* A request that is no worse than others, but we are out of memory: it is let in as if nobody had looked. What was
 * said of one that is in already stays true. */
static void
let_alone(struct core_request *request)
{
	if (request->state == REQUEST_NEW)
		request->verdict = let_in;
	request_move(request, REQUEST_LEFT_ALONE);
}

static void
refuse(struct core_request *request, unsigned retry_after)
{
	unsigned status = reply_status(request->error.kind);
	bool has_methods = request->allow_methods.data != NULL && !request->allow_methods.failed;
	bool is_fault = request->error.kind == ERR_NOMEM;

	if (is_fault && request->core->manner.fail_open) {
		let_alone(request);
		return;
	}
	request_move(request, REQUEST_REFUSED);
	request->verdict = (struct core_verdict){
		.is_fault = is_fault,
		.status = status,
		.title = reply_reason(status),
		.reason = request->error.message,
		.route = request->route != NULL ? request->route->id : "",
		.limit = request->error.limit,
		.allow_methods = has_methods ? request->allow_methods.data : "",
		.id = request->id,
		.retry_after = retry_after == 0 && status == 503 ? 1 : retry_after,
		.page = request->page,
	};
}

static void
follow(struct core_request *request, const struct head *head)
{
	bool has_delimiters = source_format_of(request->route)->has_delimiters;
	struct boundary boundary;

	if (has_delimiters) {
		bool ok = boundary_read(head_header(head, "content-type"), &boundary, &request->error);

		must(ok); /* decide() has asked the format */
	}
	request_move(request, REQUEST_FOLLOWED);
	scan_init(&request->scan, &request->route->limits, has_delimiters ? &boundary : NULL);
	request->has_scan = true;
}

/* A preflight has no body, and is penstock's to answer. */
static void
allow(struct core_request *request, const struct head *head, const struct decision *decision)
{
	if (decision->is_preflight)
		request_move(request, REQUEST_LEFT_ALONE);
	else
		follow(request, head);
	request->verdict = (struct core_verdict){
		.allow = true,
		.status = 200,
		.title = reply_reason(200),
		.reason = "",
		.route = request->route->id,
		.limit = "",
		.allow_methods = "",
		.id = request->id,
		.max_body = decision->max_body,
		.has_max_body = decision->max_body != LIMIT_NONE,
	};
}

/* Also where the head is refused before its route is known: the page that sent it is to read why. */
static void
note_page(struct core_request *request, const struct head *head)
{
	const struct route *route = request->route;
	struct str origin;

	if (route == NULL)
		route = cors_of_refusal(request->core->config, head);
	if (route == NULL || !cors_is_on(route))
		return;
	origin = cors_allowed(&route->cors, head);
	snprintf(request->origin, sizeof request->origin, "%.*s", STR_ARG(origin));
	request->page = (struct core_page){
		.varies = true,
		.origin = request->origin,
		.expose = origin.len > 0 ? route->cors.expose : "",
		.credentials = origin.len > 0 && route->cors.credentials,
	};
}

void
request_decide(struct core_request *request, const struct core_head *from)
{
	struct head head = {
		.method = { from->method, from->method_len },
		.target = { from->target, from->target_len },
		.version = { from->version, from->version_len },
		.header = nth_header,
		.arg = from,
	};
	struct str id = { from->id, from->id_len };
	const struct config *config = request->core->config;
	struct load unknown = { 0 };
	struct decision decision = { 0 };

	snprintf(request->id, sizeof request->id, "%.*s", STR_ARG(id));
	decide(config, &head, &unknown, &decision);
	request->route = decision.route;
	request->error = decision.error;
	note_page(request, &head);
	if (decision.allow) {
		allow(request, &head, &decision);
		return;
	}
	if (decision.error.kind == ERR_METHOD)
		match_allow(config, &head, &decision.path, &request->allow_methods);
	refuse(request, decision.retry_after_s);
}

/* -- the body ------------------------------------------------------------------------------------- */

void
request_feed(struct core_request *request, const char *data, size_t len)
{
	must(request->state == REQUEST_FOLLOWED);
	if (!scan_feed(&request->scan, data, len, &request->error))
		refuse(request, 0);
}

void
request_stop(struct core_request *request)
{
	if (request->state == REQUEST_FOLLOWED)
		request_move(request, REQUEST_LEFT_ALONE);
}

/* -- the answer ----------------------------------------------------------------------------------- */

void
request_problem(struct core_request *request)
{
	const struct core_verdict *verdict = &request->verdict;
	struct problem problem = {
		.error = &request->error,
		.status = verdict->status,
		.route = str_of(verdict->route),
		.request_id = str_of(verdict->id),
	};

	must(request->state == REQUEST_REFUSED);
	buf_clear(&request->problem);
	problem_add(&request->problem, &problem);
	buf_add_char(&request->problem, '\n');
}
