// SPDX-License-Identifier: MIT
/* parts.c - the form as a whole: see parts.h. parts_events.c has what happens to a single part. */
#include "part/parts_priv.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/kind.h"
#include "route/body_limit.h"

static const struct source_events events = {
	.on_begin = parts_on_begin,
	.on_data = parts_on_data,
	.on_end = parts_on_end,
};

static size_t
count_concat(const struct route *route)
{
	size_t n = 0;

	for (size_t i = 0; i < route->n_rules; i++)
		n += route->rules[i].action == ACTION_CONCAT;
	return n;
}

/* Chunks that `len` bytes can take in one channel: also one that was begun before, and one that is begun anew. */
static unsigned
chunks_for(size_t len)
{
	return (unsigned)(len / CHUNK_SIZE) + 2;
}

_Static_assert(SOURCE_FEED_MAX <= DELIVERY_WRITE_MAX, "a stream begins with room for one feed");

static bool
holds_first(const struct route *route)
{
	for (size_t i = 0; i < route->n_rules; i++)
		if (stages_hold(&route->rules[i]))
			return true;
	return false;
}

/* The least bytes from the content of one part to that of the next: a delimiter and a head. */
#define PART_BYTES_MIN 40u

/* For what was kept before the feed, and for the chunk that is begun anew. One chunk is enough for both if no more than
 * KIND_KEEP_USUAL is ever kept. */
static size_t
chunks_to_start(const struct route *route)
{
	for (size_t i = 0; i < route->n_rules; i++)
		if (route->rules[i].to != NULL && kind_keep_max(&route->rules[i]) > KIND_KEEP_USUAL)
			return DELIVERY_START_CHUNKS + 1;
	return 1;
}

/* What one feed can begin: the part that is being promoted, one more for each KIND_KEEP_USUAL bytes, and every concat that it
 * can touch. */
static size_t
chunks_needed(const struct parts *parts, size_t len)
{
	size_t concats = len / PART_BYTES_MIN + 2;

	if (concats > parts->n_concat)
		concats = parts->n_concat;
	return chunks_for(len) + parts->to_start * (1 + concats) + len / KIND_KEEP_USUAL;
}

/* A feed so small that its chunks come back to the pool sooner or later, whatever forms keep: otherwise a form could wait for
 * chunks of its own. */
static size_t
sure_feed(const struct parts *parts)
{
	size_t len = SOURCE_FEED_MAX, sure = parts_is_run(parts) ? pool_streams(parts->pool) : SIZE_MAX;

	while (len > PART_BYTES_MIN && chunks_needed(parts, len + parts->opening_max) > sure)
		len /= 2;
	return len;
}

struct parts *
parts_new(const struct parts_setup *setup, struct error *err)
{
	struct source_setup source = { .route = setup->route,
		.head = setup->naming->head,
		.events = &events,
		.parts = grants_parts(setup->naming->grants, setup->route) };
	struct parts *parts;

	if (!naming_check(setup->naming, setup->route, err))
		return NULL;
	parts = mem_zalloc(sizeof *parts);
	if (parts == NULL) {
		error_nomem(err);
		return NULL;
	}
	parts->setup = *setup;
	parts->txn = setup->txn;
	parts->blocks = txn_setup_of(setup->txn)->blocks;
	parts->pool = parts->blocks != NULL ? blocks_pool(parts->blocks) : NULL;
	parts->n_concat = count_concat(setup->route);
	parts->to_start = chunks_to_start(setup->route);
	parts->opening_max = holds_first(setup->route) ? STAGE_FIRST_MAX : 0;
	parts->feed_sure = sure_feed(parts);
	parts->rules = rules_new(setup->route);
	parts->stages = stages_new(setup->tools);
	if (parts->n_concat > 0)
		parts->concats = mem_array(setup->route->n_rules, sizeof(struct delivery *));
	if (!arrivals_init(&parts->arrivals, setup->route) || parts->rules == NULL || parts->stages == NULL ||
		(parts->n_concat > 0 && parts->concats == NULL)) {
		error_nomem(err);
		goto fail;
	}
	source.arg = parts;
	if (source_begin(&parts->source, &source, err))
		return parts;
fail:
	parts_free(parts);
	return NULL;
}

void
parts_free(struct parts *parts)
{
	if (parts == NULL)
		return;
	source_end(&parts->source);
	while (parts->first != NULL) {
		struct part *next = parts->first->next;

		parts_free_part(parts->first);
		parts->first = next;
	}
	parts_opening_drop(parts);
	mem_free(parts->concats);
	arrivals_fini(&parts->arrivals);
	if (parts_is_run(parts))
		blocks_discharge(parts->blocks, parts->known);
	if (parts->credits > 0)
		pool_unreserve(parts->pool, parts->credits, POOL_STREAM);
	stages_free(parts->stages);
	rules_free(parts->rules);
	mem_free(parts);
}

