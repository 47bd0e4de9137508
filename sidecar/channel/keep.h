// SPDX-License-Identifier: MIT
/* keep.h - bytes that wait for the commit, in blocks one after another.
 *
 * Small parts of a form share one keep, so a hundred small fields cost a few blocks and not a hundred. Blocks grow with what
 * is kept, so that never much more memory is held than there are bytes. The bytes of a part that turns out to be large are taken
 * out again and sent. Parts come one at a time, so these are always the last ones in the keep. A rule with `buffer: true` has a
 * keep of its own.
 *
 * Never waits: when the pool has nothing left for keeping, keep_add() says no and the request is refused.
 */
#ifndef PENSTOCK_KEEP_H
#define PENSTOCK_KEEP_H

#include "channel/blocks.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes that wait in the request's own blocks: `length` bytes from first->data[begin] on, going on in
 * first->next at that block's data[0], each block full but the last. */
struct kept {
	const struct block *first; /* NULL where length is 0 */
	uint32_t begin;
	uint64_t length;
};

struct keep {
	struct blocks *blocks;
	struct block *first, *last;
	size_t held; /* bytes that the blocks have, used or not */
};

void keep_init(struct keep *keep, struct blocks *blocks);
void keep_fini(struct keep *keep); /* gives all blocks back; may be used anew */

/* Appends to the keep and to `kept`, which must be the last one of this keep or empty ({0}).
 * False: no room, nothing was added. */
bool keep_add(struct keep *keep, struct kept *kept, const char *data, size_t len);

/* Takes the bytes of the last `kept` out again, which becomes empty. Returns those chunks that held nothing else, as a list by
 * chunk->link (NULL: none); they are the caller's. The first kept_loose() bytes, which shared chunks with others, are gone: the
 * caller has copied them before. */
struct chunk *keep_take_out(struct keep *keep, struct kept *kept);

/* How many bytes at its beginning share chunks with others: less than two chunks. */
size_t kept_loose(const struct kept *kept);

/* The bytes at `offset`, of which *len lie in one piece; *len is 0 at the end. */
const char *kept_at(const struct kept *kept, uint64_t offset, size_t *len);

/* Copies what comes next, at most `room` bytes, and moves *offset on. Returns how many; 0: the end. */
size_t kept_read(const struct kept *kept, uint64_t *offset, char *to, size_t room);

#endif
