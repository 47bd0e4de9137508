// SPDX-License-Identifier: MIT
/* kind.c - see kind.h: what all kinds share. */
#include "config/kind.h"

#include <stdio.h>
#include <string.h>

const struct destination_kind *
kind_find(struct str word)
{
	for (const struct destination_kind *const *kind = destination_kinds; *kind != NULL; kind++)
		if (str_is(word, (*kind)->word))
			return *kind;
	return NULL;
}

const char *
kind_nouns(enum kind_trait trait, struct kind_nouns *nouns)
{
	size_t len = 0;

	nouns->text[0] = '\0';
	for (const struct destination_kind *const *kind = destination_kinds; *kind != NULL; kind++)
		if (kind_has(*kind, trait) && len < sizeof nouns->text)
			len += (size_t)snprintf(nouns->text + len, sizeof nouns->text - len, "%s%s",
				len > 0 ? " or " : "", (*kind)->noun);
	return nouns->text;
}
