// SPDX-License-Identifier: MIT
/* keep.c - see keep.h. Chunks are linked by chunk->link; content always begins at data[0]. */
#include "part/keep.h"

#include "base/must.h"

#include <string.h>

void
keep_init(struct keep *keep, struct pool *pool)
{
	*keep = (struct keep){ .pool = pool };
}

static void
give_all(struct keep *keep, struct chunk *chunk)
{
	while (chunk != NULL) {
		struct chunk *next = chunk->link;

		chunk->link = NULL;
		pool_give(keep->pool, chunk);
		chunk = next;
	}
}

void
keep_fini(struct keep *keep)
{
	give_all(keep, keep->first);
	keep->first = keep->last = NULL;
	keep_unreserve(keep);
}

static uint32_t
room_in_last(const struct keep *keep)
{
	return keep->last != NULL ? CHUNK_SIZE - keep->last->end : 0;
}

bool
keep_reserve(struct keep *keep, uint64_t bytes)
{
	uint64_t have = room_in_last(keep) + (uint64_t)keep->reserved * CHUNK_SIZE;
	uint64_t chunks;

	if (bytes <= have)
		return true;
	chunks = (bytes - have + CHUNK_SIZE - 1) / CHUNK_SIZE;
	if (chunks > pool_total(keep->pool) || !pool_reserve(keep->pool, (size_t)chunks, POOL_KEEP))
		return false;
	keep->reserved += (size_t)chunks;
	return true;
}

void
keep_unreserve(struct keep *keep)
{
	if (keep->reserved > 0)
		pool_unreserve(keep->pool, keep->reserved, POOL_KEEP);
	keep->reserved = 0;
}

static void
draw(struct keep *keep)
{
	struct chunk *chunk;

	must(keep->reserved > 0);
	keep->reserved--;
	chunk = pool_draw(keep->pool, POOL_KEEP);
	chunk->link = NULL;
	if (keep->last != NULL)
		keep->last->link = chunk;
	else
		keep->first = chunk;
	keep->last = chunk;
}

bool
keep_add(struct keep *keep, struct kept *kept, const char *data, size_t len)
{
	if (!keep_reserve(keep, len))
		return false;
	while (len > 0) {
		uint32_t n;

		if (room_in_last(keep) == 0)
			draw(keep);
		n = room_in_last(keep) < len ? room_in_last(keep) : (uint32_t)len;
		if (kept->first == NULL) {
			kept->first = keep->last;
			kept->begin = keep->last->end;
		}
		memcpy(keep->last->data + keep->last->end, data, n);
		keep->last->end += n;
		kept->length += n;
		data += n;
		len -= n;
	}
	return true;
}

/* The chunk in which the part began stays, cut back to where it began, unless nothing else is in it. */
void
keep_rewind(struct keep *keep, struct kept *kept)
{
	struct chunk **rest = &keep->first, *last = NULL;

	if (kept->first == NULL)
		return;
	while (*rest != kept->first) {
		last = *rest;
		rest = &last->link;
	}
	if (kept->begin > 0) {
		last = *rest;
		last->end = kept->begin;
		rest = &last->link;
	}
	give_all(keep, *rest);
	*rest = NULL;
	keep->last = last;
	*kept = (struct kept){ 0 };
}

const char *
kept_at(const struct kept *kept, uint64_t offset, size_t *len)
{
	const struct chunk *chunk = kept->first;
	uint64_t left = kept->length - offset, at = kept->begin + offset;

	must(offset <= kept->length);
	*len = 0;
	if (left == 0)
		return NULL;
	while (at >= CHUNK_SIZE) {
		chunk = chunk->link;
		at -= CHUNK_SIZE;
	}
	*len = CHUNK_SIZE - at < left ? (size_t)(CHUNK_SIZE - at) : (size_t)left;
	return chunk->data + at;
}
