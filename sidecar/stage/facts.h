// SPDX-License-Identifier: MIT
/* facts.h - what stages found out about one part: names and texts, in the order in which they were found. The summary,
 * `penstock explain` and the log print the whole list, so they need not know any stage. A zeroed list is empty. */
#ifndef PENSTOCK_FACTS_H
#define PENSTOCK_FACTS_H

#include "base/str.h"

#define FACTS_MAX 16 /* of one part; more is a bug */

struct fact {
	const char *name; /* static, lower case: the key in JSON and in the log */
	char *text;       /* printable ASCII */
};

struct facts {
	struct fact *list;
	size_t n;
};

/* Copies the text. The list must not have the name yet. False: out of memory. */
bool facts_add(struct facts *facts, const char *name, struct str text);

const char *facts_find(const struct facts *facts, const char *name); /* its text; NULL: not known */

/* Bytes that the facts take until the answer has been made, and the answer takes for them. */
size_t facts_memory(const struct facts *facts);

void facts_free(struct facts *facts); /* back to the empty list */

#endif
