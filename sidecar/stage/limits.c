// SPDX-License-Identifier: MIT
/* limits.c - the stage that counts bytes: `max_size` and `min_size` of the part's rule, and `values` of the route over all parts
 * without a filename. It looks at every part, also at one that is thrown away. The offset of a refusal is that of the first
 * byte too many, so it is the same however the body is cut. */
#include "base/str.h"
#include "stage/stage.h"

#include <inttypes.h>
#include <stdio.h>

extern const struct stage limits_stage;

struct counted {
	uint64_t values; /* bytes of value parts of the form so far */
};

static bool
over(struct error *err, const char *limit, uint64_t max, uint64_t offset)
{
	error_set(err, ERR_TOO_LARGE, "over %s of %" PRIu64 " byte%s", limit, max, PLURAL(max));
	snprintf(err->limit, sizeof err->limit, "%s", limit);
	err->offset = offset;
	return false;
}

static bool
look(void *arg, const struct stage_part *part, const char *data, size_t len, struct error *err)
{
	struct counted *counted = arg;
	uint64_t max = part->rule != NULL ? part->rule->max_size : LIMIT_NONE;
	uint64_t max_values = part->route->limits.values, left_values = max_values - counted->values;
	bool is_value = part->filename.data == NULL, is_over_values = is_value && len > left_values;

	(void)data;
	/* A piece may pass both limits: the one that is passed first in the body is reported. */
	if (part->size + len > max && !(is_over_values && part->size + left_values < max))
		return over(err, "max_size", max, part->data_at + max);
	if (is_over_values)
		return over(err, "values", max_values, part->data_at + part->size + left_values);
	if (is_value)
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
	snprintf(err->limit, sizeof err->limit, "min_size");
	err->offset = part->data_at + part->size;
	return false;
}

const struct stage limits_stage = { .size = sizeof(struct counted), .look = look, .end = end };
