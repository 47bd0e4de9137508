// SPDX-License-Identifier: MIT
/* explain_cors.c - see explain_cors.h. */
#include "cmd/explain_cors.h"

#include "base/mem.h"
#include "reply/headers.h"

#include <stdio.h>

static json_t *
lines_json(const struct reply *reply)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < reply->n_headers; i++)
		if (json_array_append_new(
			    lines, json_sprintf("%s: %s", reply->headers[i].name, reply->headers[i].value)) != 0) {
			json_decref(lines);
			return NULL;
		}
	return lines;
}

json_t *
explain_cors_json(const struct config *config, const struct head *head, const struct decision *decision)
{
	struct reply_cors cors = headers_cors_of(config, head, decision->route, decision->is_preflight);
	struct reply *reply = mem_zalloc(sizeof *reply);
	json_t *lines;

	if (reply == NULL)
		return NULL;
	headers_add_cors(reply, &cors);
	lines = lines_json(reply);
	mem_free(reply);
	return lines;
}

void
explain_cors_print(const json_t *lines, void (*print)(struct str s, int width))
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		printf("answer ");
		print(str_of(json_string_value(line)), 0);
		puts("");
	}
}
