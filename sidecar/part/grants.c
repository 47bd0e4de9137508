// SPDX-License-Identifier: MIT
/* grants.c - see grants.h. An application that says a limit believes in it, so one that cannot be kept lets nobody in. */
#include "part/grants.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/template.h"
#include "sink/question.h"

#include <string.h>

#define GRANT "penstock-grant-"
#define LIMIT "penstock-limit-"
#define LIMIT_BODY "Penstock-Limit-Body"
#define LIMIT_PARTS "Penstock-Limit-Parts"
#define LIMIT_RATE "Penstock-Limit-Rate"

/* -- values ------------------------------------------------------------------------------------------- */

static bool
is_name(const char *said, size_t len, const char *name)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (template_grant_char(said[i]) != name[i])
			return false;
	return true;
}

static struct grant *
find(const struct grants *grants, const char *said, size_t len)
{
	for (size_t i = 0; i < grants->n; i++)
		if (is_name(said, len, grants->list[i].name))
			return &grants->list[i];
	return NULL;
}

static bool
begin(struct grants *grants, const struct route *route, struct error *err)
{
	const struct texts *names = &route->authorize.grants;

	*grants = (struct grants){ 0 };
	if (names->n == 0)
		return true;
	grants->list = mem_array(names->n, sizeof *grants->list);
	if (grants->list == NULL)
		return error_nomem(err);
	for (; grants->n < names->n; grants->n++)
		grants->list[grants->n] = (struct grant){ .name = names->items[grants->n] };
	return true;
}

/* A grant, and the value that it gets. */
struct given {
	struct grant *to;
	struct str value;
};

/* The text does not move any more once all values are in it, each with a NUL behind it. */
static bool
set_values(struct grants *grants, const struct given *given, size_t n, struct error *err)
{
	const char *at;

	for (size_t i = 0; i < n; i++) {
		buf_add_str(&grants->text, given[i].value);
		buf_add_char(&grants->text, '\0');
	}
	if (grants->text.failed)
		return error_nomem(err);
	at = grants->text.data;
	for (size_t i = 0; i < n; i++) {
		must(given[i].to != NULL);
		given[i].to->value = str_of(at);
		at += given[i].value.len + 1;
	}
	return true;
}

/* -- an answer ---------------------------------------------------------------------------------------- */

static bool
take_limit(const struct question_line *line, uint64_t *limit, bool *has, struct error *err)
{
	if (*has)
		return error_set(err, ERR_UPSTREAM, "the application says %s twice", line->name);
	*has = str_to_u64(str_of(line->value), limit);
	return *has || error_set(err, ERR_UPSTREAM, "the application says a %s that is no number", line->name);
}

/* Nothing would ever come in by a rate of 0, and nobody would be told. */
static bool
take_rate(struct grants *grants, const struct question_line *line, struct error *err)
{
	if (!take_limit(line, &grants->rate, &grants->has_rate, err))
		return false;
	return grants->rate > 0 || error_set(err, ERR_UPSTREAM, "the application says a %s of 0", line->name);
}

static bool
take_limits(struct grants *grants, const struct app_answer *answer, struct error *err)
{
	for (size_t i = 0; i < answer->n_lines; i++) {
		const struct question_line *line = &answer->lines[i];
		struct str name = str_of(line->name);
		bool ok;

		if (!str_starts_nocase(name, LIMIT))
			continue;
		if (str_equal_nocase(name, STR(LIMIT_BODY)))
			ok = take_limit(line, &grants->body, &grants->has_body, err);
		else if (str_equal_nocase(name, STR(LIMIT_PARTS)))
			ok = take_limit(line, &grants->parts, &grants->has_parts, err);
		else if (str_equal_nocase(name, STR(LIMIT_RATE)))
			ok = take_rate(grants, line, err);
		else
			ok = error_set(err, ERR_UPSTREAM,
				"the application says %.60s, a limit that penstock does not know", line->name);
		if (!ok)
			return false;
	}
	return true;
}

