// SPDX-License-Identifier: MIT
/* would.c - see would.h. */
#include "sink/would.h"

#include "base/must.h"

struct would_step *
would_add(struct would *would, enum would_when when, const char *call)
{
	struct would_step *step = &would->steps[would->n];

	must(would->n < WOULD_STEPS_MAX);
	would->n++;
	*step = (struct would_step){ .when = when, .call = call, .bytes = WOULD_NO_BODY, .times = 1 };
	return step;
}

void
would_line(struct would_step *step, const char *name, const char *value)
{
	if (value != NULL)
		buf_addf(&step->lines, "%s: %s\n", name, value);
}

void
would_line_of_file(struct would_step *step, const struct header_line *line)
{
	would_line(step, line->name, "{of the route file}");
}

bool
would_has_failed(const struct would *would)
{
	for (size_t i = 0; i < would->n; i++)
		if (would->steps[i].target.failed || would->steps[i].lines.failed)
			return true;
	return false;
}

void
would_free(struct would *would)
{
	for (size_t i = 0; i < would->n; i++) {
		buf_free(&would->steps[i].target);
		buf_free(&would->steps[i].lines);
	}
	would->n = 0;
}
