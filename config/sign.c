// SPDX-License-Identifier: MIT
/* sign.c - see sign.h. `none` says on purpose that there is no signature; else there is a key, and perhaps a second one. */
#include "config/sign.h"

#include "config/diag.h"
#include "config/headers.h"
#include "config/rows.h"

static const struct key rows[] = {
	{ "key", KEY_SECRET, .required = true, AT(sign, keys[0]),
		.help = "The application has the same one, and uses it for nothing else: text, `{ env: NAME }` or `{ file: PATH }`, read at "
			"the start and at a reload." },
	{ "next_key", KEY_SECRET, AT(sign, keys[1]),
		.help = "A second one while the key is changed: a question has a signature with each of both." },
};
const struct key_table sign_keys = { "`sign`", "sign", KEYS(rows) };

void
sign_read(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct sign *sign = (struct sign *)(void *)((char *)base + key->offset);

	if (node->kind != NODE_SCALAR) {
		l->read_table(l, key->tables[0], node, sign);
		return;
	}
	if (!loading_is_scalar(l, key, node))
		return;
	sign->is_none = str_is(node->text, "none");
	if (!sign->is_none)
		diag_error(l->diag, node->spot, "%s: `none`, or a mapping with \"key\", and not \"%.*s\"",
			key->name, SHOWN(node->text));
}

void
sign_free(struct sign *sign)
{
	for (size_t i = 0; i < sizeof sign->keys / sizeof sign->keys[0]; i++)
		headers_wipe(sign->keys[i]);
}