/* The one line that grants this; NULL: err says why there is none. */
static const char *
only_value(const struct app_answer *answer, const char *name, struct error *err)
{
	const char *value = NULL;

	for (size_t i = 0; i < answer->n_lines; i++) {
		const char *said = answer->lines[i].name;

		if (!str_starts_nocase(str_of(said), GRANT) ||
			!is_name(said + strlen(GRANT), strlen(said + strlen(GRANT)), name))
			continue;
		if (value != NULL) {
			error_set(err, ERR_UPSTREAM, "the application grants {grant.%s} twice", name);
			return NULL;
		}
		value = answer->lines[i].value;
	}
	if (value != NULL && value[0] != '\0')
		return value;
	error_set(err, ERR_UPSTREAM,
		"the application does not grant {grant.%s}, of which the route makes something", name);
	return NULL;
}

static bool
take_values(struct grants *grants, const struct app_answer *answer, struct error *err)
{
	struct given *given = mem_array(grants->n + 1, sizeof *given);
	bool ok = true;

	if (given == NULL)
		return error_nomem(err);
	for (size_t i = 0; ok && i < grants->n; i++) {
		given[i] = (struct given){ &grants->list[i],
			str_of(only_value(answer, grants->list[i].name, err)) };
		ok = given[i].value.data != NULL;
	}
	ok = ok && set_values(grants, given, grants->n, err);
	mem_free(given);
	return ok;
}

bool
grants_take(struct grants *grants, const struct route *route, const struct app_answer *answer, struct error *err)
{
	return begin(grants, route, err) && take_limits(grants, answer, err) && take_values(grants, answer, err);
}

/* -- what somebody says instead ------------------------------------------------------------------------- */

static bool
give(struct grants *grants, const char *text, struct given *given, struct error *err)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return error_set(err, ERR_CONFIG, "--grant %.60s: NAME=VALUE is needed", text);
	*given = (struct given){ find(grants, text, (size_t)(equals - text)), str_of(equals + 1) };
	return given->to != NULL ||
		error_set(err, ERR_CONFIG, "--grant %.60s: the route makes nothing of a grant of that name", text);
}

bool
grants_give(struct grants *grants, const struct route *route, const char *const *texts, size_t n, struct error *err)
{
	struct given *given = mem_array(n + 1, sizeof *given);
	bool ok;

	if (given == NULL)
		return error_nomem(err);
	ok = begin(grants, route, err);
	for (size_t i = 0; ok && i < n; i++)
		ok = give(grants, texts[i], &given[i], err);
	ok = ok && set_values(grants, given, n, err);
	mem_free(given);
	return ok;
}

/* -- what holds ---------------------------------------------------------------------------------------- */

struct str
grants_value(const struct grants *grants, const char *name)
{
	for (size_t i = 0; grants != NULL && i < grants->n; i++)
		if (strcmp(grants->list[i].name, name) == 0)
			return grants->list[i].value;
	return STR_NONE;
}

static uint64_t
narrower(uint64_t route, bool has, uint64_t granted)
{
	return has && granted < route ? granted : route;
}

uint64_t
grants_body(const struct grants *grants, const struct route *route)
{
	return narrower(route->limits.body, grants != NULL && grants->has_body, grants != NULL ? grants->body : 0);
}

uint64_t
grants_parts(const struct grants *grants, const struct route *route)
{
	return narrower(
		route->limits.parts, grants != NULL && grants->has_parts, grants != NULL ? grants->parts : 0);
}

uint64_t
grants_rate(const struct grants *grants)
{
	return grants->has_rate ? grants->rate : LIMIT_NONE;
}

void
grants_name_limit(const struct grants *grants, const struct route *route, struct error *err)
{
	const char *name = NULL;

	if (err->kind == ERR_TOO_LARGE && strcmp(err->limit, "body") == 0 &&
		grants_body(grants, route) < route->limits.body)
		name = LIMIT_BODY;
	else if (err->kind == ERR_TOO_LARGE && strcmp(err->limit, "parts") == 0 &&
		grants_parts(grants, route) < route->limits.parts)
		name = LIMIT_PARTS;
	if (name == NULL)
		return;
	error_name_limit(err, name);
	error_wrap(err, "the application allows less than the route");
}

void
grants_free(struct grants *grants)
{
	mem_free(grants->list);
	buf_free(&grants->text);
	*grants = (struct grants){ 0 };
}
