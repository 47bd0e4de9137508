// SPDX-License-Identifier: MIT
/* object_head_read.h - how a route file says what the header lines of an object say of it (object_head.h). */
#ifndef PENSTOCK_OBJECT_HEAD_READ_H
#define PENSTOCK_OBJECT_HEAD_READ_H

#include "config/loading.h"
#include "config/object_head.h"

/* Readers of KEY_CONTENT_TYPE and KEY_METADATA, as read.h has them. */
void object_head_read_type(struct loading *l, const struct key *key, const struct node *node, void *base);
void object_head_read_metadata(struct loading *l, const struct key *key, const struct node *node, void *base);

/* Where in the file object_head_template(rule, nth) stands. `node` as below. */
const struct node *object_head_node(
	const struct loading *l, const struct rule *rule, const struct node *node, size_t nth);

/* When the rule's destination is known: whether that takes what the rule says, and whether the metadata that holds can be made.
 * `node`: the mapping below `store` or `concat`. Reports through l->diag. */
void object_head_link(
	struct loading *l, const struct route *route, const struct rule *rule, const struct node *node);

#endif
