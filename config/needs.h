// SPDX-License-Identifier: MIT
/* needs.h - `needs` of a rule: the fields of which a form has to have brought a value before a part of the rule comes, or, with
 * `else: hold`, before it ends. {field.NAME} in the rule's names, metadata and header lines stands for such a value. check_needs.h has what the
 * keys cannot say by themselves. */
#ifndef PENSTOCK_NEEDS_H
#define PENSTOCK_NEEDS_H

#include "config/loading.h"

#define NEEDS_FIELDS_MAX 16u
#define NEEDS_FIELD_PATTERN "^[^*?]+$"

extern const struct key_table needs_keys;

/* Reader of KEY_FIELDS, as read.h has it. */
void needs_read_fields(struct loading *l, const struct key *key, const struct node *node, void *base);

/* After all rules have been linked: fills in `needed` of the route. */
void needs_link(struct loading *l, size_t route);

/* Calls `look` for each template from which names or header lines of the rule's objects are made. `nth`: of object_head_template();
 * NEEDS_OF_NAME: it is the name. */
#define NEEDS_OF_NAME SIZE_MAX
void needs_each_template(
	const struct rule *rule, void (*look)(void *arg, const struct template *t, size_t nth), void *arg);

#endif
