// SPDX-License-Identifier: MIT
/* value.h - one parameter's value in a Content-Disposition, as clients write it, and nothing that two parsers could read
 * differently (value.c says how). Pure; one thread. */
#ifndef PENSTOCK_VALUE_H
#define PENSTOCK_VALUE_H

#include "base/str.h"

#include <stdbool.h>

struct cursor {
	struct str rest;       /* what is still to be read */
	bool in_single_quotes; /* in the eyes of who knows them: an odd number of them in unquoted values so far */
	const char *why;       /* it is refused */
};

bool cursor_refuse(struct cursor *cursor, const char *why); /* always false; `why` is borrowed */
void cursor_advance(struct cursor *cursor, size_t n);
void cursor_skip_blanks(struct cursor *cursor);

/* Takes a value, quoted or not, and appends it decoded to `out`. False: cursor->why. Out of memory shows in `out`. */
bool value_take(struct cursor *cursor, struct buf *out);

/* Takes the value of name* or filename* as it stands, for value_decode_extended(). False: cursor->why. */
bool value_take_extended(struct cursor *cursor, struct buf *out);

/* ext-value of RFC 8187, charset'language'percent-encoded, appended as UTF-8. False: cursor->why. */
bool value_decode_extended(struct cursor *cursor, struct str s, struct buf *out);

/* Is `plain` the same name, or the same with %XX for what it holds, as older aiohttp sends it? */
bool value_says_the_same(struct str plain, struct str name);

#endif
