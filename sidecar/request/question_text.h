// SPDX-License-Identifier: MIT
/* question_text.h - what a question to an application says of a request (sink/question.h): the header lines, whose text is made while
 * there is a client, because its headers can be asked for no longer. On the request's thread. */
#ifndef PENSTOCK_QUESTION_TEXT_H
#define PENSTOCK_QUESTION_TEXT_H

#include "config/route.h"
#include "request/identity.h"
#include "route/head.h"
#include "sink/question.h"

/* Zeroed is empty. */
struct question_text {
	struct buf text; /* name NUL value NUL ... */
	struct question_line *lines;
	size_t n_lines;
};

/* STR_NONE: nothing. */
void question_text_add(struct question_text *to, const char *name, struct str value);

/* All values of the headers that are passed on. A client's Penstock-* is never among them (config/texts.c). */
void question_text_add_passed(struct question_text *to, const struct head *head, const struct texts *pass);

/* X-Forwarded-Method, -Proto, -Host, -Uri and -For, and X-Penstock-Route. */
void question_text_add_forwarded(
	struct question_text *to, const struct head *head, const struct identity *identity, const char *route);

/* After all was added: makes `lines` and `n_lines`. False: out of memory. */
bool question_text_end(struct question_text *to);

void question_text_free(struct question_text *to); /* back to the zeroed state */

#endif
