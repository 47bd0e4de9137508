// SPDX-License-Identifier: MIT
/* reply.c - see reply.h. jansson refuses strings that are not UTF-8, so everything goes through reply_text().
 *
 * Out of memory: a value that could not be made is NULL, put() then says false, and the object that should
 * have held it is dropped whole. A summary without one of its parts would be a lie; "201 Created" alone is none.
 * It does not judge sentences: whoever wrote one has kept secrets and paths of the machine out of it. */
#include "reply/reply.h"

#include "part/location.h"
#include "part/parts.h"
#include "reply/page.h"
#include "reply/problem.h"

#include <stdio.h>
#include <time.h>

_Static_assert(sizeof(((struct reply_header *)0)->value) > LOCATION_MAX, "no Location is cut");

/* -- JSON --------------------------------------------------------------------------------------------- */

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

/* Takes the reference to `value`. False: `json` or `value` is NULL, or out of memory. */
static bool
put(json_t *json, const char *key, json_t *value)
{
	return json_object_set_new(json, key, value) == 0;
}

static json_t *
whole_or_null(json_t *json, bool is_whole)
{
	if (is_whole)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *
number_or_null(unsigned n)
{
	return n != 0 ? json_integer(n) : json_null();
}

const char *
reply_action_name(enum action action)
{
	static const char *const names[] = {
		[ACTION_STORE] = "store",
		[ACTION_CONCAT] = "concat",
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
static bool
put_outcome(json_t *json, const struct reply_part *part, bool form_failed)
{
	bool says_state = form_failed || part->problem.data != NULL || part->state != OUTCOME_COMMITTED;

	if (!put(json, "upstream_status", number_or_null(part->upstream_status)) ||
		!put(json, "location", reply_text(part->location.len > 0 ? part->location : STR_NONE)))
		return false;
	if (part->destination.data == NULL || !says_state)
		return true;
	return put(json, "state", json_string(state_name(part->state))) &&
		(part->problem.data == NULL || put(json, "problem", reply_text(part->problem)));
}

static bool
put_facts(json_t *json, const struct facts *facts)
{
	for (size_t i = 0; facts != NULL && i < facts->n; i++)
		if (!put(json, facts->list[i].name, reply_text(str_of(facts->list[i].text))))
			return false;
	return true;
}

static json_t *
part_json(const struct reply_part *part, bool form_failed)
{
	json_t *json = json_object();

	return whole_or_null(json,
		put(json, "part", json_integer(part->number)) && put(json, "field", reply_text(part->field)) &&
			put(json, "filename", reply_text(part->filename)) &&
			put(json, "type", reply_text(part->type)) &&
			put(json, "size", json_integer((json_int_t)part->size)) && put_facts(json, part->facts) &&
			put(json, "action", json_string(reply_action_name(part->action))) &&
			put(json, "destination", reply_text(part->destination)) &&
			put(json, "target", reply_text(part->target)) &&
			(!part->has_outcome || put_outcome(json, part, form_failed)));
}

/* Never of a refused form: its client is to send it again, and what he has then is another object. */
static bool
tells_link(const struct reply_facts *facts, const struct reply_part *part)
{
	return facts->links != NULL && part->linked != NULL && !error_is_set(&facts->error);
}

/* RFC 3339, UTC; NULL: out of memory, or a clock beyond all years. */
static json_t *
time_json(int64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[40];
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return NULL;
	return json_string(text);
}

static json_t *
link_json(const struct reply_facts *facts, const struct reply_part *part)
{
	struct order_link link = { 0 };
	json_t *json;

	if (facts->links->make(facts->links->arg, part->linked, &link)) {
		json = json_object();
		json = whole_or_null(json,
			put(json, "url", reply_text(buf_str(&link.url))) &&
				put(json, "expires", time_json(link.expires_s)));
	} else {
		json = json_null();
	}
	buf_free(&link.url);
	return json;
}

/* With what stands in an answer alone. */
static json_t *
told_part_json(const struct reply_facts *facts, const struct reply_part *part)
{
	json_t *json = part_json(part, error_is_set(&facts->error));

	if (json == NULL || !tells_link(facts, part))
		return json;
	return whole_or_null(json, put(json, "link", link_json(facts, part)));
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
	return part_json(part, false);
}

static json_t *
summary_json(const struct reply_facts *facts, unsigned status)
{
	json_t *json = json_object();

	return whole_or_null(json,
		put(json, "status", json_integer(status)) &&
			put(json, "route", reply_text(str_of(facts->route->id))) &&
			put(json, "request_id", reply_text(facts->request_id)));
}

/* -- the answer --------------------------------------------------------------------------------------- */

static void
add_header(struct reply *reply, const char *name, struct str value)
{
	struct reply_header *header = &reply->headers[reply->n_headers];

	if (value.len == 0 || reply->n_headers == sizeof reply->headers / sizeof reply->headers[0])
		return;
	reply->n_headers++;
	header->name = name;
	snprintf(header->value, sizeof header->value, "%.*s", STR_ARG(value));
}

static int
add_piece(const char *text, size_t len, void *body)
{
	struct buf *buf = body;

	buf_add(buf, text, len);
	return buf->failed ? -1 : 0;
}

/* Takes the reference to `json`, which may be NULL. */
static bool
add_json(struct buf *body, json_t *json)
{
	bool ok = json != NULL && json_dump_callback(json, add_piece, body, JSON_COMPACT) == 0;

	json_decref(json);
	return ok;
}

/* One after another into the object that ends the body, which has not failed: a tree of thousands of parts would take several times what
 * their text does. */
static bool
add_parts(struct buf *body, const struct reply_facts *facts)
{
	bool ok = true;

	body->len--; /* the object's brace */
	buf_add_text(body, ",\"parts\":[");
	for (size_t i = 0; i < facts->n_parts && ok; i++) {
		if (i > 0)
			buf_add_char(body, ',');
		ok = add_json(body, told_part_json(facts, &facts->parts[i]));
	}
	buf_add_text(body, "]}");
	return ok;
}

/* The body is of that type, if it is whole; else the status alone. */
static void
end_body(struct reply *reply, const char *type, bool ok)
{
	if (ok)
		buf_add_char(&reply->body, '\n');
	if (!ok || reply->body.failed) {
		buf_free(&reply->body); /* its memory may be what is missing */
		buf_addf(&reply->body, "%u %s\n", reply->status, reply_reason(reply->status));
		type = "text/plain";
	}
	if (!reply->body.failed)
		add_header(reply, "Content-Type", str_of(type));
}

/* Takes the reference to `json`, which may be NULL. */
static void
set_summary(struct reply *reply, const struct reply_facts *facts, json_t *json)
{
	end_body(reply, "application/json", add_json(&reply->body, json) && add_parts(&reply->body, facts));
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
	end_body(reply, "application/problem+json",
		!reply->body.failed && (facts->n_parts == 0 || add_parts(&reply->body, facts)));
}

/* A page shows what it holds and does nothing: no script, no picture, no frame around it. */
static void
set_page(struct reply *reply, const struct reply_facts *facts)
{
	page_add(&reply->body, facts, reply->status);
	end_body(reply, "text/html; charset=utf-8", true);
	add_header(reply, "Content-Security-Policy",
		STR("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"));
	add_header(reply, "X-Content-Type-Options", STR("nosniff"));
}

static void
make_upstream(const struct reply_facts *facts, struct reply *reply)
{
	const struct outcome *upstream = facts->upstream;

	if (upstream->status != 0)
		reply->status = upstream->status;
	add_header(reply, "Location", str_of(upstream->location));
	buf_add_str(&reply->body, buf_str(&upstream->body));
	if (!reply->body.failed && !upstream->body.failed)
		add_header(reply, "Content-Type", str_of(upstream->type));
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
	add_header(reply, "Location", facts->location);
	if (facts->route->response.json == RESPONSE_NONE || reply->status == 204 || reply->status == 205)
		return;
	if (facts->links != NULL)
		add_header(reply, "Cache-Control", STR("no-store")); /* whoever has a link has the object */
	set_summary(reply, facts, summary_json(facts, reply->status));
}

static void
add_retry_after(const struct reply_facts *facts, struct reply *reply)
{
	char seconds[16];

	snprintf(seconds, sizeof seconds, "%u", facts->retry_after_s > 0 ? facts->retry_after_s : 1);
	add_header(reply, "Retry-After", str_of(seconds));
}

static void
make_problem(const struct reply_facts *facts, struct reply *reply)
{
	reply->status = reply_status(facts->error.kind);
	add_header(reply, "Cache-Control", STR("no-store"));
	if (reply->status == 503 || reply->status == 429 ||
		(facts->error.kind == ERR_UPSTREAM && facts->retry_after_s > 0))
		add_retry_after(facts, reply);
	if (facts->error.kind == ERR_METHOD)
		add_header(reply, "Allow", facts->allow);
	add_header(reply, "Vary", STR("Accept"));
	if (facts->wants_page)
		set_page(reply, facts);
	else
		set_problem(reply, facts);
}

void
reply_make(const struct reply_facts *facts, struct reply *reply)
{
	if (error_is_set(&facts->error))
		make_problem(facts, reply);
	else
		make_success(facts, reply);
	add_header(reply, "X-Request-Id", facts->request_id);
}

void
reply_free(struct reply *reply)
{
	buf_free(&reply->body);
	*reply = (struct reply){ 0 };
}
