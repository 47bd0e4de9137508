// SPDX-License-Identifier: MIT
/* template_look.c - what is asked of a template that template.c has made, and its end. */
#include "config/template.h"

#include "base/mem.h"

void
template_free(struct template *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_pieces; i++) {
		mem_free(t->pieces[i].text);
		mem_free(t->pieces[i].source);
	}
	mem_free(t->pieces);
	mem_free(t->source);
	mem_free(t);
}

bool
template_has(const struct template *t, enum template_kind kind)
{
	for (size_t i = 0; i < t->n_pieces; i++)
		if (t->pieces[i].kind == kind)
			return true;
	return false;
}

bool
template_differs_by_part(const struct template *t)
{
	return template_has(t, TEMPLATE_UUID) || template_has(t, TEMPLATE_PART);
}

/* A grant has one name however it is spelt. */
static bool
is_equal(const struct template_piece *a, const struct template_piece *b)
{
	if (a->kind == TEMPLATE_GRANT)
		return str_equal(str_of(a->text), str_of(b->text));
	return str_equal(str_of(a->source), str_of(b->source));
}

bool
template_equal(const struct template *a, const struct template *b)
{
	if (a->n_pieces != b->n_pieces)
		return false;
	for (size_t i = 0; i < a->n_pieces; i++)
		if (a->pieces[i].kind != b->pieces[i].kind || !is_equal(&a->pieces[i], &b->pieces[i]))
			return false;
	return true;
}
