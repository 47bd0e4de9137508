// SPDX-License-Identifier: MIT
/* channel.c - see channel.h.
 *
 * head and tail count chunks since the beginning (64 bits: they never wrap, so any number of slots will do); the
 * ring holds tail - head of them. Each side writes one
 * counter and keeps a stale copy of the other's, so that the shared line is read only when the copy says
 * "empty" or "full".
 *
 * Waiting is armed like this on both sides: set the mark, look at the ring again; the other side: change the
 * ring, look for the mark. These four accesses are seq_cst, so one of the two always sees the other. (Fences
 * would do too, but ThreadSanitizer does not know them.) */
#include "channel/channel.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"

#include <stddef.h>
#include <stdint.h>

struct channel {
	struct pool *pool;
	struct channel_side producer, consumer;
	unsigned slots;
	struct mail to_consumer, to_producer;

	_Alignas(64) _Atomic uint64_t tail; /* producer writes: chunks pushed */
	uint64_t head_seen;                 /* producer's stale copy of head */
	_Atomic bool finished;              /* producer writes, once, after its last push */
	_Atomic unsigned wanted_room;       /* armed by the producer; 0: not */

	_Alignas(64) _Atomic uint64_t head; /* consumer writes: chunks popped */
	uint64_t tail_seen;                 /* consumer's stale copy of tail */
	_Atomic bool hungry;                /* armed by the consumer */

	_Alignas(64) struct chunk *ring[];
};

static void
deliver_orders(struct mail *mail, unsigned orders)
{
	struct channel *channel = container_of(mail, struct channel, to_consumer);

	channel->consumer.on_mail(channel->consumer.arg, orders); /* may free the channel */
}

static void
deliver_news(struct mail *mail, unsigned news)
{
	struct channel *channel = container_of(mail, struct channel, to_producer);

	channel->producer.on_mail(channel->producer.arg, news); /* may tell CLOSE: the channel may be gone */
}

struct channel *
channel_new(struct pool *pool, const struct channel_side *producer, const struct channel_side *consumer,
	unsigned slots, struct error *err)
{
	struct channel *channel;

	must(slots >= 1 && slots <= CHANNEL_SLOTS_MAX);
	channel = mem_aligned(64, sizeof *channel + slots * sizeof(struct chunk *));
	if (channel == NULL) {
		error_nomem(err);
		return NULL;
	}
	channel->pool = pool;
	channel->producer = *producer;
	channel->consumer = *consumer;
	channel->slots = slots;
	mail_init(&channel->to_consumer, deliver_orders);
	mail_init(&channel->to_producer, deliver_news);
	atomic_init(&channel->tail, 0);
	atomic_init(&channel->head, 0);
	atomic_init(&channel->finished, false);
	atomic_init(&channel->wanted_room, 0);
	atomic_init(&channel->hungry, false);
	return channel;
}

static struct chunk *
take(struct channel *channel)
{
	uint64_t head = atomic_load_explicit(&channel->head, memory_order_relaxed); /* our own */
	struct chunk *chunk;

	if (head == channel->tail_seen)
		/* acquire: pairs with the release in channel_push() */
		channel->tail_seen = atomic_load_explicit(&channel->tail, memory_order_acquire);
	if (head == channel->tail_seen)
		return NULL;
	chunk = channel->ring[head % channel->slots];
	/* At least release, we have read the slot, pairing with room_now() and channel_push(); seq_cst for
	 * tell_space(). */
	atomic_store_explicit(&channel->head, head + 1, memory_order_seq_cst);
	return chunk;
}

void
channel_free(struct channel *channel)
{
	struct chunk *chunk;

	if (channel == NULL)
		return;
	while ((chunk = take(channel)) != NULL) /* and no SPACE any more: the producer has said his last word */
		pool_give(channel->pool, chunk);
	mem_free(channel);
}

/* -- producer --------------------------------------------------------------------------------------- */

