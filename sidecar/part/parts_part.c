// SPDX-License-Identifier: MIT
/* parts_part.c - what is remembered of one part: copies of what its head says, for the source's are gone with the next part. */
#include "part/parts_priv.h"

#include "base/mem.h"

static bool
copy_text(struct str from, struct str *to)
{
	char *copy;

	*to = STR_NONE;
	if (from.data == NULL)
		return true;
	copy = str_dup(from);
	*to = (struct str){ copy, from.len };
	return copy != NULL;
}

void
parts_free_part(struct part *part)
{
	if (part == NULL)
		return;
	mem_free((void *)(uintptr_t)part->field.data);
	mem_free((void *)(uintptr_t)part->filename.data);
	mem_free((void *)(uintptr_t)part->type.data);
	facts_free(&part->facts);
	buf_free(&part->value);
	mem_free(part);
}

struct part *
parts_new_part(const struct part_head *head)
{
	struct part *part = mem_zalloc(sizeof *part);

	if (part == NULL)
		return NULL;
	part->number = head->number;
	if (copy_text(head->field, &part->field) && copy_text(head->filename, &part->filename) &&
		copy_text(head->type, &part->type))
		return part;
	parts_free_part(part);
	return NULL;
}
