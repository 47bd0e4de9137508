// SPDX-License-Identifier: MIT
/* reply.c - see reply.h. Answers are written as text: a tree of each part would cost a form of a few fields as much as its storing.
 *
 * Out of memory shows in the body at its end, which is dropped whole then. A summary without one of its parts would be a lie;
 * "201 Created" alone is none. It does not judge sentences: whoever wrote one has kept secrets and paths of the machine out of it. */
#include "reply/reply.h"

#include "part/location.h"
#include "part/parts.h"
#include "reply/headers.h"
#include "reply/page.h"
#include "reply/problem.h"

#include <stdio.h>
#include <time.h>

/* Bytes that mostly do. A summary that has to grow costs twice as much. */
#define SUMMARY_ROOM 128u
#define PART_ROOM 192u

_Static_assert(sizeof(((struct reply_header *)0)->value) > LOCATION_MAX, "no Location is cut");

/* -- JSON --------------------------------------------------------------------------------------------- */

/* jansson refuses strings that are not UTF-8. */
json_t *
reply_text(struct str s)
{
	struct buf clean = { 0 };
	json_t *json;

	if (s.data == NULL)
		return json_null();
	buf_add_utf8(&clean, s);
	json = clean.failed ? NULL : json_stringn(clean.data != NULL ? clean.data : "", clean.len);
	buf_free(&clean);
	return json;
}

/* A member that follows another one, with all that stands around its name. */
#define KEY(name) STR(",\"" name "\":")

static void
add_text(struct buf *out, struct str key, struct str text)
{
	buf_add_str(out, key);
	if (text.data != NULL)
		buf_add_json(out, text);
	else
		buf_add_text(out, "null");
}

static void
add_number(struct buf *out, struct str key, uint64_t n)
{
	buf_add_str(out, key);
	buf_add_u64(out, n);
}

const char *
reply_action_name(enum action action)
{
	static const char *const names[] = {
		[ACTION_STORE] = "store",
		[ACTION_CONCAT] = "concat",
		[ACTION_FORWARD] = "forward",
		[ACTION_DROP] = "drop",
		[ACTION_REJECT] = "reject",
	};

	return names[action];
}

static const char *
state_name(enum outcome_state state)
{
	static const char *const names[] = {
		[OUTCOME_NONE] = "aborted",
		[OUTCOME_COMMITTED] = "committed",
		[OUTCOME_ABORTED] = "aborted",
		[OUTCOME_UNKNOWN] = "unknown",
		[OUTCOME_UNDONE] = "undone",
	};

	return names[state];
}

const char *
reply_state_name(const struct reply_part *part)
{
	return part->destination.data != NULL ? state_name(part->state) : "dropped";
}

/* A state only where it says more than the answer's status: of a part that was to go somewhere, in a failed
 * form. */
static void
add_outcome(struct buf *out, const struct reply_part *part, bool form_failed)
{
	bool says_state = form_failed || part->problem.data != NULL || part->state != OUTCOME_COMMITTED;

	if (part->upstream_status != 0)
		add_number(out, KEY("upstream_status"), part->upstream_status);
	else
		add_text(out, KEY("upstream_status"), STR_NONE);
	add_text(out, KEY("location"), part->location.len > 0 ? part->location : STR_NONE);
	if (part->destination.data == NULL || !says_state)
		return;
	add_text(out, KEY("state"), str_of(state_name(part->state)));
	if (part->problem.data != NULL)
		add_text(out, KEY("problem"), part->problem);
}

static void
add_facts(struct buf *out, const struct facts *facts)
{
	for (size_t i = 0; facts != NULL && i < facts->n; i++) {
		buf_addf(out, ",\"%s\":", facts->list[i].name);
		buf_add_json(out, str_of(facts->list[i].text));
	}
}

/* But for its last brace. */
static void
add_part(struct buf *out, const struct reply_part *part, bool form_failed)
{
	buf_add_text(out, "{\"part\":");
	buf_add_u64(out, part->number);
	add_text(out, KEY("field"), part->field);
	add_text(out, KEY("filename"), part->filename);
	add_text(out, KEY("type"), part->type);
	add_number(out, KEY("size"), part->size);
	add_facts(out, part->facts);
	add_text(out, KEY("action"), str_of(reply_action_name(part->action)));
	add_text(out, KEY("destination"), part->destination);
	add_text(out, KEY("target"), part->target);
	if (part->has_outcome)
		add_outcome(out, part, form_failed);
}

