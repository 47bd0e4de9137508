// SPDX-License-Identifier: MIT
/* taker.c - see taker.h. */
#include "config/taker.h"

static bool
takes(const struct rule *rule, const char *field, enum part_kind kind)
{
	return rule->name != NULL && (rule->kind == PART_ANY || rule->kind == kind) && rule->nth <= 1 &&
		glob_match(str_of(rule->name), str_of(field));
}

size_t
taker_find(const struct route *route, const char *field, enum part_kind kind)
{
	size_t i = 0;

	while (i < route->n_rules && !takes(&route->rules[i], field, kind))
		i++;
	return i;
}

bool
taker_can_be_told(const struct route *route)
{
	for (size_t i = 0; i < route->n_rules; i++)
		if (route->rules[i].name == NULL)
			return false;
	return true;
}
