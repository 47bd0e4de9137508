// SPDX-License-Identifier: MIT
/* parts_events.c - what happens when the source says that a part begins, brings bytes, or ends.
 *
 * If a stage has to judge a part by its first bytes, they are held until it has; before that the part has no name and no delivery.
 * An object is kept until it is longer than its kind of destination wants (kind_keep_max()); then its delivery is started, and
 * what was kept goes into the channel first. Parts of `store` share one keep; a concat, and a part with `buffer: true`, which
 * is kept whole, have one of their own. */
#include "part/parts_priv.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/kind.h"
#include "part/field_error.h"
#include "part/object_digest.h"
#include "part/object_lines.h"

#include <stdio.h>

/* -- errors that name the field -------------------------------------------------------------------- */

static bool
refuse(struct parts *parts)
{
	return field_error(&parts->error, parts->current->field);
}

static bool
refuse_busy(struct parts *parts)
{
	error_no_room(&parts->error, "to keep it");
	return refuse(parts);
}

/* -- what is remembered ----------------------------------------------------------------------------- */

#define ANSWER_SHARE 512   /* bytes of the summary that speak of one part, beside its names */
#define LINK_SHARE 2048    /* bytes of a link, beside the names in it: a signature, often the token of a session */
#define CARRIER_SHARE 1024 /* of a channel and what is at its other end; http transfers are charged for more */

static bool
charge(struct parts *parts, size_t bytes)
{
	return parts_charge(parts, bytes) ? true : refuse_busy(parts);
}

static size_t
known_of_part(const struct part *part)
{
	return sizeof *part + 2 * (part->field.len + part->filename.len + part->type.len) + ANSWER_SHARE;
}

/* -- a part begins --------------------------------------------------------------------------------- */

static bool
append_part(struct parts *parts, const struct part_head *head)
{
	struct part *part = parts_new_part(head);

	if (part == NULL)
		return error_nomem(&parts->error);
	if (parts->last != NULL)
		parts->last->next = part;
	else
		parts->first = part;
	parts->last = parts->current = part;
	parts->count++;
	return charge(parts, known_of_part(part));
}

static bool
refuse_name(struct parts *parts, const struct part_head *head)
{
	parts->error.offset = head->offset;
	return field_error(&parts->error, head->field);
}

static size_t
known_of_delivery(const struct delivery *delivery)
{
	return sizeof *delivery + 2 * delivery->target.cap + delivery->head.cap + delivery->link_as.cap +
		(delivery->order.says_digest ? OBJECT_DIGEST_MAX : 0) +
		2 * delivery->order.n_lines * sizeof *delivery->lines + CARRIER_SHARE;
}

/* Each part of a concat has the link in its answer. */
static size_t
known_of_link(const struct delivery *delivery)
{
	return delivery->order.link_s > 0 ? LINK_SHARE + delivery->target.len + 3 * delivery->link_as.len : 0;
}

static bool
make_delivery(struct parts *parts, const struct part_head *head)
{
	struct part *part = parts->current;
	struct named_part named = parts_named(parts, part, head);
	struct delivery *delivery = part->delivery = txn_add(parts->txn, part->rule);

	if (delivery == NULL)
		return error_nomem(&parts->error);
	if (!object_lines_make(parts->setup.naming, &named, delivery, &parts->error))
		return refuse_name(parts, head);
	if (!part->rule->needs.holds && !parts_name(parts, part, head))
		return refuse_name(parts, head);
	return charge(parts, known_of_delivery(delivery));
}

/* Would all of it be kept if it came now? Nothing is reserved, so that a client that sends little and stops holds little. */
static bool
could_keep(const struct parts *parts, uint64_t bytes)
{
	return bytes <= (uint64_t)pool_keepable(parts->pool) * CHUNK_SIZE;
}

