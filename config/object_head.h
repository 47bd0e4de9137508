// SPDX-License-Identifier: MIT
/* object_head.h - `content_type`, `content_disposition` and `metadata`: what the header lines of an object say of it. A rule may have
 * them, and a destination for all rules that do not say it themselves. */
#ifndef PENSTOCK_OBJECT_HEAD_H
#define PENSTOCK_OBJECT_HEAD_H

#include "config/route.h"

struct key;
struct loading;
struct node;

#define METADATA_LINES_MAX 32u
#define METADATA_OWN_NAME "penstock-id" /* the name that is penstock's own */
#define CONTENT_TYPE_MAX 127u           /* bytes */

/* Readers of KEY_CONTENT_TYPE and KEY_METADATA, as read.h has them. */
void object_head_read_type(struct loading *l, const struct key *key, const struct node *node, void *base);
void object_head_read_metadata(struct loading *l, const struct key *key, const struct node *node, void *base);

/* Pure. What holds for the objects of a rule whose destination is known: what it says itself, else what the destination says, else
 * that they have the type that the client declared and nothing more. Borrowed from both; nothing in it is UNSAID. */
struct object_head object_head_of(const struct rule *rule);

/* When the rule's destination is known: whether that takes what the rule says, and whether the metadata that holds can be made.
 * `node`: the mapping below `store` or `concat`. Reports through l->diag. */
void object_head_link(
	struct loading *l, const struct route *route, const struct rule *rule, const struct node *node);

/* Pure. Has anybody to know what the first bytes of the rule's parts are, for what the objects are called, or for what is said of
 * them? For a rule whose destination is known. */
bool object_head_wants_detected(const struct rule *rule);

void object_head_free(struct object_head *head); /* what it holds */

/* Pure. Appends the value of a line of metadata as it is sent: printable ASCII, whatever it was. Every other byte, '%', and a blank
 * that a parser of header lines would drop (at an end, or behind another one) is %XX; so whoever decodes that has the value. */
void object_head_escape(struct buf *out, struct str value);

#endif
