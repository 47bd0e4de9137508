// SPDX-License-Identifier: MIT
/* check_rules.c - see check_rules.h.
 *
 * Of a rule that could not be read whole (no name, no target) only what is there is looked at, so that one
 * mistake gives one message. */
#include "config/check_rules.h"

#include "config/check_memory.h"
#include "config/kind.h"
#include "config/object_head.h"
#include "config/pattern.h"
#include "config/scalar.h"
#include "config/template.h"
#include "config/type_extension.h"
#include "config/whereabouts.h"

#include <string.h>

bool
check_rules_may_repeat(const struct route *route, const struct rule *rule)
{
	return !route_is_one_file(route) && rule->nth == 0 && rule->max_count != 1;
}

static bool
is_transfer(const struct rule *rule)
{
	return rule->to != NULL && (rule->action == ACTION_STORE || rule->action == ACTION_CONCAT);
}

/* -- one rule --------------------------------------------------------------------------------------- */

static void
check_buffer_room(struct loading *l, const struct rule *rule, const struct node *node)
{
	struct buf text = { 0 };

	if (rule->max_size <= l->config->memory / 2)
		return;
	buf_add_text(&text, "max_size: a part with buffer: true may have at most half of memory, ");
	scalar_add_size(&text, l->config->memory / 2);
	diag_error_take(l->diag, yaml_tree_spot_of(node, "max_size"), &text);
	check_memory_note(l);
}

static void
check_buffer(struct loading *l, const struct rule *rule, const struct node *node)
{
	const struct node *target = yaml_tree_get(node, "store");
	struct kind_nouns nouns;

	if (!rule->buffer)
		return;
	if (target == NULL)
		diag_error(l->diag, yaml_tree_spot_of(node, "buffer"), "buffer: only together with \"store\"");
	else if (rule->to != NULL && !kind_has(rule->to->kind, KIND_LENGTH)) {
		diag_error(l->diag, yaml_tree_spot_of(node, "buffer"), "buffer: only for %s",
			kind_nouns(KIND_LENGTH, &nouns));
		diag_note(l->diag, yaml_tree_spot_of(target, "to"), "this one is %s", rule->to->kind->noun);
	}
	if (yaml_tree_get(node, "max_size") == NULL || rule->max_size == LIMIT_NONE)
		diag_error(l->diag, yaml_tree_spot_of(node, "buffer"),
			"buffer: needs the key \"max_size\" with a limit beside it");
	else if (l->config->memory > 0)
		check_buffer_room(l, rule, node);
}

/* The others that fit go on to later rules, and are not counted here. */
static void
check_count(struct loading *l, const struct rule *rule, const struct node *node)
{
	if (rule->nth == 0 || rule->max_count == LIMIT_NONE || rule->max_count <= 1)
		return;
	diag_warn(l->diag, yaml_tree_spot_of(node, "max_count"),
		"max_count: never reached, because nth takes one part");
	diag_note(l->diag, yaml_tree_spot_of(node, "nth"), "nth is here");
}

static void
check_sizes(struct loading *l, const struct rule *rule, const struct node *node)
{
	if (rule->min_size <= rule->max_size)
		return;
	diag_error(l->diag, yaml_tree_spot_of(node, "min_size"),
		"min_size: no part can have so many bytes, max_size allows fewer");
	diag_note(l->diag, yaml_tree_spot_of(node, "max_size"), "max_size is here");
}

/* A part without a file name has no extension, and `types` asks for something. */
static void
check_types(struct loading *l, const struct rule *rule, const struct node *node)
{
	const struct node *types = yaml_tree_get(node, "types");

	if (types != NULL && types->kind == NODE_MAP && types->n == 0)
		diag_error(l->diag, types->spot, "types: it needs one of: declared, detected");
	if (rule->extensions.n == 0 || rule->kind != PART_VALUE)
		return;
	diag_error(
		l->diag, yaml_tree_spot_of(node, "extensions"), "extensions: a part without a file name has none");
	diag_note(l->diag, yaml_tree_spot_of(node, "kind"), "only such parts are taken");
}

static void
check_required(struct loading *l, const struct rule *rule, const struct node *node)
{
	if (!rule->required || rule->action != ACTION_REJECT)
		return;
	diag_error(l->diag, yaml_tree_spot_of(node, "required"),
		"required: no form can be taken if a part must be there and is rejected");
	diag_note(l->diag, yaml_tree_spot_of(node, "reject"), "rejected here");
}

