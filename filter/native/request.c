// SPDX-License-Identifier: MIT
/* judge.c - see judge.h. The load is not known here: whether there is room for one more is the sidecar's to say. */
#include "native/judge.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "config/load.h"
#include "decide/decide.h"
#include "native/scan.h"
#include "reply/status.h"

#include <stdio.h>

enum request_state { REQUEST_NEW, REQUEST_REFUSED, REQUEST_FOLLOWED, REQUEST_LEFT_ALONE };

static const unsigned may_become[] = {
	[REQUEST_NEW] = BIT(REQUEST_REFUSED) | BIT(REQUEST_FOLLOWED),
	[REQUEST_FOLLOWED] = BIT(REQUEST_REFUSED) | BIT(REQUEST_LEFT_ALONE),
	[REQUEST_REFUSED] = 0,
	[REQUEST_LEFT_ALONE] = 0,
};

struct judge {
	struct config *config;
};

struct judge_request {
	const struct judge *judge;
	const struct route *route;
	enum request_state state;
	struct scan scan; /* from FOLLOWED on */
	bool has_scan;
	struct error error;
	struct buf allow_methods, problem;
	char id[129];
	struct judge_verdict verdict;
};

static void
request_move(struct judge_request *request, enum request_state to)
{
	must(state_may_become(may_become, (int)request->state, (int)to));
	request->state = to;
}

struct judge *
judge_new(char *const *paths, size_t n, char **problems)
{
	struct judge *judge = mem_zalloc(sizeof *judge);
	struct findings findings = { 0 };

	*problems = NULL;
	if (judge == NULL)
		return NULL;
	judge->config = config_load_routes(paths, n, &findings);
	if (judge->config != NULL) {
		findings_free(&findings);
		return judge;
	}
	*problems = findings.text.data; /* the caller's now */
	mem_free(judge);
	return NULL;
}

void
judge_free(struct judge *judge)
{
	if (judge == NULL)
		return;
	config_free(judge->config);
	mem_free(judge);
}

struct judge_request *
judge_request_new(const struct judge *judge)
{
	struct judge_request *request = mem_zalloc(sizeof *request);

	if (request != NULL)
		request->judge = judge;
	return request;
}

void
judge_request_free(struct judge_request *request)
{
	if (request == NULL)
		return;
	if (request->has_scan)
		scan_fini(&request->scan);
	buf_free(&request->allow_methods);
	buf_free(&request->problem);
	mem_free(request);
}

/* -- the head ------------------------------------------------------------------------------------- */

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct judge_head *head = arg;

	if (!head->header(head->arg, name.data, name.len, nth, &value->data, &value->len))
		return false;
	*value = str_trim(*value);
	return true;
}

static const struct judge_verdict *
refuse(struct judge_request *request, unsigned retry_after)
{
	unsigned status = reply_status(request->error.kind);
	bool has_methods = request->allow_methods.data != NULL && !request->allow_methods.failed;

	request_move(request, REQUEST_REFUSED);
	request->verdict = (struct judge_verdict){
		.is_fault = request->error.kind == ERR_NOMEM,
		.status = status,
		.title = reply_reason(status),
		.reason = request->error.message,
		.route = request->route != NULL ? request->route->id : "",
		.allow_methods = has_methods ? request->allow_methods.data : "",
		.id = request->id,
		.retry_after = retry_after == 0 && status == 503 ? 1 : retry_after,
	};
	return &request->verdict;
}

static const struct judge_verdict *
allow(struct judge_request *request, const struct decision *decision)
{
	request_move(request, REQUEST_FOLLOWED);
	scan_init(&request->scan, &request->route->limits, &decision->boundary);
	request->has_scan = true;
	request->verdict = (struct judge_verdict){
		.allow = true,
		.status = 200,
		.title = reply_reason(200),
		.reason = "",
		.route = request->route->id,
		.allow_methods = "",
		.id = request->id,
		.max_body = decision->max_body,
		.has_max_body = decision->max_body != LIMIT_NONE,
	};
	return &request->verdict;
}

const struct judge_verdict *
judge_decide(struct judge_request *request, const struct judge_head *from)
{
	struct head head = {
		.method = { from->method, from->method_len },
		.target = { from->target, from->target_len },
		.version = { from->version, from->version_len },
		.header = nth_header,
		.arg = from,
	};
	struct str id = { from->id, from->id_len };
	const struct config *config = request->judge->config;
	struct load unknown = { 0 };
	struct decision decision = { 0 };

	snprintf(request->id, sizeof request->id, "%.*s", STR_ARG(id));
	decide(config, &head, &unknown, &decision);
	request->route = decision.route;
	request->error = decision.error;
	if (decision.allow)
		return allow(request, &decision);
	if (decision.error.kind == ERR_METHOD)
		match_allow(config, &head, &decision.path, &request->allow_methods);
	return refuse(request, decision.retry_after_s);
}

const struct judge_verdict *
judge_verdict(const struct judge_request *request)
{
	return request->state != REQUEST_NEW ? &request->verdict : NULL;
}

/* -- the body ------------------------------------------------------------------------------------- */

const struct judge_verdict *
judge_feed(struct judge_request *request, const char *data, size_t len)
{
	if (request->state == REQUEST_LEFT_ALONE)
		return NULL;
	must(request->state == REQUEST_FOLLOWED);
	return scan_feed(&request->scan, data, len, &request->error) ? NULL : refuse(request, 0);
}

void
judge_stop(struct judge_request *request)
{
	if (request->state == REQUEST_FOLLOWED)
		request_move(request, REQUEST_LEFT_ALONE);
}

/* -- the answer ----------------------------------------------------------------------------------- */

static void
add_member(struct buf *out, const char *key, const char *text)
{
	if (text[0] == '\0')
		return;
	buf_addf(out, ",\"%s\":", key);
	buf_add_json(out, str_of(text));
}

const char *
judge_problem(struct judge_request *request, size_t *len)
{
	const struct judge_verdict *verdict = &request->verdict;
	const struct error *error = &request->error;
	struct buf *out = &request->problem;

	must(request->state == REQUEST_REFUSED);
	buf_clear(out);
	buf_addf(out, "{\"type\":\"urn:penstock:problem:%s\"", error_kind_name(error->kind));
	add_member(out, "title", verdict->title);
	buf_addf(out, ",\"status\":%u", verdict->status);
	add_member(out, "detail", verdict->reason);
	add_member(out, "route", verdict->route);
	add_member(out, "limit", error->limit);
	if (error->offset != ERROR_NO_OFFSET)
		buf_addf(out, ",\"offset\":%llu", (unsigned long long)error->offset);
	add_member(out, "request_id", verdict->id);
	buf_add_text(out, "}\n");
	*len = out->failed ? 0 : out->len;
	return out->data;
}
