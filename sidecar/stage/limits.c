// SPDX-License-Identifier: MIT
/* limits.c - the stage that counts bytes: `max_size` and `min_size` of the part's rule, and `values` of the route over all parts
 * without a filename, and what a value of which names are made may have. It looks at every part, also at one that is thrown away. The offset of a refusal is that of the first
 * byte too many, so it is the same however the body is cut. */
#include "base/str.h"
#include "config/needed.h"
#include "stage/stage.h"

#include <inttypes.h>

extern const struct stage limits_stage;

struct counted {
	uint64_t values; /* bytes of value parts of the form so far */
	bool is_named;   /* names are made of the part's value */
};

/* What a part may still have, by one of the limits. */
struct bound {
	const char *limit, *why; /* why: NULL if the limit says it */
	uint64_t max, left;
};

static bool
over(struct error *err, const struct bound *bound, uint64_t offset)
{
	if (bound->why != NULL)
		error_set(err, ERR_TOO_LARGE, "over %" PRIu64 " bytes: %s", bound->max, bound->why);
	else
		error_set(err, ERR_TOO_LARGE, "over %s of %" PRIu64 " byte%s", bound->limit, bound->max,
			PLURAL(bound->max));
	error_name_limit(err, bound->limit);
	err->offset = offset;
	return false;
}

static bool
is_value(const struct stage_part *part)
{
	return part->filename.data == NULL;
}

static bool
begin(void *arg, const struct stage_part *part, struct error *err)
{
	const struct needed *needed = is_value(part) ? needed_find(part->route, part->field) : NULL;
	struct counted *counted = arg;

	(void)err;
	counted->is_named = needed != NULL && needed->is_named;
	return true;
}

/* A piece may pass several limits: the one that is passed first in the body is reported. */
static struct bound
narrowest(const struct counted *counted, const struct stage_part *part)
{
	uint64_t max = part->rule != NULL ? part->rule->max_size : LIMIT_NONE, values = part->route->limits.values;
	struct bound bound = { "max_size", NULL, max, max - part->size };

	if (counted->is_named && NEEDED_VALUE_MAX - part->size < bound.left)
		bound = (struct bound){ "needs", "a name is made of it", NEEDED_VALUE_MAX,
			NEEDED_VALUE_MAX - part->size };
	if (is_value(part) && values - counted->values < bound.left)
		bound = (struct bound){ "values", NULL, values, values - counted->values };
	return bound;
}

static bool
look(void *arg, const struct stage_part *part, const char *data, size_t len, struct error *err)
{
	struct counted *counted = arg;
	struct bound bound = narrowest(counted, part);

	(void)data;
	if (len > bound.left)
		return over(err, &bound, part->data_at + part->size + bound.left);
	if (is_value(part))
		counted->values += len;
	return true;
}

/* Whether a part is too small is known at its end only. */
static bool
end(void *arg, const struct stage_part *part, struct error *err)
{
	const struct rule *rule = part->rule;

	(void)arg;
	if (rule == NULL || part->size >= rule->min_size)
		return true;
	if (part->size > 0)
		error_set(err, ERR_RULE, "under min_size of %" PRIu64 " bytes", rule->min_size);
	else
		error_set(err, ERR_RULE, rule->required ? "it is required and empty" : "it is empty");
	error_name_limit(err, "min_size");
	err->offset = part->data_at + part->size;
	return false;
}

const struct stage limits_stage = { .size = sizeof(struct counted), .begin = begin, .look = look, .end = end };