/* Gets the delivery ready for the part's first byte. */
static bool
begin_delivery(struct parts *parts, const struct part_head *head)
{
	const struct rule *rule = parts->current->rule;
	struct delivery *known = rule->action == ACTION_CONCAT ? parts->concats[rule->index] : NULL;
	struct delivery *delivery;

	parts->current->delivery = known;
	if (known == NULL && !make_delivery(parts, head))
		return false;
	delivery = parts->current->delivery;
	if (rule->action == ACTION_CONCAT)
		parts->concats[rule->index] = delivery;
	if (!parts_is_run(parts))
		return true;
	if (!charge(parts, known_of_link(delivery)))
		return false;
	if (rule->buffer)
		return could_keep(parts, rule->max_size) ? true : refuse_busy(parts);
	return true;
}

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct part_head *head = arg;

	for (size_t i = 0; i < head->n_headers; i++) {
		if (!str_equal_nocase(head->headers[i].name, name) || nth-- > 0)
			continue;
		*value = head->headers[i].value;
		return true;
	}
	return false;
}

static void
set_headers(const struct part_head *head, struct stage_part *of)
{
	of->header = head->request != NULL ? head->request->header : nth_header;
	of->header_arg = head->request != NULL ? head->request->arg : (const void *)head;
}

static bool
begin_stages(struct parts *parts, const struct part_head *head)
{
	struct part *part = parts->current;
	struct stage_part of = { .route = parts->setup.route,
		.rule = part->rule,
		.field = part->field,
		.filename = part->filename,
		.type = part->type,
		.at = head->offset,
		.data_at = head->data_offset,
		.facts = &part->facts };

	set_headers(head, &of);
	return stages_begin(parts->stages, &of, &parts->error) ? true : refuse(parts);
}

/* The part has a rule that takes it, and no stage that must see its first bytes before. */
static bool
begin_to_send(struct parts *parts, const struct part_head *head)
{
	bool is_sent = parts->current->action == ACTION_STORE || parts->current->action == ACTION_CONCAT;

	return !is_sent || begin_delivery(parts, head);
}

/* Which rule takes the part, and where it goes. */
static bool
choose(struct parts *parts, const struct part_head *head)
{
	struct part *part = parts->current;

	parts->undecided = NULL;
	if (!parts_pick_rule(parts, head) || !parts_meet_needs(parts, head) || !begin_stages(parts, head))
		return false;
	if (!stages_hold(part->rule))
		return begin_to_send(parts, head);
	parts->opening.of = head;
	return true;
}

bool
parts_on_begin(void *arg, const struct part_head *head)
{
	struct parts *parts = arg;

	if (!append_part(parts, head))
		return false;
	parts->current->action = ACTION_DROP;
	parts->current->says_digest = parts_says_digest(parts, head);
	if (!head->may_be_unfilled)
		return choose(parts, head);
	parts->undecided = head; /* perhaps an input left empty, about which no rule is asked */
	return true;
}

/* -- bytes of a part ------------------------------------------------------------------------------- */

/* Small parts share the keep of the form. Those of a concat need not follow one another, so it has one of its own. */
static struct keep *
keep_of(struct parts *parts, struct delivery *delivery)
{
	bool is_own = delivery->rule->buffer || delivery->rule->action == ACTION_CONCAT;

	return is_own ? &delivery->own_keep : txn_keep(parts->txn);
}

/* The object is too long to be kept: start its transfer, and send what was kept first. */
static bool
promote(struct parts *parts, struct delivery *delivery)
{
	if (delivery_start_stream(delivery, keep_of(parts, delivery), &parts->credits, &parts->error))
		return true;
	return field_error(&parts->error, parts->current->field);
}

static bool
keep_or_stream(struct parts *parts, struct delivery *delivery, const char *data, size_t len)
{
	struct keep *keep = keep_of(parts, delivery);
	struct kept *kept = &delivery->order.kept;
	uint64_t length = kept->length + len;

	if (delivery->item.state == ITEM_COLLECTING) {
		bool is_whole = delivery->rule->buffer, is_long = length > kind_keep_max(delivery->rule);

		if (is_whole || (!is_long && parts_may_keep(parts, keep, length))) {
			if (keep_add(keep, kept, data, len))
				return true;
			if (is_whole || length <= KIND_KEEP_USUAL)
				return refuse_busy(parts);
		}
		if (!promote(parts, delivery))
			return false;
	}
	if (delivery->item.state == ITEM_STREAMING) /* else it has failed, and on_news has been called */
		delivery_write(delivery, data, len, &parts->credits);
	return true;
}

