// SPDX-License-Identifier: MIT
/* problem.c - see problem.h. */
#include "reply/problem.h"

#include "reply/status.h"

#include <inttypes.h>

static void
add_member(struct buf *out, const char *key, struct str text)
{
	if (text.len == 0)
		return;
	buf_addf(out, ",\"%s\":", key);
	buf_add_json(out, text);
}

void
problem_add(struct buf *out, const struct problem *problem)
{
	const struct error *error = problem->error;

	buf_addf(out, "{\"type\":\"urn:penstock:problem:%s\"", error_kind_name(error->kind));
	add_member(out, "title", str_of(reply_reason(problem->status)));
	buf_addf(out, ",\"status\":%u", problem->status);
	add_member(out, "detail", str_of(error->message));
	add_member(out, "route", problem->route);
	add_member(out, "field", str_of(error->field));
	add_member(out, "limit", str_of(error->limit));
	if (error->offset != ERROR_NO_OFFSET)
		buf_addf(out, ",\"offset\":%" PRIu64, error->offset);
	add_member(out, "request_id", problem->request_id);
	buf_add_char(out, '}');
}
