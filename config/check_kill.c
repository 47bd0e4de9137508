// SPDX-License-Identifier: MIT
/* check_kill.c - see check_kill.h. Each of the reasons is said once, of the first place that has it. */
#include "config/check_kill.h"

#include "config/check_rules.h"
#include "config/kind.h"
#include "config/object_head.h"
#include "config/template.h"

#include <string.h>

static bool
lasts(const struct rule *rule)
{
	return (rule->action == ACTION_STORE || rule->action == ACTION_CONCAT) && rule->to != NULL &&
		kind_has(rule->to->kind, KIND_LASTS);
}

/* A folder's own journal lets all of its files become visible, or none. */
static bool
is_one_folder(const struct destination *a, const struct destination *b)
{
	return kind_has(a->kind, KIND_LOCAL) &&
		(a == b || (a->at != NULL && b->at != NULL && strcmp(a->at, b->at) == 0));
}

/* A form of this route may be several objects that no folder's journal keeps together. */
static bool
spans(const struct route *route)
{
	const struct rule *first = NULL;

	if (route_is_one_file(route))
		return false;
	for (size_t i = 0; i < route->n_rules && route->commit == COMMIT_ALL; i++) {
		const struct rule *rule = &route->rules[i];
		bool repeats = rule->action == ACTION_STORE && check_rules_may_repeat(route, rule);

		if (!lasts(rule))
			continue;
		if ((repeats && !kind_has(rule->to->kind, KIND_LOCAL)) ||
			(first != NULL && !is_one_folder(first->to, rule->to)))
			return true;
		first = first != NULL ? first : rule;
	}
	return false;
}

static bool
has_name_of_ours(const struct template *target)
{
	for (size_t i = 0; target != NULL && i < target->n_pieces; i++)
		if (target->pieces[i].kind == TEMPLATE_UUID || target->pieces[i].kind == TEMPLATE_REQUEST_ID)
			return true;
	return false;
}

/* That its client has said, or that are made. */
static bool
sends_lines(const struct rule *rule)
{
	return kind_has(rule->to->kind, KIND_LINES) &&
		(object_head_passed(rule, 0) != NULL || object_head_template(rule, 0) != NULL);
}

static struct spot
spot_of_rule(const struct loading *l, size_t route, size_t rule)
{
	const struct node *node = loading_rule_node(l, route, rule);
	const struct node *target = loading_target_node(node);

	return target != NULL ? target->spot : node->spot;
}

struct said {
	bool undo, name, lines;
};

static void
check_rule(struct loading *l, size_t at, size_t i, struct said *said)
{
	const struct rule *rule = &l->config->routes[at].rules[i];

	if (!lasts(rule) || kind_has(rule->to->kind, KIND_LOCAL))
		return;
	if (!rule->to->kind->can_undo(rule->to->settings)) {
		if (!said->undo)
			diag_warn(l->diag, spot_of_rule(l, at, i),
				"destination \"%s\" has no undo: what a kill in the middle of a commit leaves there stays, also with `state`",
				rule->to->name);
		said->undo = true;
	} else if (!has_name_of_ours(rule->target)) {
		if (!said->name)
			diag_warn(l->diag, spot_of_rule(l, at, i),
				"what a kill in the middle of a commit leaves under this name stays, also with `state`: it holds "
				"neither {uuid} nor {request_id}, so it may be somebody else's");
		said->name = true;
	} else if (sends_lines(rule)) {
		if (!said->lines)
			diag_warn(l->diag, spot_of_rule(l, at, i),
				"what a kill in the middle of a commit leaves here is deleted without the client's headers and "
				"what is made of them: destination \"%s\" has to take a DELETE with its other `headers` alone",
				rule->to->name);
		said->lines = true;
	}
}

static void
warn_of_no_state(struct loading *l, size_t at)
{
	const struct node *node = l->routes.items[at], *id = yaml_tree_get(node, "id");

	diag_warn(l->diag, (id != NULL ? id : node)->spot,
		"a form of this route may be several objects: without `state`, what a kill in the middle of its commit leaves "
		"stays half visible");
}

void
check_kill(struct loading *l)
{
	struct said said = { 0 };

	if (l->diag->errors > 0 || l->incomplete || l->unresolved || l->elsewhere)
		return;
	for (size_t at = 0; at < l->config->n_routes; at++) {
		if (!spans(&l->config->routes[at]))
			continue;
		if (l->config->state == NULL) {
			warn_of_no_state(l, at);
			return;
		}
		for (size_t i = 0; i < l->config->routes[at].n_rules; i++)
			check_rule(l, at, i, &said);
	}
}