/* A mistake of ours is none of the field's. */
static bool
refuse_value(struct parts *parts)
{
	return error_is_set(&parts->error) ? false : refuse_busy(parts);
}

static bool
keeps_value(const struct part *part)
{
	return part->is_named || part->says_digest || (part->rule != NULL && part->rule->forward);
}

static bool
look(struct parts *parts, const char *data, size_t len)
{
	if (!stages_look(parts->stages, data, len, &parts->error))
		return refuse(parts);
	parts->current->size += len;
	return !keeps_value(parts->current) || parts_keep_value(parts, data, len) || refuse_value(parts);
}

/* No stage refuses the part: passes on its first bytes. */
static bool
pass_on(struct parts *parts, const char *data, size_t len)
{
	struct delivery *delivery = parts->current->delivery;

	if (len == 0 || delivery == NULL || !parts_is_run(parts))
		return true;
	return keep_or_stream(parts, delivery, data, len);
}

/* The stages have got as many first bytes of the part as they want: they judge. */
static bool
judge(struct parts *parts, struct str first)
{
	const struct part_head *head = parts->opening.of;
	bool ok;

	parts->opening.of = NULL;
	if (!stages_judge(parts->stages, first, &parts->error))
		return refuse(parts);
	ok = begin_to_send(parts, head) && pass_on(parts, first.data, first.len);
	parts_opening_drop(parts);
	return ok;
}

/* `len` is no more than is wanted. Pieces are large, so of most parts the first one has all of it. */
static bool
take_opening(struct parts *parts, const char *data, size_t len)
{
	const struct buf *held = &parts->opening.bytes;

	if (!look(parts, data, len))
		return false;
	if (len == STAGE_FIRST_MAX)
		return judge(parts, (struct str){ data, len });
	if (!parts_opening_keep(parts, data, len))
		return refuse_busy(parts);
	return held->len < STAGE_FIRST_MAX || judge(parts, buf_str(held));
}

/* Stages look at what follows the first bytes after these were judged, so that the refusal is the same however the body is cut. */
bool
parts_on_data(void *arg, const char *data, size_t len)
{
	struct parts *parts = arg;

	if (parts->undecided != NULL && !choose(parts, parts->undecided))
		return false;
	if (parts->opening.of != NULL) {
		size_t wanted = STAGE_FIRST_MAX - parts->opening.bytes.len, n = len < wanted ? len : wanted;

		if (!take_opening(parts, data, n))
			return false;
		data += n;
		len -= n;
	}
	return len == 0 || (look(parts, data, len) && pass_on(parts, data, len));
}

/* -- a part ends ----------------------------------------------------------------------------------- */

bool
parts_finish_delivery(struct parts *parts, struct delivery *delivery)
{
	const struct error *failure;

	delivery_finish(delivery);
	txn_go_on(parts->txn);
	failure = txn_failure(parts->txn);
	if (failure == NULL)
		return true;
	error_keep_first(&parts->error, failure);
	return false;
}

/* No stage has begun for an input that was left empty. */
static bool
end_stages(struct parts *parts)
{
	bool is_empty_input = parts->undecided != NULL;

	parts->undecided = NULL;
	if (is_empty_input)
		return true;
	if (!stages_end(parts->stages, &parts->error))
		return refuse(parts);
	return charge(parts, facts_memory(&parts->current->facts));
}

bool
parts_on_end(void *arg, uint64_t size)
{
	struct parts *parts = arg;
	struct part *part = parts->current;

	must(size == part->size);
	part->is_whole = true;
	if (parts->opening.of != NULL && !judge(parts, buf_str(&parts->opening.bytes)))
		return false;
	if (!end_stages(parts))
		return false;
	if (part->delivery != NULL && !object_digest_say(part->delivery, &part->facts))
		return error_nomem(&parts->error);
	if (part->delivery == NULL || !parts_is_run(parts) || part->action == ACTION_CONCAT)
		return true;
	return parts_finish_delivery(parts, part->delivery);
}
