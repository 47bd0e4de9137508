// SPDX-License-Identifier: MIT
/* memory.c - see memory.h. How the pool shares its memory out is told in sidecar/channel/pool.h; tests/unit/test_queue.c sees to it
 * that both say the same. */
#include "config/memory.h"

#include "config/kind.h"
#include "config/scalar.h"

#include <inttypes.h>

#define PIECES_MIN 16u

uint64_t
memory_largest(const struct rule *rule, uint64_t body)
{
	return rule->action == ACTION_STORE && rule->max_size < body ? rule->max_size : body;
}

static uint64_t
memory_of_rule(const struct rule *rule, uint64_t body)
{
	const struct destination_kind *kind = rule->to != NULL ? rule->to->kind : NULL;
	uint64_t bytes;

	if (kind == NULL || kind->form_memory == NULL)
		return 0;
	bytes = kind->form_memory(rule->to->settings, memory_largest(rule, body));
	return (bytes + MEMORY_UNIT - 1) / MEMORY_UNIT * MEMORY_UNIT;
}

uint64_t
memory_of_route(const struct route *route, uint64_t body)
{
	uint64_t store = 0, concats = 0;

	for (size_t i = 0; i < route->n_rules; i++) {
		uint64_t bytes = memory_of_rule(&route->rules[i], body);

		if (route->rules[i].action == ACTION_CONCAT)
			concats += bytes;
		else if (bytes > store)
			store = bytes;
	}
	return store + concats;
}

static uint64_t
kept_pieces(uint64_t memory)
{
	uint64_t pieces = memory / MEMORY_UNIT > PIECES_MIN ? memory / MEMORY_UNIT : PIECES_MIN;

	return pieces / 4 * 3;
}

uint64_t
memory_kept(uint64_t memory)
{
	return kept_pieces(memory) * MEMORY_UNIT;
}

uint64_t
memory_for_values(uint64_t memory)
{
	return memory_kept(memory) / 3;
}

/* Of what may be kept an eighth, and what one more upload needs, is for those who are let in. */
uint64_t
memory_for_forms(uint64_t memory)
{
	uint64_t kept = kept_pieces(memory);

	return (kept - kept / 8 - 4) * MEMORY_UNIT;
}

/* No form needs more than one of unknown length. */
static bool
is_bounded(const struct route *route)
{
	return route->limits.body != LIMIT_NONE || memory_of_route(route, LIMIT_NONE - 1) <= route->memory;
}

void
memory_tell(const struct config *config, struct buf *out)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		const struct route *route = &config->routes[i];
		uint64_t n;

		if (route->memory == 0)
			continue;
		n = memory_for_forms(config->memory) / route->memory;
		buf_addf(out, "route \"%s\": a form needs %s", route->id, is_bounded(route) ? "up to " : "");
		scalar_add_size(out, route->memory);
		buf_addf(out,
			" of memory%s; there is enough for %" PRIu64
			" such upload%s at once, others wait for up to ",
			is_bounded(route) ? "" : ", and more if its Content-Length is very large", n, PLURAL(n));
		scalar_add_time(out, config->memory_wait_ms);
		buf_add_char(out, '\n');
	}
}
