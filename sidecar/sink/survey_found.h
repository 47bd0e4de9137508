// SPDX-License-Identifier: MIT
/* survey_found.h - for kinds that find out about their abilities in no order, and note all of them at the end. Whatever asks for
 * an HTTP store first connects to it. */
#ifndef PENSTOCK_SURVEY_FOUND_H
#define PENSTOCK_SURVEY_FOUND_H

#include "config/peer.h"
#include "sink/survey.h"

#include <stdarg.h>

/* Of one ability. Zeroed: not tried. */
struct survey_found {
	enum survey_answer answer;
	char relied_on[64], sentence[256];
};

void survey_find(struct survey_found *to, bool can, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

/* Has somebody asked for the end? Then that is why nothing is known of the rest. */
bool survey_is_interrupted(const struct survey *survey, const char **why_not);

/* Blocks. Can it be connected to? False: no, or nobody knows; *why_not says why the rest is not tried. */
bool survey_reach(
	struct survey *survey, const struct http_peer *peer, struct survey_found *to, const char **why_not);

/* `why_not`: of what was not tried, unless it has a reason of its own; NULL: none. */
void survey_note_found(
	struct survey *survey, const char *ability, const struct survey_found *what, const char *why_not);

#endif
