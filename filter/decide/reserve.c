// SPDX-License-Identifier: MIT
/* reserve.c - see reserve.h. A key names the first of its slots, so finding it costs a few looks. */
#include "decide/reserve.h"

#include <stdint.h>

/* FNV-1a. An id that a client makes up to hit another's key would have to be that one's id. */
size_t
reserve_key(struct str id, const struct counter *counter)
{
	uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)(uintptr_t)counter;

	for (size_t i = 0; i < id.len; i++)
		hash = (hash ^ (unsigned char)id.data[i]) * 0x100000001b3u;
	hash ^= hash >> 32;
	return (size_t)hash != 0 ? (size_t)hash : 1;
}

static struct counter *
slot_of(struct reserve *reserve, size_t key, size_t nth)
{
	return &reserve->slots[(key + nth) % RESERVE_SLOTS];
}

bool
reserve_put(struct reserve *reserve, size_t key)
{
	for (size_t i = 0; i < RESERVE_TRIES; i++)
		if (counter_read(slot_of(reserve, key, i)) == key)
			return false;
	for (size_t i = 0; i < RESERVE_TRIES; i++)
		if (counter_replace(slot_of(reserve, key, i), 0, key))
			return true;
	return false;
}

bool
reserve_take(struct reserve *reserve, size_t key)
{
	for (size_t i = 0; i < RESERVE_TRIES; i++) {
		struct counter *slot = slot_of(reserve, key, i);

		if (counter_read(slot) == key && counter_replace(slot, key, 0)) /* mostly it is not there */
			return true;
	}
	return false;
}
