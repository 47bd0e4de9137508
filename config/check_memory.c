// SPDX-License-Identifier: MIT
/* check_memory.c - see check_memory.h. */
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

/* It could never be let in. */
void
check_memory(struct loading *l, size_t at)
{
	const struct route *route = &l->config->routes[at];
	uint64_t most = memory_for_forms(l->config->memory);
	struct buf text = { 0 };

	if (l->config->memory == 0 || route->memory <= most)
		return;
	buf_add_text(&text, "a form of this route needs ");
	scalar_add_size(&text, route->memory);
	buf_add_text(&text, " at one time, and of `memory` it can have at most ");
	scalar_add_size(&text, most);
	if (text.failed)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, yaml_tree_spot_of(l->routes.items[at], "id"), "%s", text.data);
	buf_free(&text);
}
