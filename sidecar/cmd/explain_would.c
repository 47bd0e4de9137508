// SPDX-License-Identifier: MIT
/* explain_would.c - see explain_would.h. */
#include "cmd/explain_would.h"

#include "config/kind.h"
#include "reply/reply.h"
#include "sink/sinks.h"
#include "sink/would.h"
#include "txn/delivery.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const when_words[] = {
	[WOULD_BEFORE] = "before",
	[WOULD_COMMIT] = "commit",
	[WOULD_CANCEL] = "cancel",
	[WOULD_UNDO] = "undo",
	[WOULD_ANSWER] = "answer",
};

/* -- what would be done ------------------------------------------------------------------------------- */

static const struct part *
first_of(const struct parts *parts, const struct delivery *delivery)
{
	const struct part *part = parts_first(parts);

	while (part->delivery != delivery)
		part = part->next;
	return part;
}

/* The bytes of all parts that are joined in the delivery. */
static uint64_t
length_of(const struct parts *parts, const struct delivery *delivery)
{
	uint64_t length = 0;

	for (const struct part *part = parts_first(parts); part != NULL; part = part->next)
		if (part->delivery == delivery)
			length += part->size;
	return length;
}

/* The order that parts_events.c would open. False: out of memory. */
static bool
ask(const struct parts *parts, const struct delivery *delivery, struct would *would)
{
	struct order order = delivery->order;

	order.target = delivery->shown.data;
	order.type = delivery->type.len > 0 ? delivery->type.data : NULL;
	order.request_id = "{request_id}";
	order.client = "{client}";
	order.length = length_of(parts, delivery);
	order.is_kept = delivery->rule->buffer || order.length <= kind_keep_max(delivery->rule);
	if (delivery->shown.failed || delivery->type.failed || order.target == NULL)
		return false;
	sinks_would(&order, would);
	return !would_has_failed(would);
}

/* The delivery of this part, if the part is its first one. */
static const struct delivery *
begun_by(const struct parts *parts, const struct part *part)
{
	return part->delivery != NULL && first_of(parts, part->delivery) == part ? part->delivery : NULL;
}

/* -- JSON --------------------------------------------------------------------------------------------- */

static json_t *
lines_json(const struct would_step *step)
{
	json_t *lines = json_array();
	struct str rest = step->lines.len > 0 ? buf_str(&step->lines) : STR("");

	while (rest.len > 0) {
		const char *end = memchr(rest.data, '\n', rest.len);
		size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;

		json_array_append_new(lines, reply_text((struct str){ rest.data, len }));
		rest.data += len + (end != NULL);
		rest.len -= len + (end != NULL);
	}
	return lines;
}

static json_t *
step_json(const struct would_step *step)
{
	json_t *told = json_object();

	json_object_set_new(told, "when", json_string(when_words[step->when]));
	json_object_set_new(told, "call", json_string(step->call));
	json_object_set_new(told, "target", reply_text(buf_str(&step->target)));
	json_object_set_new(told, "headers", lines_json(step));
	json_object_set_new(
		told, "bytes", step->bytes != WOULD_NO_BODY ? json_integer((json_int_t)step->bytes) : json_null());
	json_object_set_new(told, "times", json_integer((json_int_t)step->times));
	return told;
}

static json_t *
object_json(const struct part *part, const struct delivery *delivery, const struct would *would)
{
	json_t *told = json_object(), *steps = json_array();

	for (size_t i = 0; i < would->n; i++)
		json_array_append_new(steps, step_json(&would->steps[i]));
	json_object_set_new(told, "part", json_integer(part->number));
	json_object_set_new(told, "destination", reply_text(str_of(delivery->order.to->name)));
	json_object_set_new(told, "steps", steps);
	return told;
}

bool
explain_would_json(const struct parts *parts, json_t *list)
{
	bool ok = true;

	for (const struct part *part = parts_first(parts); part != NULL && ok; part = part->next) {
		const struct delivery *delivery = begun_by(parts, part);
		struct would would = { 0 };

		if (delivery == NULL)
			continue;
		ok = ask(parts, delivery, &would);
		if (ok && would.n > 0)
			json_array_append_new(list, object_json(part, delivery, &would));
		would_free(&would);
	}
	return ok;
}

/* -- for people --------------------------------------------------------------------------------------- */

static void
print_lines(const struct would_step *step, void (*print)(struct str s, int width))
{
	struct str rest = step->lines.len > 0 ? buf_str(&step->lines) : STR("");

	while (rest.len > 0) {
		const char *end = memchr(rest.data, '\n', rest.len);
		size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;

		printf("%13s", "");
		print((struct str){ rest.data, len }, 0);
		puts("");
		rest.data += len + (end != NULL);
		rest.len -= len + (end != NULL);
	}
}

static void
print_step(const struct would_step *step, void (*print)(struct str s, int width))
{
	printf("     %-7s %s ", when_words[step->when], step->call);
	print(buf_str(&step->target), 0);
	if (step->bytes != WOULD_NO_BODY)
		printf("(%" PRIu64 " byte%s", step->bytes, PLURAL(step->bytes));
	if (step->bytes != WOULD_NO_BODY && step->times > 1)
		printf(" each, %" PRIu64 " times", step->times);
	if (step->bytes != WOULD_NO_BODY)
		printf(")");
	puts("");
	print_lines(step, print);
}

bool
explain_would_print(const struct parts *parts, void (*print)(struct str s, int width))
{
	bool ok = true;

	for (const struct part *part = parts_first(parts); part != NULL && ok; part = part->next) {
		const struct delivery *delivery = begun_by(parts, part);
		struct would would = { 0 };

		if (delivery == NULL)
			continue;
		ok = ask(parts, delivery, &would);
		if (ok && would.n > 0)
			printf("%4u would, at %s:\n", part->number, delivery->order.to->name);
		for (size_t i = 0; i < would.n && ok; i++)
			print_step(&would.steps[i], print);
		would_free(&would);
	}
	return ok;
}