/* Never of a refused form: its client is to send it again, and what he has then is another object. */
static bool
tells_link(const struct reply_facts *facts, const struct reply_part *part)
{
	return facts->links != NULL && part->linked != NULL && !error_is_set(&facts->error);
}

/* RFC 3339, UTC. */
static void
add_time(struct buf *out, struct str key, int64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[40];
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out->failed = true; /* a clock beyond all years */
	else
		add_text(out, key, str_of(text));
}

static void
add_link(struct buf *out, const struct reply_facts *facts, const struct reply_part *part)
{
	struct order_link link = { 0 };

	buf_add_str(out, KEY("link"));
	if (facts->links->make(facts->links->arg, part->linked, &link)) {
		buf_add_text(out, "{\"url\":");
		buf_add_json(out, buf_str(&link.url));
		add_time(out, KEY("expires"), link.expires_s);
		buf_add_char(out, '}');
	} else {
		buf_add_text(out, "null");
	}
	buf_free(&link.url);
}

struct reply_part
reply_part_of(const struct part *part)
{
	struct reply_part to = {
		.number = part->number,
		.field = part->field,
		.filename = part->filename,
		.type = part->type,
		.size = part->size,
		.facts = &part->facts,
		.action = part->action,
	};

	if (part->delivery != NULL) {
		to.destination = str_of(part->delivery->order.to->name);
		to.target = buf_str(
			part->delivery->shown.len > 0 ? &part->delivery->shown : &part->delivery->target);
	} else if (part->rule != NULL && part->rule->to != NULL) { /* a stage has refused it before it was sent */
		to.destination = str_of(part->rule->to->name);
	}
	return to;
}

json_t *
reply_part_json(const struct reply_part *part)
{
	struct buf text = { 0 };
	json_t *json;

	add_part(&text, part, false);
	buf_add_char(&text, '}');
	json = text.failed ? NULL : json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
	buf_free(&text);
	return json;
}

/* Into the object that ends the body, with what stands in an answer alone. */
static void
add_parts(struct buf *body, const struct reply_facts *facts)
{
	if (body->failed)
		return;
	body->len--; /* the object's brace */
	buf_add_text(body, ",\"parts\":[");
	for (size_t i = 0; i < facts->n_parts && !body->failed; i++) {
		const struct reply_part *part = &facts->parts[i];

		if (i > 0)
			buf_add_char(body, ',');
		add_part(body, part, error_is_set(&facts->error));
		if (tells_link(facts, part))
			add_link(body, facts, part);
		buf_add_char(body, '}');
	}
	buf_add_text(body, "]}");
}

/* -- the answer --------------------------------------------------------------------------------------- */

/* The body is of that type, if it is whole; else the status alone. */
static void
end_body(struct reply *reply, const char *type)
{
	buf_add_char(&reply->body, '\n');
	if (reply->body.failed) {
		buf_free(&reply->body); /* its memory may be what is missing */
		buf_addf(&reply->body, "%u %s\n", reply->status, reply_reason(reply->status));
		type = "text/plain";
	}
	if (!reply->body.failed)
		headers_add(reply, "Content-Type", str_of(type));
}

static void
set_summary(struct reply *reply, const struct reply_facts *facts)
{
	struct buf *body = &reply->body;

	buf_make_room(body, SUMMARY_ROOM + facts->n_parts * PART_ROOM);
	buf_add_text(body, "{\"status\":");
	buf_add_u64(body, reply->status);
	add_text(body, KEY("route"), str_of(facts->route->id));
	add_text(body, KEY("request_id"), facts->request_id);
	buf_add_char(body, '}');
	add_parts(body, facts);
	end_body(reply, "application/json");
}

