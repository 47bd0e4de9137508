// SPDX-License-Identifier: MIT
/* check_memory.c - see check_memory.h. An error is what lets in no form at all; where only the largest could not be taken, small ones run well,
 * so that is a warning. */
#include "config/check_memory.h"

#include "config/memory.h"
#include "config/scalar.h"

void
check_memory_note(struct loading *l)
{
	const struct node *memory = NULL;

	for (size_t i = 0; i < l->n_files && memory == NULL; i++)
		memory = yaml_tree_get(l->files[i].root, "memory");
	if (memory != NULL)
		diag_note(l->diag, memory->spot, "memory is set here");
}

/* `what` and `bytes` and `why` are one sentence. */
static void
warn(struct loading *l, struct spot spot, const char *what, uint64_t bytes, const char *why)
{
	struct buf text = { 0 };

	buf_add_text(&text, what);
	scalar_add_size(&text, bytes);
	buf_add_text(&text, why);
	diag_warn_take(l->diag, spot, &text);
	check_memory_note(l);
}

/* -- what an application is told ------------------------------------------------------------------------- */

static uint64_t
add_up(uint64_t a, uint64_t b)
{
	return a > LIMIT_NONE - b ? LIMIT_NONE : a + b;
}

/* Bytes of all parts that the rule may take of one form. */
static uint64_t
most_of_rule(const struct route *route, const struct rule *rule)
{
	uint64_t count = rule->max_count < route->limits.parts ? rule->max_count : route->limits.parts;

	if (rule->nth > 0)
		count = 1;
	return count > 0 && rule->max_size > LIMIT_NONE / count ? LIMIT_NONE : rule->max_size * count;
}

static uint64_t
most_forwarded(const struct route *route)
{
	uint64_t most = 0;

	for (size_t i = 0; i < route->n_rules; i++)
		if (route->rules[i].forward)
			most = add_up(most, most_of_rule(route, &route->rules[i]));
	if (most > route->limits.values)
		most = route->limits.values;
	return most < route->limits.body ? most : route->limits.body;
}

/* Other values go to their stores as they come, however long they are. */
static void
check_values(struct loading *l, const struct route *route, const struct node *node)
{
	uint64_t most = memory_for_values(l->config->memory);

	if (route->limits.values != LIMIT_NONE && most_forwarded(route) > most)
		warn(l, yaml_tree_spot_of(yaml_tree_get(node, "limits"), "values"),
			"values: never reached: the application can be told of at most ", most,
			" of values, a quarter of `memory`; a form that forwards more is 503");
}

static void
check_answer(struct loading *l, const struct route *route, const struct node *node)
{
	uint64_t most = memory_kept(l->config->memory);

	if (route->app.answer > most)
		warn(l, yaml_tree_spot_of(yaml_tree_get(node, "app"), "answer"), "answer: never reached: at most ",
			most, " of it, three quarters of `memory`, can be held; a longer one counts as none");
}

/* -- what is set aside for a form -------------------------------------------------------------------------- */

/* It could never be let in. */
static void
check_forms(struct loading *l, size_t at)
{
	const struct route *route = &l->config->routes[at];
	uint64_t most = memory_for_forms(l->config->memory);
	struct buf text = { 0 };

	if (route->memory <= most)
		return;
	buf_add_text(&text, "a form of this route needs ");
	scalar_add_size(&text, route->memory);
	buf_add_text(&text, " at one time, and of `memory` it can have at most ");
	scalar_add_size(&text, most);
	diag_error_take(l->diag, yaml_tree_spot_of(l->routes.items[at], "id"), &text);
}

void
check_memory(struct loading *l, size_t at)
{
	const struct route *route = &l->config->routes[at];
	const struct node *node = l->routes.items[at];

	if (l->config->memory == 0)
		return;
	check_forms(l, at);
	if (!route->app.is_said || node->kind != NODE_MAP)
		return;
	check_values(l, route, node);
	check_answer(l, route, node);
}
