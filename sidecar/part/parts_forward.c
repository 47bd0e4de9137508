// SPDX-License-Identifier: MIT
/* parts_forward.c - values that the application of the route gets: they are kept, and none may have the name of a file that the
 * application is told of. */
#include "config/app_names.h"
#include "part/field_error.h"
#include "part/parts_priv.h"

/* Of a value that no rule stores. */
static bool
has_reserved_name(const struct parts *parts, const struct part_head *head)
{
	enum action action = parts->current->action;

	return head->filename.data == NULL && action != ACTION_STORE && action != ACTION_CONCAT &&
		app_names_reserve(parts->setup.route, head->field);
}

static bool
refuse(struct parts *parts, const struct part_head *head, const struct error *why)
{
	parts->current->action = ACTION_REJECT;
	parts->error = *why;
	parts->error.offset = head->offset;
	return false;
}

bool
parts_pick_rule(struct parts *parts, const struct part_head *head)
{
	struct part *part = parts->current;
	struct error why = { 0 }, name = { 0 };
	bool is_taken = rules_pick(parts->rules, head->field, head->filename.data != NULL, &part->rule, &why);

	part->action = part->rule != NULL ? part->rule->action : ACTION_DROP;
	if (has_reserved_name(parts, head)) {
		error_set(&name, ERR_BAD_REQUEST, "a value has the name of a file that the application is told of");
		field_error(&name, head->field);
		return refuse(parts, head, &name);
	}
	return is_taken || refuse(parts, head, &why);
}

#define VALUE_MIN 64u /* bytes of the smallest buffer */

/* The buffer grows to at most twice of what is in it. */
bool
parts_keep_value(struct parts *parts, const char *data, size_t len)
{
	struct buf *value = &parts->current->value;

	if (!parts_charge(parts, 2 * len + (value->len == 0 ? VALUE_MIN : 0)))
		return false;
	buf_add(value, data, len);
	return !value->failed || error_nomem(&parts->error);
}
