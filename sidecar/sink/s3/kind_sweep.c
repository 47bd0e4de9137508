// SPDX-License-Identifier: MIT
/* kind_sweep.c - checks that a sweep (sweep.h) would find what this destination leaves, and no upload that is still under way. */
#include "config/scalar.h"
#include "sink/s3/kind_priv.h"

#include <string.h>

/* An upload may begin with its request, which may take client.timeout.total until the commit, and that the destination's total. */
static void
check_age(struct loading *l, const struct s3_settings *s3, const struct node *sweep)
{
	uint64_t least = l->config->client.total_ms + s3->peer.total_ms;
	struct buf text = { 0 };

	if (s3->sweep_older_ms == 0 || s3->sweep_older_ms > least)
		return;
	buf_add_text(&text,
		"older_than: must be longer than client.timeout.total and timeout.total of the destination together, ");
	scalar_add_time(&text, least);
	diag_error_take(l->diag, s3_spot_of(sweep, "older_than"), &text);
}

/* Appends the text with which all keys of the template begin, without a '/' at its front, which is not part of a key. */
static void
add_beginning(const struct template *target, struct buf *out)
{
	for (size_t i = 0; i < target->n_pieces && target->pieces[i].kind == TEMPLATE_TEXT; i++) {
		const char *text = target->pieces[i].text;

		buf_add_text(out, i == 0 && text[0] == '/' ? text + 1 : text);
	}
}

/* False: reported. */
static bool
check_rule(struct loading *l, const struct route *route, const struct rule *rule, const struct node *sweep)
{
	const char *prefix = s3_settings(rule->to)->sweep_prefix;
	struct buf beginning = { 0 };
	bool ok;

	add_beginning(rule->target, &beginning);
	ok = beginning.failed || (beginning.data != NULL && strncmp(beginning.data, prefix, strlen(prefix)) == 0);
	if (beginning.failed)
		diag_nomem(l->diag);
	else if (!ok)
		diag_error(l->diag, s3_spot_of(sweep, "prefix"),
			"prefix: rule \"%.*s\" of route \"%.*s\" makes keys here that do not all begin with it: \"%.*s\"",
			SHOWN(str_of(rule->name)), SHOWN(str_of(route->id)), SHOWN(str_of(rule->target->source)));
	buf_free(&beginning);
	return ok;
}

static void
check_rules(struct loading *l, const struct destination *to, const struct node *sweep)
{
	for (size_t i = 0; i < l->config->n_routes; i++) {
		const struct route *route = &l->config->routes[i];

		for (size_t j = 0; j < route->n_rules; j++) {
			const struct rule *rule = &route->rules[j];

			if (rule->to != to || rule->target == NULL || rule->name == NULL || route->id == NULL)
				continue;
			if (!check_rule(l, route, rule, sweep))
				diag_note(l->diag, s3_spot_of(loading_rule_node(l, i, j), "store"), "this rule");
		}
	}
}

void
s3_kind_check_sweep(struct loading *l, size_t at)
{
	const struct destination *to = &l->config->destinations[at];
	const struct s3_settings *s3 = s3_settings(to);
	const struct node *sweep = yaml_tree_get(l->destinations.items[at], "sweep");

	if (sweep == NULL || sweep->kind != NODE_MAP || s3->sweep_prefix == NULL)
		return;
	check_age(l, s3, sweep);
	if (s3->sweep_prefix[0] != '/')
		check_rules(l, to, sweep);
	else
		diag_error(l->diag, s3_spot_of(sweep, "prefix"), "prefix: no key begins with a '/'");
}
