// SPDX-License-Identifier: MIT
/* parts_needs.c - when a part gets its name: as it begins, if all has come of which the name is made; or, where its rule says
 * `else: hold`, when the form has ended. Until then its bytes lie under a temporary name. */
#include "part/field_error.h"
#include "part/parts_priv.h"

static bool
refuse_missing(struct error *err, const char *missing, const char *when)
{
	error_set(err, ERR_RULE, "it needs the field \"%.64s\", which %s", missing, when);
	error_name_limit(err, "needs");
	return false;
}

/* Before the part itself is noted: it does not bring what it needs. */
static bool
has_what_it_needs(struct parts *parts)
{
	const struct rule *rule = parts->current->rule;
	const char *missing = rule != NULL && !rule->needs.holds ? arrivals_missing(&parts->arrivals, rule) : NULL;

	return missing == NULL || refuse_missing(&parts->error, missing, "has to come before it in the form");
}

bool
parts_meet_needs(struct parts *parts, const struct part_head *head)
{
	if (has_what_it_needs(parts) && arrivals_note(&parts->arrivals, parts->current, &parts->error))
		return true;
	parts->error.offset = head->offset;
	return field_error(&parts->error, head->field);
}

struct named_part
parts_named(const struct parts *parts, const struct part *part, const struct part_head *head)
{
	return (struct named_part){ .head = head,
		.detected_type = str_of(facts_find(&part->facts, STAGE_DETECTED_TYPE)),
		.arrivals = &parts->arrivals };
}

bool
parts_name(struct parts *parts, const struct part *part, const struct part_head *head)
{
	const struct naming *naming = parts->setup.naming;
	struct named_part named = parts_named(parts, part, head);
	struct delivery *delivery = part->delivery;

	if (!naming_expand(naming, part->rule, &named, &delivery->target, &parts->error))
		return false;
	if (!names_add(&parts->names, delivery))
		return error_set(&parts->error, ERR_RULE, "it would get the name of another part of the form");
	return !naming->want_shown || naming_show(naming, part->rule, &named, &delivery->shown, &parts->error);
}

/* -- at the end of the form ------------------------------------------------------------------------------ */

/* The head itself has gone with its part. */
static bool
name_now(struct parts *parts, const struct part *part)
{
	struct part_head head = {
		.number = part->number, .field = part->field, .filename = part->filename, .type = part->type
	};
	const char *missing = arrivals_missing(&parts->arrivals, part->rule);

	if (missing != NULL)
		return refuse_missing(&parts->error, missing, "has not come with the form");
	if (!parts_name(parts, part, &head))
		return false;
	delivery_set_target(part->delivery);
	return parts_charge(parts, 2 * part->delivery->target.cap) || error_no_room(&parts->error, "for its name");
}

/* Of a concat the first part gives the name. */
static bool
is_unnamed(const struct part *part)
{
	return part->delivery != NULL && part->rule->needs.holds && part->delivery->target.len == 0;
}

bool
parts_name_held(struct parts *parts, struct error *err)
{
	for (const struct part *part = parts->first; part != NULL; part = part->next)
		if (is_unnamed(part) && !name_now(parts, part)) {
			field_error(&parts->error, part->field);
			error_keep_first(err, &parts->error);
			return false;
		}
	return true;
}
