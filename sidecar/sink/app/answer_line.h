// SPDX-License-Identifier: MIT
/* answer_line.h - pure: the lines in the head of an application's answer, looked at one after the other: is one of them a reason why
 * nobody could tell what the answer says? Any thread. */
#ifndef PENSTOCK_APP_ANSWER_LINE_H
#define PENSTOCK_APP_ANSWER_LINE_H

#include "base/str.h"

#include <stdbool.h>

/* Zeroed before the first line of a head. */
struct answer_lines {
	unsigned seen;
};

/* `value` without blanks at its ends; `is_wanted`: the client may get it. NULL: there is nothing wrong with it; else what is, a constant
 * (RFC 9110 sections 5.3 and 5.5, RFC 9112 section 6.3). */
const char *answer_lines_look(struct answer_lines *lines, struct str name, struct str value, bool is_wanted);

#endif
