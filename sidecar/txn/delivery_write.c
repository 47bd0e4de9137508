// SPDX-License-Identifier: MIT
/* delivery_write.c - see delivery.h: the bytes of a part on their way to all its participants.
 *
 * The chunk being filled is pushed when it is full, when a piece of body has ended and the
 * transfer has little left, or at the end. While a slow destination has enough to do, small pieces are
 * gathered in one chunk instead of spending a chunk on each. */
#include "txn/delivery_priv.h"

#include "base/must.h"

#include <string.h>

/* One that has failed gets no more. The chunk is counted before the first may have it, who could be done with it at once. */
static void
push_to_all(struct delivery *writer, struct chunk *chunk)
{
	unsigned n = 0;

	for (const struct delivery *d = writer; d != NULL; d = d->beside)
		n += d->item.state == ITEM_STREAMING;
	pool_share(chunk, n);
	for (struct delivery *d = writer; d != NULL; d = d->beside)
		if (d->item.state == ITEM_STREAMING)
			channel_push(d->order.channel, chunk);
}

/* The writer is STREAMING. */
static void
push_open_chunk(struct delivery *writer)
{
	if (writer->beside == NULL)
		channel_push(writer->order.channel, writer->open);
	else
		push_to_all(writer, writer->open);
	writer->open = NULL;
}

void
delivery_write(struct delivery *writer, const char *data, size_t len, size_t *credits)
{
	while (len > 0) {
		struct chunk *chunk = writer->open;
		uint32_t n;

		if (chunk == NULL) {
			must(*credits > 0);
			(*credits)--;
			chunk = writer->open = pool_draw(pool_of(writer), POOL_STREAM);
		}
		n = CHUNK_SIZE - chunk->end < len ? CHUNK_SIZE - chunk->end : (uint32_t)len;
		memcpy(chunk->data + chunk->end, data, n);
		chunk->end += n;
		data += n;
		len -= n;
		if (chunk->end == CHUNK_SIZE)
			push_open_chunk(writer);
	}
}

/* The last of them may have room for more. */
static void
push_chunks(struct delivery *writer, struct chunk *chunks)
{
	if (chunks != NULL && writer->open != NULL)
		push_open_chunk(writer);
	while (chunks != NULL) {
		writer->open = chunks;
		chunks = chunks->link;
		if (chunks != NULL || writer->open->end == CHUNK_SIZE)
			push_open_chunk(writer);
	}
}

void
delivery_write_collected(struct delivery *writer, struct keep *keep, size_t *credits)
{
	struct kept *kept = &writer->order.kept;
	size_t loose = kept_loose(kept), len;

	for (size_t at = 0; at < loose; at += len) {
		const char *data = kept_at(kept, at, &len);

		delivery_write(writer, data, len, credits);
	}
	push_chunks(writer, keep_take_out(keep, kept));
}

/* With a channel half full or more the transfer has enough to do, so small pieces are gathered; and where there is next to
 * nothing in the chunk, with any at all: a client that drips shall not hold a chunk for each drop. */
static unsigned
room_to_push(const struct delivery *delivery, const struct chunk *chunk)
{
	return chunk->end < CHUNK_SIZE / 8 ? delivery->order.slots : delivery->order.slots / 2;
}

/* Where one has enough to do the others wait with it, until its channel tells of room. */
static bool
could_use(const struct delivery *writer, const struct chunk *chunk)
{
	for (const struct delivery *d = writer; d != NULL; d = d->beside)
		if (d->item.state == ITEM_STREAMING &&
			!channel_want_space(d->order.channel, room_to_push(d, chunk)))
			return false;
	return true;
}

void
delivery_flush(struct delivery *delivery)
{
	const struct sinks *sinks = setup_of(delivery)->sinks;

	if (delivery->writer != delivery || delivery->item.state != ITEM_STREAMING)
		return;
	if (delivery->open != NULL && could_use(delivery, delivery->open))
		push_open_chunk(delivery);
	for (struct delivery *d = delivery; d != NULL; d = d->beside)
		if (d->item.state == ITEM_STREAMING)
			sinks->pump(sinks->arg, &d->order);
}

/* What the writer kept is sent by each of them when the plan says so. */
static void
finish_kept(struct delivery *writer)
{
	for (struct delivery *d = writer; d != NULL; d = d->beside) {
		d->order.kept = writer->order.kept;
		delivery_move(d, ITEM_KEPT);
	}
}

static void
finish_streams(struct delivery *writer)
{
	if (writer->open != NULL)
		push_open_chunk(writer);
	for (struct delivery *d = writer; d != NULL; d = d->beside) {
		if (d->item.state != ITEM_STREAMING)
			continue;
		channel_tell(d->order.channel, CHANNEL_FINISH);
		delivery_move(d, ITEM_SENDING);
	}
}

/* If the writer's transfer has ended before, its outcome says why; then nobody has got all bytes, and nobody is told that
 * these were all. */
void
delivery_finish(struct delivery *delivery)
{
	if (delivery->writer != delivery)
		return;
	if (delivery->item.state == ITEM_COLLECTING)
		finish_kept(delivery);
	else if (delivery->item.state == ITEM_STREAMING)
		finish_streams(delivery);
}