static void
set_problem(struct reply *reply, const struct reply_facts *facts)
{
	struct problem problem = {
		.error = &facts->error,
		.status = reply->status,
		.route = facts->route != NULL ? str_of(facts->route->id) : STR_NONE,
		.request_id = facts->request_id,
	};

	problem_add(&reply->body, &problem);
	if (facts->n_parts > 0)
		add_parts(&reply->body, facts);
	end_body(reply, "application/problem+json");
}

/* A page shows what it holds and does nothing: no script, no picture, no frame around it. */
static void
set_page(struct reply *reply, const struct reply_facts *facts)
{
	page_add(&reply->body, facts, reply->status);
	end_body(reply, "text/html; charset=utf-8");
	headers_add(reply, "Content-Security-Policy",
		STR("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"));
	headers_add(reply, "X-Content-Type-Options", STR("nosniff"));
}

static void
make_upstream(const struct reply_facts *facts, struct reply *reply)
{
	const struct outcome *upstream = facts->upstream;

	if (upstream->status != 0)
		reply->status = upstream->status;
	headers_add(reply, "Location", str_of(upstream->location));
	buf_add_str(&reply->body, buf_str(&upstream->body));
	if (!reply->body.failed && !upstream->body.failed)
		headers_add(reply, "Content-Type", str_of(upstream->type));
	else
		buf_free(&reply->body); /* its status still tells */
}

static void
make_success(const struct reply_facts *facts, struct reply *reply)
{
	reply->status = facts->route->response.status;
	if (facts->upstream != NULL) {
		make_upstream(facts, reply);
		return;
	}
	headers_add(reply, "Location", facts->location);
	if (facts->route->response.json == RESPONSE_NONE || reply->status == 204 || reply->status == 205)
		return;
	if (facts->links != NULL)
		headers_add(reply, "Cache-Control", STR("no-store")); /* whoever has a link has the object */
	set_summary(reply, facts);
}

static void
add_retry_after(const struct reply_facts *facts, struct reply *reply)
{
	char seconds[16];

	snprintf(seconds, sizeof seconds, "%u", facts->retry_after_s > 0 ? facts->retry_after_s : 1);
	headers_add(reply, "Retry-After", str_of(seconds));
}

static void
make_problem(const struct reply_facts *facts, struct reply *reply)
{
	reply->status = reply_status_of(&facts->error);
	headers_add(reply, "Cache-Control", STR("no-store"));
	if (reply->status == 503 || reply->status == 429 ||
		(reply_is_of_store(facts->error.kind) && facts->retry_after_s > 0))
		add_retry_after(facts, reply);
	if (facts->error.kind == ERR_METHOD)
		headers_add(reply, "Allow", facts->allow);
	if (reply->status == 401)
		headers_add(reply, "WWW-Authenticate", facts->challenge);
	headers_add(reply, "Vary", STR("Accept"));
	if (facts->wants_page)
		set_page(reply, facts);
	else
		set_problem(reply, facts);
}

/* As the application has given it: status, body, and the lines that a client may get. What penstock is granted is not for him. */
static void
make_application(const struct reply_facts *facts, struct reply *reply)
{
	struct app_answer *answer = facts->application;

	reply->status = answer->status;
	reply->body = answer->body;
	answer->body = (struct buf){ 0 };
	for (size_t i = 0; i < answer->n_lines; i++)
		if (!str_starts_nocase(str_of(answer->lines[i].name), "penstock-"))
			answer->lines[reply->n_lines++] = answer->lines[i];
	reply->lines = answer->lines;
}

void
reply_make(const struct reply_facts *facts, struct reply *reply)
{
	reply->n_headers = reply->n_lines = 0;
	reply->lines = NULL;
	reply->body = (struct buf){ 0 };
	if (facts->application != NULL)
		make_application(facts, reply);
	else if (error_is_set(&facts->error))
		make_problem(facts, reply);
	else if (facts->cors.method.len > 0)
		reply->status = 204;
	else
		make_success(facts, reply);
	headers_add_cors(reply, &facts->cors);
	headers_add(reply, "X-Request-Id", facts->request_id);
}

void
reply_free(struct reply *reply)
{
	buf_free(&reply->body);
	reply->n_headers = reply->n_lines = 0;
}
