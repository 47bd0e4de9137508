// SPDX-License-Identifier: MIT
/* rules.h - which rule of a route takes a part. Pure; one struct rules per form. */
#ifndef PENSTOCK_RULES_H
#define PENSTOCK_RULES_H

#include "base/error.h"
#include "config/route.h"

struct rules;

struct rules *rules_new(const struct route *route); /* NULL: out of memory; borrows the route */
void rules_free(struct rules *rules);               /* NULL is fine */

/* Finds the first rule that takes the next part, or the route's fallback. True: *rule is it (NULL: dropped by
 * `default: drop`). False: ERR_RULE (a rule rejects it, or none takes it), ERR_TOO_LARGE (max_count).
 * `nth` counts the parts that fit the rule's name and kind, whichever rule took them. */
bool rules_pick(struct rules *rules, struct str field, bool is_file, const struct rule **rule, struct error *err);

/* To be called when the form has ended. False: ERR_RULE names the first required rule that took no part. */
bool rules_finish(const struct rules *rules, struct error *err);

#endif
