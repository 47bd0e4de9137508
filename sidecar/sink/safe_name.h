// SPDX-License-Identifier: MIT
/* safe_name.h - what of a client's text may stand in the name of an object: one rule, whatever kind of place the object
 * goes to. Every name is written through this, piece by piece.
 *
 * The template alone says how many segments a name has. No value that a client has chosen adds one or takes one away, neither by
 * itself nor together with the text and the values beside it, and not even where a server decodes the name twice or resolves its
 * dots:
 *
 *   what a value brings into a segment               http, s3       directory
 *   '/', '\', control byte, overlong form of UTF-8   '_'            %XX
 *   '%' that two hex digits follow                   '_'            %25
 *   a byte that is not UTF-8                         %XX, s3: '_'   %XX
 *   any other '%'                                    %XX            %XX
 *   any other byte                                   %XX, unless unreserved (RFC 3986 section 2.3); as it is
 *   nothing: the segment would be empty              '_'            '_'
 *   a segment "." or "..", also before a ';'         dots are '_'   dots are '_'
 *   ".penstock-" (any case) in front                                '_' for the dot
 *
 * A name that is too long (a file name, a key, a URL's path) is refused, or shortened: long_name.c says how.
 *
 * The segment is judged after it was decoded once. So nothing is left in an http name that a second decoding would change. A file
 * system decodes nothing, so a folder keeps what was sent. "%2F" and "%5C" in a template's own text for http count as '/',
 * because a server that decodes them cuts the name there. With `names.unsafe: refuse` the form is refused where the table would
 * change a value; what is merely encoded (any other '%' or byte) is no reason.
 *
 * Any thread; one name at a time. What the template itself may say is checked when the route file is read
 * (config/segments.h).
 */
#ifndef PENSTOCK_SAFE_NAME_H
#define PENSTOCK_SAFE_NAME_H

#include "base/error.h"
#include "config/route.h"

#define SAFE_NAME_MAX 2048        /* bytes of a whole name, as it is sent ... */
#define SAFE_NAME_KEY_MAX 1024    /* ... and of a key, as it is meant */
#define SAFE_NAME_SEGMENT_MAX 255 /* bytes, of a file name (NAME_MAX) */
#define SAFE_NAME_GIVERS_MAX 16   /* values of one segment that are told apart in a refusal */

struct safe_name {
	const struct destination *to;
	struct buf *out;
	bool shortens;           /* one that is too long */
	struct buf bytes, marks; /* of the name until its end: decoded once, and who gave each byte */
	size_t segment;          /* where in them the one begins that is being gathered */
	const char
		*givers[SAFE_NAME_GIVERS_MAX]; /* placeholders that gave the segment a value, also an empty one */
	size_t n_givers;
	struct error error;
};

/* The name is appended to `out` at the end; both are borrowed until then. `shortens`: values of one that is too long are cut. */
void safe_name_begin(struct safe_name *name, const struct destination *to, bool shortens, struct buf *out);

/* Text of the template, or of its date. */
void safe_name_text(struct safe_name *name, struct str text);

/* A value that a client may have chosen; `placeholder`, borrowed until the end, is named where it is refused. */
void safe_name_value(struct safe_name *name, const char *placeholder, struct str value);

/* Text of our own, which is written as it is: a UUID, a number. */
void safe_name_plain(struct safe_name *name, struct str text);

/* The same where a name is only shown: in place of a text of `len` bytes, as long as which it counts. */
void safe_name_stand_in(struct safe_name *name, struct str text, size_t len);

/* If the last byte that was written is a dot, takes it away again. */
void safe_name_drop_dot(struct safe_name *name);

/* Frees what it holds. False: ERR_RULE (refused, or a segment too long for a file system), or ERR_NOMEM. */
bool safe_name_end(struct safe_name *name, struct error *err);

/* Whether a whole name is short enough for that destination. False: ERR_RULE. */
bool safe_name_fits(const struct destination *to, struct str name, struct error *err);

#endif
