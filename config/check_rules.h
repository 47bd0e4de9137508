// SPDX-License-Identifier: MIT
/* check_rules.h - the part of check.h that is about the field rules of one route. */
#ifndef PENSTOCK_CHECK_RULES_H
#define PENSTOCK_CHECK_RULES_H

#include "config/loading.h"

void check_rules_all(struct loading *l, size_t route);

/* Can this rule take more than one part of a form? */
bool check_rules_may_repeat(const struct route *route, const struct rule *rule);

#endif
