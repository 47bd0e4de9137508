// SPDX-License-Identifier: MIT
/* arrivals.c - see arrivals.h. */
#include "part/arrivals.h"

#include "base/mem.h"
#include "config/app_names.h"
#include "config/needed.h"
#include "part/parts.h"

bool
arrivals_init(struct arrivals *arrivals, const struct route *route)
{
	*arrivals = (struct arrivals){ .route = route };
	if (route->n_needed > 0)
		arrivals->came = mem_array(route->n_needed, sizeof(struct part *));
	return route->n_needed == 0 || arrivals->came != NULL;
}

void
arrivals_fini(struct arrivals *arrivals)
{
	mem_free(arrivals->came);
	arrivals->came = NULL;
}

static const struct part *
find(const struct arrivals *arrivals, const char *name)
{
	const struct needed *needed = needed_find(arrivals->route, str_of(name));

	return needed != NULL ? arrivals->came[needed - arrivals->route->needed] : NULL;
}

const char *
arrivals_missing(const struct arrivals *arrivals, const struct rule *rule)
{
	for (size_t i = 0; i < rule->needs.fields.n; i++)
		if (find(arrivals, rule->needs.fields.items[i]) == NULL)
			return rule->needs.fields.items[i];
	return NULL;
}

static bool
refuse(struct error *err, const struct needed *needed, const char *what)
{
	error_set(err, ERR_RULE, "%s, but field \"%.64s\" needs one value of \"%.64s\"", what, needed->by->name,
		needed->name);
	error_name_limit(err, "needs");
	return false;
}

/* The application would get both, and might take the other one. */
static bool
refuse_lookalike(const struct arrivals *arrivals, const struct part *part, struct error *err)
{
	const struct route *route = arrivals->route;
	bool is_told = part->rule != NULL && part->rule->forward;

	for (size_t i = 0; is_told && i < route->n_needed; i++)
		if (app_names_are_one(part->field, str_of(route->needed[i].name)))
			return refuse(err, &route->needed[i], "the application may take it for another field");
	return true;
}

bool
arrivals_note(struct arrivals *arrivals, struct part *part, struct error *err)
{
	const struct needed *needed = needed_find(arrivals->route, part->field);
	size_t at;

	if (needed == NULL)
		return refuse_lookalike(arrivals, part, err);
	at = (size_t)(needed - arrivals->route->needed);
	if (part->filename.data != NULL)
		return refuse(err, needed, "it is a file");
	if (arrivals->came[at] != NULL)
		return refuse(err, needed, "it stands twice");
	arrivals->came[at] = part;
	part->is_named = needed->is_named;
	return true;
}

struct str
arrivals_value(const struct arrivals *arrivals, const char *name)
{
	const struct part *part = arrivals != NULL ? find(arrivals, name) : NULL;

	if (part == NULL)
		return STR_NONE;
	return part->value.len > 0 ? buf_str(&part->value) : STR("");
}
