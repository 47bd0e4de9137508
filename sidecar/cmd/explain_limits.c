// SPDX-License-Identifier: MIT
/* explain_limits.c - see explain_limits.h. */
#include "cmd/explain_limits.h"

#include <inttypes.h>
#include <stdio.h>

#define N_ROWS 6

struct row {
	const char *name, *unit;
	uint64_t value;
};

static size_t
list(const struct limits *limits, struct row rows[static N_ROWS])
{
	const struct row all[N_ROWS] = {
		{ "concurrent", "", limits->concurrent },
		{ "per_client.uploads", "", limits->per_client.uploads },
		{ "per_client.connections", "", limits->per_client.connections },
		{ "per_client.rate", " bytes/s", limits->per_client.rate },
		{ "rate", " bytes/s", limits->rate },
		{ "min_rate", " bytes/s", limits->min_rate > 0 ? limits->min_rate : LIMIT_NONE },
	};
	size_t n = 0;

	for (size_t i = 0; i < N_ROWS; i++)
		if (all[i].value != LIMIT_NONE)
			rows[n++] = all[i];
	return n;
}

json_t *
explain_limits_json(const struct limits *limits)
{
	struct row rows[N_ROWS];
	size_t n = list(limits, rows);
	json_t *told = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(told, rows[i].name, json_integer((json_int_t)rows[i].value));
	return told;
}

void
explain_limits_print(const struct limits *limits)
{
	struct row rows[N_ROWS];
	size_t n = list(limits, rows);

	for (size_t i = 0; i < n; i++)
		printf("%s%s %" PRIu64 "%s", i == 0 ? "depends on " : ", ", rows[i].name, rows[i].value,
			rows[i].unit);
	if (n > 0)
		puts("");
}
