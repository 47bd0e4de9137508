// SPDX-License-Identifier: MIT
/* answer.c - the lines of a question or an answer, and what an application has answered (sink/question.h). */
#include "sink/question.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

void
question_lines_add(struct buf *text, struct str name, struct str value)
{
	buf_add_str(text, name);
	buf_add_char(text, '\0');
	buf_add_str(text, value);
	buf_add_char(text, '\0');
}

struct question_line *
question_lines_find(const struct buf *text, size_t n)
{
	struct question_line *lines = mem_array(n, sizeof *lines);
	const char *at = text->data;

	for (size_t i = 0; lines != NULL && i < n; i++) {
		const char *value = at + strlen(at) + 1;

		lines[i] = (struct question_line){ at, value };
		at = value + strlen(value) + 1;
	}
	return lines;
}

const char *
app_answer_value(const struct app_answer *answer, const char *name, size_t nth)
{
	for (size_t i = 0; i < answer->n_lines; i++)
		if (strcasecmp(answer->lines[i].name, name) == 0 && nth-- == 0)
			return answer->lines[i].value;
	return NULL;
}

void
app_answer_take(struct app_answer *to, struct app_answer *from)
{
	*to = *from;
	*from = (struct app_answer){ 0 };
}

void
app_answer_free(struct app_answer *answer)
{
	mem_free(answer->lines);
	buf_free(&answer->text);
	buf_free(&answer->body);
	if (answer->charge > 0)
		blocks_discharge(answer->blocks, answer->charge);
	*answer = (struct app_answer){ 0 };
}
