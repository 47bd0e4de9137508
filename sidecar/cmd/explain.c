// SPDX-License-Identifier: MIT
/* explain.c - see explain.h. */
#include "cmd/explain.h"

#include "base/mem.h"
#include "base/uuid.h"
#include "cmd/explain_app.h"
#include "cmd/explain_asks.h"
#include "cmd/explain_cors.h"
#include "cmd/explain_limits.h"
#include "cmd/explain_routes.h"
#include "cmd/explain_would.h"
#include "cmd/raw_request.h"
#include "decide/decide.h"
#include "part/location.h"
#include "part/parts.h"
#include "reply/reply.h"
#include "source/source.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct verdict {
	struct error error; /* ERR_NONE: it would be committed */
	const struct route *route;
	bool is_preflight;
	struct stage_tools tools;
	struct txn *txn;
	const struct naming *naming;
	struct parts *parts; /* NULL: the request was refused by its head */
	struct buf location; /* empty: the answer is no redirect */
	struct grants grants;
	json_t *routes; /* which were looked at, and why they do not take it */
	json_t *cors;   /* lines of the answer by which a browser goes */
	json_t *asks;   /* what an application would be asked; NULL: nobody is */
};

/* "-" is standard input. */
static bool
read_file(const char *path, struct buf *out, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "rb");
	char piece[65536];
	size_t n;
	bool ok;

	if (file == NULL)
		return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	while ((n = fread(piece, 1, sizeof piece, file)) > 0)
		buf_add(out, piece, n);
	ok = ferror(file) == 0;
	if (!is_stdin)
		fclose(file);
	if (!ok)
		return error_set(err, ERR_SYSTEM, "%s: cannot be read", path);
	return out->failed ? error_nomem(err) : true;
}

/* -- the form ----------------------------------------------------------------------------------------- */

static bool
feed_all(struct parts *parts, struct str body, size_t split, struct error *err)
{
	size_t step = split > 0 && split < SOURCE_FEED_MAX ? split : SOURCE_FEED_MAX;

	for (size_t at = 0; at < body.len; at += step)
		if (!parts_feed(parts, body.data + at, body.len - at < step ? body.len - at : step, err))
			return false;
	return true;
}

/* What would be asked before the form; also of a route that asks nobody. */
static bool
question_is_clear(struct verdict *verdict, const struct route *route, const struct naming *naming)
{
	if (route->authorize.to == NULL)
		return true;
	if (naming_check(naming, route, &verdict->error))
		verdict->asks = explain_asks_json(route, naming, &verdict->error);
	return verdict->asks != NULL;
}

static void
judge_form(struct verdict *verdict, const struct raw_request *raw, const struct decision *decision,
	const struct naming *naming, size_t split)
{
	uint64_t length = decision->length, limit = decision->route->limits.body;
	struct txn_setup dry = { .policy = PLAN_ALL, .body = length < limit ? length : limit };
	struct parts_setup setup = {
		.route = decision->route,
		.naming = naming,
		.tools = &verdict->tools,
		.txn = txn_new(&dry, &verdict->error),
	};
	struct buf body = { 0 };
	struct error framing = { 0 };
	bool whole = raw_request_body(raw, decision->length == LENGTH_UNKNOWN, decision->length, &body, &framing);

	verdict->txn = setup.txn;
	verdict->naming = naming;
	if (setup.txn != NULL && question_is_clear(verdict, decision->route, naming) &&
		location_make(naming, &decision->route->response, &verdict->location, &verdict->error))
		verdict->parts = parts_new(&setup, &verdict->error);
	if (verdict->parts != NULL && feed_all(verdict->parts, buf_str(&body), split, &verdict->error)) {
		if (whole)
			parts_finish(verdict->parts, &verdict->error);
		else
			error_keep_first(&verdict->error, &framing);
	}
	buf_free(&body);
}

/* -- JSON --------------------------------------------------------------------------------------------- */

static json_t *
parts_json(const struct verdict *verdict)
{
	json_t *list = json_array();
	const struct part *part = verdict->parts != NULL ? parts_first(verdict->parts) : NULL;

	for (; part != NULL; part = part->next) {
		struct reply_part told = reply_part_of(part);

		if (part->is_whole)
			json_array_append_new(list, reply_part_json(&told));
	}
	return list;
}

/* `would` is filled only for a form that is taken, because of a refused one nothing would stay. */
static bool
is_taken(const struct verdict *verdict)
{
	return verdict->parts != NULL && !error_is_set(&verdict->error);
}

