// SPDX-License-Identifier: MIT
/* reserve.c - see reserve.h. A key names its slot, so finding it costs one look. */
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

bool
reserve_put(struct reserve *reserve, size_t key)
{
	return counter_replace(&reserve->slots[key % RESERVE_SLOTS], 0, key);
}

bool
reserve_take(struct reserve *reserve, size_t key)
{
	return counter_replace(&reserve->slots[key % RESERVE_SLOTS], key, 0);
}
