// SPDX-License-Identifier: MIT
/* link_check.c - see link_check.h. */
#include "config/link_check.h"

#include "config/nearest.h"
#include "config/pattern.h"
#include "config/peer.h"

#include <string.h>

/* Any of them may be the one that takes a request. NULL: there is none. */
static const struct path_pattern *
fewest_wildcards(const struct match *match)
{
	const struct path_pattern *fewest = match->n_paths > 0 ? match->paths : NULL;

	for (size_t i = 1; i < match->n_paths; i++)
		if (pattern_wildcards(&match->paths[i]) < pattern_wildcards(fewest))
			fewest = &match->paths[i];
	return fewest;
}

/* Of a path that could not be read nobody knows how many it has. */
void
link_check_wildcards(
	struct loading *l, const struct match *match, const struct template *t, const struct node *node)
{
	const struct path_pattern *path = fewest_wildcards(match);
	size_t wildcards = path != NULL ? pattern_wildcards(path) : 0;
	const char *which = path != NULL && match->n_paths > 1 ? path->source : NULL;

	if (path == NULL && match->is_broken)
		return;
	for (size_t i = 0; i < t->n_pieces; i++) {
		const struct template_piece *piece = &t->pieces[i];
		const char *at;

		if (piece->kind != TEMPLATE_PATH || piece->number <= wildcards)
			continue;
		at = strstr(node->chars, piece->source);
		diag_error(l->diag,
			yaml_tree_spot(node, at != NULL ? (size_t)(at - node->chars) : 0, strlen(piece->source)),
			"%s: match.path %s%s%shas %zu wildcard%s", piece->source, which != NULL ? "\"" : "",
			which != NULL ? which : "", which != NULL ? "\" " : "", wildcards, PLURAL(wildcards));
	}
}

void
link_check_only_for(
	struct loading *l, const struct rule *rule, const struct node *node, const char *key, enum kind_trait trait)
{
	const struct destination *d = rule->to;
	const struct node *value = yaml_tree_get(node, key);
	struct kind_nouns nouns;

	if (value == NULL || kind_has(d->kind, trait))
		return;
	diag_error(l->diag, value->spot, "%s: only for %s", key, kind_nouns(trait, &nouns));
	diag_note(l->diag, l->destination_names.items[d - l->config->destinations]->spot, "this one is %s",
		d->kind->noun);
}

static void
report_unknown(struct loading *l, const struct node *to, const char *best)
{
	if (best == NULL) {
		diag_error(l->diag, to->spot, "to: unknown destination \"%.*s\"", SHOWN(to->text));
		return;
	}
	diag_error(
		l->diag, to->spot, "to: unknown destination \"%.*s\"; did you mean \"%s\"?", SHOWN(to->text), best);
	for (size_t i = 0; i < l->destination_names.n; i++)
		if (str_is(l->destination_names.items[i]->text, best))
			diag_note(l->diag, l->destination_names.items[i]->spot, "\"%s\" is here", best);
}

const struct destination *
link_find_destination(struct loading *l, const struct node *to)
{
	const struct config *c = l->config;
	struct nearest nearest = { .word = to->text };

	for (size_t i = 0; i < c->n_destinations; i++) {
		if (c->destinations[i].name == NULL)
			continue;
		if (str_is(to->text, c->destinations[i].name))
			return &c->destinations[i];
		nearest_offer(&nearest, c->destinations[i].name);
	}
	if (!l->incomplete)
		report_unknown(l, to, nearest.best);
	return NULL;
}

void
link_check_pass(struct loading *l, const struct destination *to, const struct texts *pass, const struct node *node)
{
	const struct http_peer *peer = to->kind != NULL && to->kind->asked_peer != NULL && to->settings != NULL
		? to->kind->asked_peer(to->settings)
		: NULL;

	for (size_t i = 0; peer != NULL && i < peer->headers.n; i++)
		for (size_t k = 0; k < pass->n; k++) {
			const char *own = peer->headers.items[i].name;

			if (own == NULL || peer->headers.items[i].made != NULL ||
				!str_equal_nocase(str_of(own), str_of(pass->items[k])))
				continue;
			diag_error(
				l->diag, node->spot, "pass: the destination sends a header \"%s\" of its own", own);
			diag_note(l->diag, l->destination_names.items[to - l->config->destinations]->spot,
				"this one");
		}
}