/* Whose answer the client gets. An upstream gives one if something goes there. */
static enum response_from
whose_answer(const struct verdict *verdict)
{
	enum response_from from = is_taken(verdict) ? verdict->route->response.from : RESPONSE_OURS;

	return from == RESPONSE_UPSTREAM && txn_first(verdict->txn) == NULL ? RESPONSE_OURS : from;
}

static unsigned
status_of(const struct verdict *verdict)
{
	if (error_is_set(&verdict->error))
		return reply_status(verdict->error.kind);
	return verdict->is_preflight ? 204 : verdict->route->response.status;
}

static json_t *
offset_json(const struct error *error)
{
	if (!error_is_set(error) || error->offset == ERROR_NO_OFFSET)
		return json_null();
	return json_integer((json_int_t)error->offset);
}

static json_t *
known_text(const char *text)
{
	return reply_text(text[0] != '\0' ? str_of(text) : STR_NONE);
}

/* Nobody knows the status of another one's answer before he has given it. */
static void
put_status(json_t *root, const struct verdict *verdict)
{
	enum response_from from = whose_answer(verdict);

	json_object_set_new(root, "status", from != RESPONSE_OURS ? json_null() : json_integer(status_of(verdict)));
	if (from != RESPONSE_OURS)
		json_object_set_new(root, "from", json_string(from == RESPONSE_APP ? "app" : "upstream"));
}

static bool
put_app(json_t *root, const struct verdict *verdict)
{
	return json_object_set_new(
		       root, "application", explain_app_json(verdict->route, verdict->naming, verdict->parts)) == 0;
}

static bool
put_limits(json_t *root, const struct verdict *verdict)
{
	json_t *limits = is_taken(verdict) ? explain_limits_json(&verdict->route->limits) : NULL;

	if (limits == NULL || json_object_size(limits) > 0)
		return !is_taken(verdict) || json_object_set_new(root, "depends", limits) == 0;
	json_decref(limits);
	return true;
}

static bool
print_json(const struct verdict *verdict, struct error *err)
{
	bool refused = error_is_set(&verdict->error);
	json_t *root = json_object(), *would = json_array();
	bool ok = would != NULL && (!is_taken(verdict) || explain_would_json(verdict->parts, would));

	put_status(root, verdict);
	json_object_set_new(root, "route", reply_text(str_of(verdict->route != NULL ? verdict->route->id : NULL)));
	json_object_set(root, "routes", verdict->routes);
	if (json_array_size(verdict->cors) > 0)
		json_object_set(root, "cors", verdict->cors);
	json_object_set_new(
		root, "error", reply_text(str_of(refused ? error_kind_name(verdict->error.kind) : NULL)));
	json_object_set_new(root, "reason", reply_text(str_of(refused ? verdict->error.message : NULL)));
	json_object_set_new(root, "field", known_text(verdict->error.field));
	json_object_set_new(root, "limit", known_text(verdict->error.limit));
	json_object_set_new(root, "offset", offset_json(&verdict->error));
	if (!refused && verdict->location.len > 0)
		json_object_set_new(root, "location", reply_text(buf_str(&verdict->location)));
	if (verdict->asks != NULL)
		json_object_set(root, "asks", verdict->asks);
	ok = put_limits(root, verdict) && ok;
	json_object_set_new(root, "parts", parts_json(verdict));
	json_object_set_new(root, "would", would);
	if (is_taken(verdict) && verdict->route->app.is_said)
		ok = put_app(root, verdict) && ok;
	ok = ok && root != NULL && (json_dumpf(root, stdout, JSON_COMPACT) == 0 || ferror(stdout) != 0);
	json_decref(root);
	puts("");
	return ok ? true : error_nomem(err);
}

/* -- a table ------------------------------------------------------------------------------------------ */

static void
print_text(struct str s, int width)
{
	struct buf clean = { 0 };

	buf_add_utf8(&clean, s);
	for (size_t i = 0, n; i < clean.len; i += n) {
		struct str here = { clean.data + i, clean.len - i };

		n = utf8_length(here);
		if (utf8_is_control(here))
			memset(clean.data + i, '?', n); /* a client's bytes do not steer the terminal */
	}
	printf("%-*.*s ", width, STR_ARG(buf_str(&clean)));
	buf_free(&clean);
}

static void
print_row(const struct part *part)
{
	const struct delivery *delivery = part->delivery;

	printf("%4u ", part->number);
	print_text(part->field, 16);
	print_text(part->filename.data != NULL ? part->filename : STR("-"), 24);
	printf("%12" PRIu64 " %-7s ", part->size, reply_action_name(part->action));
	if (delivery != NULL) {
		printf("%s:", delivery->rule->to->name);
		print_text(buf_str(&delivery->shown), 0);
	}
	if (part->rule != NULL)
		printf(" (%s:%u)", part->rule->place.file, part->rule->place.line);
	puts("");
	for (size_t i = 0; i < part->facts.n; i++)
		printf("%4s %s %s\n", "", part->facts.list[i].name, part->facts.list[i].text);
}