/* Whoever writes `types` beside `reject` may mean that such parts are refused, and others go on to later rules. */
static void
check_rejected(struct loading *l, const struct rule *rule, const struct node *node)
{
	static const char *const keys[] = { "types", "extensions", "max_size", "min_size", "max_count", "digest",
		"names", "needs", "verify" };

	if (rule->action != ACTION_REJECT)
		return;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (yaml_tree_get(node, keys[i]) == NULL)
			continue;
		diag_warn(l->diag, yaml_tree_spot_of(node, keys[i]),
			"%s: never looked at, because every part of this name and kind is rejected", keys[i]);
		diag_note(l->diag, yaml_tree_spot_of(node, "reject"), "rejected here");
	}
}

static void
check_names(struct loading *l, const struct rule *rule, const struct node *node)
{
	if (rule->action != ACTION_DROP || yaml_tree_get(node, "names") == NULL)
		return;
	diag_warn(l->diag, yaml_tree_spot_of(node, "names"),
		"names: never looked at, because what is dropped gets no name");
	diag_note(l->diag, yaml_tree_spot_of(node, "drop"), "dropped here");
}

/* DELETE on the URL that was posted to would take back more than the one object, or nothing. */
static void
check_undo(struct loading *l, const struct rule *rule, const struct node *target)
{
	size_t at;

	if (!kind_makes_names(rule) || !rule->to->kind->can_undo(rule->to->settings))
		return;
	at = (size_t)(rule->to - l->config->destinations);
	diag_error(l->diag, yaml_tree_spot_of(target, "method"),
		"method: what was sent by POST cannot be undone by DELETE on its URL");
	diag_note(
		l->diag, yaml_tree_spot_of(l->destinations.items[at], "undo"), "the destination has undo: DELETE");
}

/* A link stands in the summary and nowhere else. */
static void
check_presign(struct loading *l, size_t route, const struct rule *rule, const struct node *target)
{
	static const char *const keys[] = { "json", "from", "redirect" };
	const struct response *response = &l->config->routes[route].response;
	const struct node *answer = yaml_tree_get(l->routes.items[route], "response");

	if (rule->presign_ms == 0 || (response->json == RESPONSE_SUMMARY && response->from == RESPONSE_OURS))
		return;
	diag_error(l->diag, yaml_tree_spot_of(target, "presign"),
		"presign: a link stands in the summary, and the answer of this route is none");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (yaml_tree_get(answer, keys[i]) != NULL)
			diag_note(l->diag, yaml_tree_spot_of(answer, keys[i]), "%s is here", keys[i]);
}

static struct spot
template_spot(const struct node *rule)
{
	const struct node *target = loading_target_node(rule);

	return yaml_tree_get(target, "path") != NULL ? yaml_tree_spot_of(target, "path")
						     : yaml_tree_spot_of(target, "key");
}

static bool
lines_have_extension(const struct rule *rule)
{
	const struct template *t;

	for (size_t i = 0; (t = object_head_template(rule, i)) != NULL; i++)
		if (template_has(t, TEMPLATE_DETECTED_EXT))
			return true;
	return false;
}

/* Where {detected.ext} stands: in the rule's name, metadata or header lines, or in those of its destination. False: nowhere. */
static bool
find_detected_extension(
	const struct loading *l, const struct rule *rule, const struct node *node, struct spot *spot)
{
	const char *key = is_transfer(rule) && kind_has(rule->to->kind, KIND_LINES) ? "headers" : "metadata";
	const struct node *own = yaml_tree_get(loading_target_node(node), key);

	if (rule->target != NULL && template_has(rule->target, TEMPLATE_DETECTED_EXT)) {
		*spot = template_spot(node);
		return true;
	}
	if (!is_transfer(rule) || !lines_have_extension(rule))
		return false;
	*spot = own != NULL ? own->spot
			    : yaml_tree_spot_of(l->destinations.items[rule->to - l->config->destinations], key);
	return true;
}

/* Such names would end in nothing. */
static void
check_detected_extension(struct loading *l, const struct rule *rule, const struct node *node)
{
	const struct texts *types = &rule->types.detected;
	struct spot spot;

	if (!find_detected_extension(l, rule, node, &spot))
		return;
	for (size_t i = 0; i < types->n; i++) {
		if (type_extension(str_of(types->items[i])).data != NULL)
			continue;
		diag_warn(l->diag, spot,
			"{detected.ext}: penstock knows no extension of %s, so it is nothing there",
			types->items[i]);
		diag_note(l->diag, yaml_tree_spot_of(yaml_tree_get(node, "types"), "detected"),
			"such parts are taken here");
	}
}

/* By POST the upstream makes the names itself. */
static bool
names_its_object(const struct rule *rule)
{
	return is_transfer(rule) && rule->target != NULL && !kind_makes_names(rule) &&
		!template_differs_by_part(rule->target);
}

