// SPDX-License-Identifier: MIT
/* verify.c - see verify.h. What is said there is sidecar/stage/claims.c's to read. */
#include "config/verify.h"

#include "config/rows.h"

#include <string.h>

static const struct key rows[] = {
	{ "part_header", KEY_WORDS, .group = "said",
		WORDS({ "content-digest", VERIFY_CONTENT_DIGEST }, { "repr-digest", VERIFY_REPR_DIGEST },
			{ "content-md5", VERIFY_CONTENT_MD5 }),
		AT(rule, verify.headers),
		.help = "Headers in the head of the part, or of the request where the body is one file; one or a list. What they say has to be so, "
			"else the form is 422." },
	{ "field", KEY_TEXT, .group = "said", .min = 2, .max = VERIFY_FIELD_MAX, AT(rule, verify.field),
		.help = "Value fields, before or after a file, that say its digest: `\"*-sha256\"` is of the file `photo` the field `photo-sha256`. What they say "
			"has to be so, else the form is 422." },
	{ "missing", KEY_WORD, .fallback = "accept", WORDS({ "accept", false }, { "refuse", true }),
		AT(rule, verify.refuses_missing),
		.help = "What happens to a part of which none is said; `refuse`: 422." },
};
const struct key_table verify_keys = { "`verify` of a field rule", "routes[].fields[].verify", KEYS(rows) };

static bool
is_pattern(struct str s)
{
	const char *star = s.len > 1 ? memchr(s.data, '*', s.len) : NULL;

	return star != NULL && memchr(s.data, '?', s.len) == NULL &&
		memchr(star + 1, '*', s.len - 1 - (size_t)(star - s.data)) == NULL;
}

/* The digest that it is compared with has to be made, and nothing may be visible before the form has ended. */
static void
check_field(struct loading *l, const struct route *route, const struct rule *rule, const struct node *field)
{
	if (field == NULL || rule->verify.field == NULL)
		return;
	if (!is_pattern(field->text))
		diag_error(l->diag, field->spot,
			"field: \"%.*s\" has to have one `*`, which stands for the name of the file, and something beside it",
			SHOWN(field->text));
	if ((rule->digests & VERIFY_FIELD_DIGESTS) == 0)
		diag_error(l->diag, field->spot,
			"field: the rule has to make a digest to compare with: `digest: sha256`, `sha512`, `sha1` or `md5`");
	if (route->commit == COMMIT_EACH)
		diag_error(l->diag, field->spot,
			"field: with `commit: each` a file is visible before it could be compared");
	if (route_is_one_file(route))
		diag_error(l->diag, field->spot, "field: a body that is one file has no fields beside it");
	if (rule->kind == PART_VALUE)
		diag_error(l->diag, field->spot, "field: this rule takes no files");
}

/* An empty list was meant to say something. */
void
verify_check(struct loading *l, size_t route)
{
	const struct route *r = &l->config->routes[route];

	for (size_t i = 0; i < r->n_rules; i++) {
		const struct node *node = yaml_tree_get(loading_rule_node(l, route, i), "verify");
		const struct node *headers = yaml_tree_get(node, "part_header");

		if (headers != NULL && headers->kind == NODE_LIST && headers->n == 0)
			diag_error(l->diag, headers->spot, "part_header: the list is empty");
		check_field(l, r, &r->rules[i], yaml_tree_scalar(node, "field"));
	}
}
