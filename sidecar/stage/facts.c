// SPDX-License-Identifier: MIT
/* facts.c - see facts.h. Most parts have none, and the others a few. */
#include "stage/facts.h"

#include "base/mem.h"
#include "base/must.h"

#include <string.h>

#define JSON_SHARE 6 /* quotes, colon and comma of a fact in the summary */

bool
facts_add(struct facts *facts, const char *name, struct str text)
{
	struct fact *more;

	must(facts->n < FACTS_MAX && facts_find(facts, name) == NULL);
	more = mem_resize(facts->list, facts->n + 1, sizeof *more);
	if (more == NULL)
		return false;
	facts->list = more;
	facts->list[facts->n] = (struct fact){ .name = name, .text = str_dup(text) };
	if (facts->list[facts->n].text == NULL)
		return false;
	facts->n++;
	return true;
}

const char *
facts_find(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->n; i++)
		if (strcmp(facts->list[i].name, name) == 0)
			return facts->list[i].text;
	return NULL;
}

size_t
facts_memory(const struct facts *facts)
{
	size_t bytes = 0;

	for (size_t i = 0; i < facts->n; i++)
		bytes += sizeof facts->list[i] + 2 * strlen(facts->list[i].text) + strlen(facts->list[i].name) +
			JSON_SHARE;
	return bytes;
}

void
facts_free(struct facts *facts)
{
	for (size_t i = 0; i < facts->n; i++)
		mem_free(facts->list[i].text);
	mem_free(facts->list);
	*facts = (struct facts){ 0 };
}