/* With the pool nearly used up, each channel may hold less, so that all of them keep moving. */
static unsigned
allowed_slots(const struct parts *parts, unsigned slots)
{
	size_t total = pool_total(parts->pool), left = pool_available(parts->pool);

	if (left > total / 2)
		return slots;
	return left > total / 4 ? slots / 2 : slots / 4;
}

static bool
delivery_has_room(const struct parts *parts, struct delivery *delivery, unsigned need)
{
	unsigned slots = delivery->order.slots, allowed = allowed_slots(parts, slots);

	if (delivery->item.state != ITEM_STREAMING)
		return true;
	if (need > allowed)
		need = allowed; /* an empty channel always has room enough */
	return channel_want_space(delivery->order.channel, slots - allowed + need);
}

bool
parts_has_room(struct parts *parts, size_t len)
{
	for (struct delivery *d = txn_first(parts->txn); d != NULL; d = d->next)
		if (!delivery_has_room(parts, d, chunks_for(len + parts->opening.bytes.len)))
			return false;
	return true;
}

enum parts_readiness
parts_prepare(struct parts *parts, size_t *len)
{
	size_t held = parts->opening.bytes.len; /* may be passed on together with what comes now */

	must(*len <= SOURCE_FEED_MAX && parts->credits == 0);
	if (*len > SOURCE_FEED_MAX - held)
		*len = SOURCE_FEED_MAX - held;
	if (!parts_has_room(parts, *len))
		return PARTS_WAIT_SPACE;
	if (!pool_reserve(parts->pool, chunks_needed(parts, *len + held), POOL_STREAM)) {
		if (*len > parts->feed_sure)
			*len = parts->feed_sure;
		parts->wanted = chunks_needed(parts, *len + held);
		if (!pool_reserve(parts->pool, parts->wanted, POOL_STREAM))
			return PARTS_WAIT_CHUNKS;
	}
	parts->credits = chunks_needed(parts, *len + held);
	return PARTS_READY;
}

size_t
parts_wanted(const struct parts *parts)
{
	return parts->wanted;
}

static bool
feed_within_limit(struct parts *parts, const char *data, size_t len, struct error *err)
{
	uint64_t max = grants_body(parts->setup.naming->grants, parts->setup.route),
		 left = max - parts->source.offset;
	size_t n = len < left ? len : (size_t)left;

	if (n > 0 && !source_feed(&parts->source, data, n, err)) {
		error_keep_first(err, &parts->error);
		return false;
	}
	if (n == len)
		return true;
	body_limit_refuse(max, err);
	err->offset = max;
	return false;
}

static bool
charge_heads(struct parts *parts, struct error *err)
{
	size_t now = source_memory(&parts->source);

	if (now <= parts->heads)
		return true;
	if (parts_charge(parts, now - parts->heads)) {
		parts->heads = now;
		return true;
	}
	return error_no_room(err, "for the head of a part");
}

bool
parts_feed(struct parts *parts, const char *data, size_t len, struct error *err)
{
	bool ok = feed_within_limit(parts, data, len, err) && charge_heads(parts, err);

	if (parts->credits > 0)
		pool_unreserve(parts->pool, parts->credits, POOL_STREAM);
	parts->credits = 0;
	if (!ok)
		grants_name_limit(parts->setup.naming->grants, parts->setup.route, err);
	return ok;
}

void
parts_flush(struct parts *parts)
{
	for (struct delivery *d = txn_first(parts->txn); d != NULL; d = d->next)
		if (d->item.state == ITEM_STREAMING)
			delivery_flush(d);
}

/* No part is known to be the last one of a concat, so concats end with the form. */
static bool
finish_concats(struct parts *parts, struct error *err)
{
	for (struct delivery *d = txn_first(parts->txn); d != NULL; d = d->next) {
		if (d->rule->action != ACTION_CONCAT)
			continue;
		if (!parts_finish_delivery(parts, d)) {
			error_keep_first(err, &parts->error);
			return false;
		}
	}
	return true;
}

bool
parts_finish(struct parts *parts, struct error *err)
{
	if (!source_finish(&parts->source, err)) {
		error_keep_first(err, &parts->error);
		return false;
	}
	if (!rules_finish(parts->rules, err) || !parts_compare_said(parts, err) || !parts_name_held(parts, err))
		return false;
	return !parts_is_run(parts) || finish_concats(parts, err);
}

size_t
parts_held(const struct parts *parts)
{
	size_t held = txn_keep(parts->txn)->held + parts->known;

	if (txn_reserve(parts->txn) != NULL)
		held += reserve_size(txn_reserve(parts->txn)) * CHUNK_SIZE;
	for (const struct delivery *d = txn_first(parts->txn); d != NULL; d = d->next)
		held += delivery_held(d);
	return held;
}

const struct part *
parts_first(const struct parts *parts)
{
	return parts->first;
}

size_t
parts_count(const struct parts *parts)
{
	return parts->count;
}
