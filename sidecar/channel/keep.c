// SPDX-License-Identifier: MIT
/* keep.c - see keep.h. Each block is full but the last. */
#include "channel/keep.h"

#include "base/must.h"

#include <string.h>

#define FEW (16u * 1024) /* bytes that are held: up to here a block has no more than ... */
#define SMALL 2048u      /* ... unless more is to be added at once */

void
keep_init(struct keep *keep, struct blocks *blocks)
{
	*keep = (struct keep){ .blocks = blocks };
}

static void
give_all(struct keep *keep, struct block *block)
{
	while (block != NULL) {
		struct block *next = block->next;

		keep->held -= block->size;
		blocks_give(keep->blocks, block);
		block = next;
	}
}

void
keep_fini(struct keep *keep)
{
	give_all(keep, keep->first);
	keep->first = keep->last = NULL;
}

static size_t
room_in(const struct block *block)
{
	return block != NULL ? block->size - block->end : 0;
}

/* As large as all before it together, so that at most half of what is held is unused, but never less than what is to be
 * added now; and of the first ones, which thousands of slow clients have, little is unused. */
static struct block *
take_another(struct keep *keep, size_t len)
{
	size_t most = keep->held < FEW ? SMALL : BLOCK_MAX, grown = keep->held < most ? keep->held : most;
	size_t size = len > grown ? len : grown;
	struct block *block = blocks_take(keep->blocks, size < BLOCK_MAX ? size : BLOCK_MAX);

	if (block != NULL)
		keep->held += block->size;
	return block;
}

/* All that `len` bytes need beyond `room`, so that adding them cannot fail half-way. False: nothing was taken. */
static bool
take_for(struct keep *keep, size_t len, size_t room, struct block **first)
{
	struct block **end = first;

	*first = NULL;
	while (room < len) {
		*end = take_another(keep, len - room);
		if (*end == NULL) {
			give_all(keep, *first);
			return false;
		}
		room += (*end)->size;
		end = &(*end)->next;
	}
	return true;
}

static void
append(struct keep *keep, struct block *block)
{
	if (keep->last != NULL)
		keep->last->next = block;
	else
		keep->first = block;
	keep->last = block;
}

static void
fill(struct block *block, struct kept *kept, const char *data, size_t len)
{
	if (kept->first == NULL) {
		kept->first = block;
		kept->begin = block->end;
	}
	memcpy(block->data + block->end, data, len);
	block->end += (uint32_t)len;
	kept->length += len;
}

bool
keep_add(struct keep *keep, struct kept *kept, const char *data, size_t len)
{
	struct block *more;

	if (!take_for(keep, len, room_in(keep->last), &more))
		return false;
	while (len > 0) {
		size_t n;

		if (room_in(keep->last) == 0) {
			struct block *next = more->next;

			more->next = NULL;
			append(keep, more);
			more = next;
		}
		n = room_in(keep->last) < len ? room_in(keep->last) : len;
		fill(keep->last, kept, data, n);
		data += n;
		len -= n;
	}
	return true;
}

static bool
has_chunk(const struct kept *kept, const struct block *block)
{
	return block->size == BLOCK_MAX && (block != kept->first || kept->begin == 0);
}

/* Blocks double until they have a chunk each, so those that have none come first. */
size_t
kept_loose(const struct kept *kept)
{
	const struct block *block = kept->first;
	uint64_t loose = 0;

	while (loose < kept->length && !has_chunk(kept, block)) {
		loose += block->end - (block == kept->first ? kept->begin : 0);
		block = block->next;
	}
	return (size_t)loose;
}

static struct chunk *
part_with_all(struct keep *keep, struct block *block)
{
	struct chunk *first = NULL, **end = &first;

	while (block != NULL) {
		struct block *next = block->next; /* the block goes with its chunk */

		keep->held -= block->size;
		*end = blocks_part_with(keep->blocks, block);
		end = &(*end)->link;
		block = next;
	}
	return first;
}

/* Where in the list of blocks those of `kept` begin that nobody else is in. *last is the one before them: what is in it is cut
 * back to where the part began. */
static struct block **
find_own(struct keep *keep, const struct kept *kept, struct block **last)
{
	struct block **own = &keep->first;

	*last = NULL;
	while (*own != kept->first) {
		*last = *own;
		own = &(*last)->next;
	}
	if (kept->begin > 0) {
		*last = *own;
		(*last)->end = kept->begin;
		own = &(*last)->next;
	}
	return own;
}

struct chunk *
keep_take_out(struct keep *keep, struct kept *kept)
{
	struct block **own, *last, *at;
	struct chunk *chunks;

	if (kept->first == NULL)
		return NULL;
	own = find_own(keep, kept, &last);
	while ((at = *own) != NULL && at->size < BLOCK_MAX) {
		*own = at->next;
		at->next = NULL;
		give_all(keep, at);
	}
	chunks = part_with_all(keep, *own);
	*own = NULL;
	keep->last = last;
	*kept = (struct kept){ 0 };
	return chunks;
}

const char *
kept_at(const struct kept *kept, uint64_t offset, size_t *len)
{
	const struct block *block = kept->first;
	uint64_t left = kept->length - offset, at = kept->begin + offset;

	must(offset <= kept->length);
	*len = 0;
	if (left == 0)
		return NULL;
	while (at >= block->size) {
		at -= block->size;
		block = block->next;
	}
	*len = block->size - at < left ? (size_t)(block->size - at) : (size_t)left;
	return block->data + at;
}

size_t
kept_read(const struct kept *kept, uint64_t *offset, char *to, size_t room)
{
	size_t done = 0, len;

	while (done < room) {
		const char *from = kept_at(kept, *offset, &len);

		if (len == 0)
			break;
		if (len > room - done)
			len = room - done;
		memcpy(to + done, from, len);
		done += len;
		*offset += len;
	}
	return done;
}
