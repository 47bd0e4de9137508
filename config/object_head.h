// SPDX-License-Identifier: MIT
/* object_head.h - `content_type`, `content_disposition`, `metadata`, `headers` and `pass`: what the header lines of an object say of it. A rule may have
 * them, and a destination for all rules that do not say it themselves. */
#ifndef PENSTOCK_OBJECT_HEAD_H
#define PENSTOCK_OBJECT_HEAD_H

#include "config/route.h"

#define METADATA_LINES_MAX 32u
#define METADATA_OWN_NAME "penstock-id" /* the name that is penstock's own */
#define HEADERS_MAX 64u                 /* lines of one mapping `headers` */
#define PASS_MAX 32u                    /* names of one list `pass` */
#define CONTENT_TYPE_MAX 127u           /* bytes */

/* Those that RFC 9530 has not deprecated. */
#define OBJECT_HEAD_DIGESTS ((unsigned)DIGEST_SHA256 | (unsigned)DIGEST_SHA512)

/* Pure. What holds for the objects of a rule whose destination is known: what it says itself, else what the destination says, else
 * that they have the type that the client declared and nothing more. Borrowed from both; nothing in it is UNSAID. */
struct object_head object_head_of(const struct rule *rule);

/* Pure. Of a rule whose destination is known: each template of which its header lines are made, and each name of a client's header that
 * goes with its objects: what the destination has, then its own. NULL: no more. */
const struct template *object_head_template(const struct rule *rule, size_t nth);
const char *object_head_passed(const struct rule *rule, size_t nth);

/* Pure. Does a Content-Digest go with each object of a rule whose destination is known? Then the rule has one of OBJECT_HEAD_DIGESTS
 * made of each part. */
bool object_head_says_digest(const struct rule *rule);

/* Pure. The lines that a destination has for the requests of all rules; none, if its kind has no such. */
const struct header_lines *object_head_lines_of(const struct destination *to);

bool object_head_is_secret(const char *name); /* what stands in such a line is shown to nobody */

/* Pure. Has anybody to know what the first bytes of the rule's parts are, for what the objects are called, or for what is said of
 * them? For a rule whose destination is known. */
bool object_head_wants_detected(const struct rule *rule);

void object_head_free(struct object_head *head); /* what it holds */

/* Pure. Appends the value of a line of metadata as it is sent: printable ASCII, whatever it was. Every other byte, '%', and a blank
 * that a parser of header lines would drop (at an end, or behind another one) is %XX; so whoever decodes that has the value. */
void object_head_escape(struct buf *out, struct str value);

/* Pure. Bytes that object_head_escape() makes, at the least, of what a template stands for. */
size_t object_head_shortest(const struct template *value);

#endif
