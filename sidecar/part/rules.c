// SPDX-License-Identifier: MIT
/* rules.c - see rules.h. */
#include "part/rules.h"

#include "base/mem.h"
#include "part/field_error.h"

#include <inttypes.h>
#include <stdio.h>

struct count {
	uint64_t seen;  /* parts that fit name and kind */
	uint64_t taken; /* parts that this rule took */
};

struct rules {
	const struct route *route;
	struct count counts[];
};

struct rules *
rules_new(const struct route *route)
{
	struct rules *rules = mem_zalloc(sizeof *rules + route->n_rules * sizeof rules->counts[0]);

	if (rules != NULL)
		rules->route = route;
	return rules;
}

void
rules_free(struct rules *rules)
{
	mem_free(rules);
}

static bool
fits(const struct rule *rule, struct str field, bool is_file)
{
	if (rule->kind == PART_FILE && !is_file)
		return false;
	if (rule->kind == PART_VALUE && is_file)
		return false;
	return glob_match(str_of(rule->name), field);
}

/* Names the field in the error, so that an answer can point at it. Always false. */
static bool
refuse(struct error *err, enum error_kind kind, struct str field, const char *limit, const char *why)
{
	error_set(err, kind, "%s", why);
	error_name_limit(err, limit);
	return field_error(err, field);
}

static const struct rule *
first_fit(struct rules *rules, struct str field, bool is_file)
{
	const struct rule *found = NULL;

	for (size_t i = 0; i < rules->route->n_rules; i++) {
		const struct rule *rule = &rules->route->rules[i];

		if (!fits(rule, field, is_file))
			continue;
		rules->counts[i].seen++;
		if (found == NULL && (rule->nth == 0 || rule->nth == rules->counts[i].seen))
			found = rule;
	}
	return found;
}

bool
rules_pick(struct rules *rules, struct str field, bool is_file, const struct rule **rule, struct error *err)
{
	const struct rule *found = first_fit(rules, field, is_file);
	char why[80];

	*rule = found;
	if (found == NULL) {
		if (rules->route->fallback == ACTION_DROP)
			return true;
		return refuse(err, ERR_RULE, field, "", "no rule of this route takes it");
	}
	if (found->action == ACTION_REJECT)
		return refuse(err, ERR_RULE, field, "", "this route rejects it");
	if (rules->counts[found->index].taken >= found->max_count) {
		snprintf(why, sizeof why, "more than %" PRIu64 " part%s", found->max_count,
			PLURAL(found->max_count));
		return refuse(err, ERR_TOO_LARGE, field, "max_count", why);
	}
	rules->counts[found->index].taken++;
	return true;
}

bool
rules_finish(const struct rules *rules, struct error *err)
{
	for (size_t i = 0; i < rules->route->n_rules; i++) {
		const struct rule *rule = &rules->route->rules[i];

		if (rule->required && rules->counts[i].taken == 0)
			return refuse(err, ERR_RULE, str_of(rule->name), "", "it is required and missing");
	}
	return true;
}