static unsigned
room_now(const struct channel *channel)
{
	/* At least acquire, pairing with channel_pop(): the slot is free before we fill it again. seq_cst for
	 * channel_want_space(). */
	uint64_t head = atomic_load_explicit(&channel->head, memory_order_seq_cst);

	return channel->slots - (unsigned)(atomic_load_explicit(&channel->tail, memory_order_relaxed) - head);
}

void
channel_push(struct channel *channel, struct chunk *chunk)
{
	uint64_t tail = atomic_load_explicit(&channel->tail, memory_order_relaxed); /* our own */

	if (tail - channel->head_seen == channel->slots)
		channel->head_seen = atomic_load_explicit(
			&channel->head, memory_order_acquire); /* see room_now() */
	must(tail - channel->head_seen < channel->slots);
	channel->ring[tail % channel->slots] = chunk;
	/* At least release, for the slot and the chunk's bytes, pairing with channel_pop(); seq_cst for
	 * channel_take_hunger(). */
	atomic_store_explicit(&channel->tail, tail + 1, memory_order_seq_cst);
}

bool
channel_take_hunger(struct channel *channel)
{
	/* seq_cst: after the push; pairs with channel_want_data() */
	return atomic_load_explicit(&channel->hungry, memory_order_seq_cst) &&
		atomic_exchange_explicit(&channel->hungry, false, memory_order_relaxed);
}

bool
channel_want_space(struct channel *channel, unsigned room)
{
	must(room >= 1 && room <= channel->slots);
	if (room_now(channel) >= room)
		return true;
	atomic_store_explicit(&channel->wanted_room, room, memory_order_seq_cst); /* pairs with tell_space() */
	if (room_now(channel) < room)
		return false;
	/* There is room after all. If the consumer saw the mark too, its SPACE comes for nothing: harmless. */
	atomic_store_explicit(&channel->wanted_room, 0, memory_order_relaxed);
	return true;
}

void
channel_tell(struct channel *channel, unsigned orders)
{
	if (orders & CHANNEL_FINISH)
		/* release: after the last push; pairs with the acquire in channel_is_finished() */
		atomic_store_explicit(&channel->finished, true, memory_order_release);
	mailbox_post(
		channel->consumer.box, &channel->to_consumer, orders); /* after CLOSE the channel may be gone */
}

/* -- consumer --------------------------------------------------------------------------------------- */

static void
tell_space(struct channel *channel, uint64_t head)
{
	unsigned wanted, used;

	wanted = atomic_load_explicit(
		&channel->wanted_room, memory_order_seq_cst); /* pairs with channel_want_space() */
	used = (unsigned)(atomic_load_explicit(&channel->tail, memory_order_relaxed) - head);
	if (wanted == 0 || channel->slots - used < wanted)
		return;
	if (atomic_exchange_explicit(&channel->wanted_room, 0, memory_order_relaxed) != 0)
		channel_report(channel, CHANNEL_SPACE);
}

struct chunk *
channel_pop(struct channel *channel)
{
	struct chunk *chunk = take(channel);

	if (chunk != NULL)
		tell_space(channel, atomic_load_explicit(&channel->head, memory_order_relaxed));
	return chunk;
}

bool
channel_is_finished(const struct channel *channel)
{
	/* acquire: pairs with the release in channel_tell(): whoever sees it sees every push before it, so
	 * "finished, then an empty pop" means that all has been taken */
	return atomic_load_explicit(&channel->finished, memory_order_acquire);
}

static bool
has_more(const struct channel *channel)
{
	return atomic_load_explicit(&channel->tail, memory_order_seq_cst) !=
		atomic_load_explicit(&channel->head, memory_order_relaxed) ||
		channel_is_finished(channel);
}

bool
channel_want_data(struct channel *channel)
{
	if (has_more(channel))
		return false;
	atomic_store_explicit(&channel->hungry, true, memory_order_seq_cst); /* pairs with channel_take_hunger() */
	if (!has_more(channel))
		return true;
	atomic_store_explicit(&channel->hungry, false, memory_order_relaxed);
	return false;
}

void
channel_report(struct channel *channel, unsigned news)
{
	mailbox_post(channel->producer.box, &channel->to_producer, news);
}
