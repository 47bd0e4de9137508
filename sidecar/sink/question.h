// SPDX-License-Identifier: MIT
/* question.h - what a request asks of an application, and what it gets for an answer: the interface that app/ask.c implements and
 * that a fake implements in unit tests. The calls stand in struct sinks (order.h).
 *
 *   ask ─▶ on_answer          once, later; never from within ask
 *    └───▶ ask_stop           before that: on_answer is not called any more
 *
 * All on the thread of the worker whose request asks. */
#ifndef PENSTOCK_QUESTION_H
#define PENSTOCK_QUESTION_H

#include "base/error.h"
#include "base/str.h"
#include "channel/blocks.h"
#include "config/route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asking; /* one question under way: the implementation's */

/* Of a question, or of its answer: there `value` has no blanks at its ends, and no control byte but tabs. */
struct question_line {
	const char *name, *value;
};

/* Lines are collected as text, which moves while it grows, "name NUL value NUL ...", and found in it when all are there. */
void question_lines_add(struct buf *text, struct str name, struct str value);
struct question_line *question_lines_find(
	const struct buf *text, size_t n); /* the caller frees them; NULL: out of memory */

/* One request to an application. Borrowed until the answer or ask_stop(), with all that it points to. */
struct question {
	const struct destination *to; /* of a kind with KIND_APPLICATION */
	const char *method;
	const char *target;                /* behind the URL of `to`: "" or "/path?query", as it is sent */
	const char *purpose;               /* "authorize", "form", "failed", "resolve": is signed */
	const struct sign *for_signature;  /* NULL, or without a key: no Penstock-Signature */
	const char *request_id;            /* is sent as X-Request-Id, and signed */
	const char *traceparent;           /* NULL: none is sent */
	const struct question_line *lines; /* further ones, in this order; no two that are meant to stand once */
	size_t n_lines;
	const char *type; /* Content-Type of the body; NULL: there is no body */
	struct str body;
	uint64_t timeout_ms; /* from now until all of the answer is there */
	size_t answer_max;   /* bytes of the answer's body; a longer one is an error */
	const char *const *
		wanted; /* names of the answer's lines that are kept, in lower case; one that ends in '*' stands for all
				    * that begin so; NULL at the end */
	struct blocks *
		blocks; /* what the question costs, its lines included but not its body, and all that is kept of its answer, is charged here until
				* app_answer_free() */
};

/* Either whole, or an error. The caller of on_answer frees it; who wants it for longer takes it over by app_answer_take(). */
struct app_answer {
	struct error error;    /* ERR_NONE; else why there is none: ERR_UPSTREAM (not reachable, broken, too long),
			     * ERR_UPSTREAM_TIMEOUT, or what this machine lacks */
	bool may_have_arrived; /* with an error: all of the question may be with the application */
	unsigned status;       /* 200 to 599 */
	struct question_line
		*lines; /* those that are wanted, in the order in which they came, repeated ones apart */
	size_t n_lines;
	struct buf body;
	/* its memory */
	struct buf text;
	struct blocks *blocks;
	size_t charge;
};

/* The value of its `nth` line of this name (in any case), from 0; NULL: there are not so many. */
const char *app_answer_value(const struct app_answer *answer, const char *name, size_t nth);

void app_answer_take(struct app_answer *to, struct app_answer *from); /* `from` is empty then */
void app_answer_free(struct app_answer *answer);                      /* back to the zeroed state */

#endif