static void
check_repeat(struct loading *l, const struct route *route, const struct rule *rule, const struct node *node)
{
	if (rule->action != ACTION_STORE || !names_its_object(rule) || !check_rules_may_repeat(route, rule))
		return;
	diag_error(l->diag, template_spot(node),
		"two parts of a form could get the same name; put {uuid} or {part} into it, or take one part only");
	diag_note(l->diag, yaml_tree_spot_of(node, "name"), "this rule has neither max_count: 1 nor nth: N");
}

/* -- rules among each other ---------------------------------------------------------------------------- */

/* Of two destinations that are one place, or of which one lies in the other. */
static void
note_same_name(struct loading *l, size_t route, size_t i, size_t later)
{
	const struct rule *rules = l->config->routes[route].rules;
	struct spot spot = template_spot(loading_rule_node(l, route, i));

	if (rules[i].to == rules[later].to)
		diag_note(l->diag, spot, "the same template is here");
	else
		diag_note(l->diag, spot, "the same name in the same place: \"%s\" and \"%s\" are not apart",
			rules[i].to->name, rules[later].to->name);
}

static void
check_same_name(struct loading *l, size_t route, size_t later)
{
	const struct rule *rules = l->config->routes[route].rules;
	bool same = false;

	if (!names_its_object(&rules[later]))
		return;
	for (size_t i = 0; i < later && !same; i++) {
		if (!names_its_object(&rules[i]))
			continue;
		if (!whereabouts_rules_meet(&rules[i], &rules[later], &same)) {
			diag_nomem(l->diag);
			return;
		}
		if (!same)
			continue;
		diag_error(l->diag, template_spot(loading_rule_node(l, route, later)),
			"parts of two rules could get the same name; put {uuid} or {part} into it");
		note_same_name(l, route, i, later);
	}
}

/* Does `outer` take every part of that kind that `inner` could? What is over max_count or max_size of a rule
 * is refused, not passed on, so only nth lets parts through. */
static bool
hides(const struct rule *outer, const struct rule *inner, enum part_kind kind)
{
	if (outer->name == NULL || (outer->kind != PART_ANY && outer->kind != kind))
		return false;
	if (outer->nth == 0)
		return pattern_glob_covers(str_of(outer->name), str_of(inner->name));
	return outer->nth == inner->nth && outer->kind == inner->kind && strcmp(outer->name, inner->name) == 0;
}

/* The first rule before `later` that hides it for that kind; `later` if there is none. */
static size_t
find_hiding(const struct rule *rules, size_t later, enum part_kind kind)
{
	for (size_t i = 0; i < later; i++)
		if (hides(&rules[i], &rules[later], kind))
			return i;
	return later;
}

static void
note_hiding(struct loading *l, size_t route, size_t rule)
{
	diag_note(l->diag, yaml_tree_spot_of(loading_rule_node(l, route, rule), "name"), "this rule comes first");
}

static void
check_hidden(struct loading *l, size_t route, size_t later)
{
	const struct rule *rules = l->config->routes[route].rules;
	enum part_kind kind = rules[later].kind;
	size_t by, also;

	if (rules[later].name == NULL)
		return;
	by = find_hiding(rules, later, kind == PART_ANY ? PART_FILE : kind);
	also = find_hiding(rules, later, kind == PART_ANY ? PART_VALUE : kind);
	if (by == later || also == later)
		return;
	diag_error(l->diag, yaml_tree_spot_of(loading_rule_node(l, route, later), "name"),
		"this rule can never take a part: %s before it",
		by == also ? "another one takes them all" : "others take them all");
	note_hiding(l, route, by);
	if (also != by)
		note_hiding(l, route, also);
}

void
check_rules_all(struct loading *l, size_t route)
{
	const struct route *r = &l->config->routes[route];

	for (size_t i = 0; i < r->n_rules; i++) {
		const struct node *node = loading_rule_node(l, route, i);
		const struct rule *rule = &r->rules[i];

		if (node == NULL || node->kind != NODE_MAP)
			continue;
		if (!route_is_one_file(r)) /* else check_raw() knows which one takes it */
			check_hidden(l, route, i);
		check_buffer(l, rule, node);
		check_required(l, rule, node);
		check_rejected(l, rule, node);
		check_names(l, rule, node);
		check_sizes(l, rule, node);
		check_types(l, rule, node);
		check_detected_extension(l, rule, node);
		check_count(l, rule, node);
		check_repeat(l, r, rule, node);
		if (!route_is_one_file(r))
			check_same_name(l, route, i);
		if (!is_transfer(rule))
			continue;
		check_undo(l, rule, loading_target_node(node));
		check_presign(l, route, rule, loading_target_node(node));
	}
}