static void
print_status(const struct verdict *verdict)
{
	enum response_from from = whose_answer(verdict);

	if (from != RESPONSE_OURS)
		printf("status that of the %s's answer", from == RESPONSE_APP ? "application" : "store");
	else
		printf("status %u", status_of(verdict));
}

static bool
print_table(const struct verdict *verdict, struct error *err)
{
	const struct part *part = verdict->parts != NULL ? parts_first(verdict->parts) : NULL;

	print_status(verdict);
	printf("  route %s\n", verdict->route != NULL ? verdict->route->id : "-");
	explain_routes_print(verdict->routes);
	explain_cors_print(verdict->cors, print_text);
	if (!error_is_set(&verdict->error) && verdict->location.len > 0) {
		printf("location ");
		print_text(buf_str(&verdict->location), 0);
		puts("");
	}
	if (error_is_set(&verdict->error)) {
		printf("reason ");
		print_text(str_of(verdict->error.message), 0);
		if (verdict->error.offset != ERROR_NO_OFFSET)
			printf("at byte %" PRIu64 " of the body", verdict->error.offset);
		if (verdict->error.limit[0] != '\0')
			printf(" (limit %s)", verdict->error.limit);
		puts("");
	}
	if (verdict->asks != NULL)
		explain_asks_print(verdict->asks, print_text);
	if (is_taken(verdict))
		explain_limits_print(&verdict->route->limits);
	printf("%4s %-16s %-24s %12s %-7s %s\n", "part", "field", "filename", "bytes", "action", "target (rule)");
	for (; part != NULL; part = part->next)
		if (part->is_whole)
			print_row(part);
	if (!is_taken(verdict))
		return true;
	return (explain_would_print(verdict->parts, print_text) &&
		       explain_app_print(verdict->route, verdict->naming, verdict->parts, print_text)) ||
		error_nomem(err);
}

/* -- all of it ---------------------------------------------------------------------------------------- */

static bool
explain_text(const struct config *config, struct str text, const struct explain_options *options,
	struct raw_request *raw, struct error *err)
{
	struct load idle = { 0 };
	struct decision decision = { 0 };
	char id[UUID_SIZE];
	struct naming naming = { .head = &raw->head,
		.match = &decision.match,
		.request_id = { id, sizeof id - 1 },
		.started = time(NULL),
		.want_shown = true };
	struct verdict verdict = { 0 };
	bool ok = true;

	naming.grants = &verdict.grants;
	if (!stage_tools_open(&verdict.tools, config, err))
		return false;
	uuid_make(id);
	if (!raw_request_read(raw, text, &verdict.error)) {
		verdict.cors = json_array();
	} else {
		decide(config, &raw->head, &idle, &decision);
		verdict.route = decision.route;
		verdict.error = decision.error;
		verdict.is_preflight = decision.is_preflight;
		verdict.cors = explain_cors_json(config, &raw->head, &decision);
		if (decision.allow && !decision.is_preflight)
			ok = grants_give(&verdict.grants, decision.route, options->grants, options->n_grants, err);
		if (ok && decision.allow && !decision.is_preflight)
			judge_form(&verdict, raw, &decision, &naming, options->split);
	}
	verdict.routes = explain_routes_json(config, &raw->head, &decision);
	ok = ok && ((verdict.routes != NULL && verdict.cors != NULL) || error_nomem(err));
	ok = ok && (options->human ? print_table(&verdict, err) : print_json(&verdict, err));
	json_decref(verdict.asks);
	json_decref(verdict.routes);
	json_decref(verdict.cors);
	grants_free(&verdict.grants);
	parts_free(verdict.parts);
	txn_free(verdict.txn);
	stage_tools_close(&verdict.tools);
	buf_free(&verdict.location);
	return ok;
}

bool
explain_run(const struct config *config, const char *path, const struct explain_options *options, struct error *err)
{
	struct raw_request *raw = mem_zalloc(sizeof *raw);
	struct buf text = { 0 };
	bool ok = raw != NULL || error_nomem(err);

	ok = ok && read_file(path, &text, err);
	if (ok && sources_start(err)) {
		ok = explain_text(config, buf_str(&text), options, raw, err);
		sources_stop();
	}
	buf_free(&text);
	mem_free(raw);
	return ok && !error_is_set(err);
}
