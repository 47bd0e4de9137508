// SPDX-License-Identifier: MIT
/* channel.h - the crossing between one producer (the parser of a part) and one consumer (the transfer that
 * takes it to its destination), on the same thread or on two.
 *
 * Three things cross: chunks (a bounded single-producer single-consumer ring), orders (producer to consumer)
 * and reports (consumer to producer), the latter two as bits of a mail each (mailbox.h).
 *
 *   producer                                     consumer
 *   CHANNEL_START ─────────────────────────────▶ begin
 *   channel_push() ══════ chunks ══════════════▶ channel_pop()
 *        (armed by channel_want_space)  ◀─────── CHANNEL_SPACE
 *   CHANNEL_DATA ──────────────────────────────▶ (armed by channel_want_data)
 *   CHANNEL_FINISH ────────────────────────────▶ no chunk will follow those already pushed
 *                                       ◀─────── CHANNEL_PREPARED: all bytes are away, completion is held
 *   CHANNEL_COMMIT ────────────────────────────▶ make it visible
 *   CHANNEL_CANCEL (instead, at any time) ─────▶ make sure that it never becomes visible
 *                                       ◀─────── CHANNEL_ENDED: the outcome stands, the consumer's last word
 *   CHANNEL_UNDO (after a committed end) ──────▶ take it back
 *   CHANNEL_CANCEL (not instead) ──────────────▶ do not wait for it any longer
 *                                       ◀─────── CHANNEL_UNDONE: the outcome of the undo stands
 *   CHANNEL_CLOSE (the producer's last word) ──▶ the consumer frees the channel
 *
 * A chunk has one owner: the producer until channel_push(), the consumer from channel_pop() on, the channel
 * in between. A producer with several consumers has a channel to each, and tells pool_share() before it pushes one chunk to
 * all of them. ENDED comes exactly once, whatever happens, also after CANCEL; CLOSE is sent exactly once and
 * only after ENDED (and after UNDONE if UNDO was sent). So no mail is in flight when the consumer frees the
 * channel, and the producer may free what it lent to the consumer as soon as it has seen ENDED.
 * tests/model/channel.pml is this protocol, checked by spin.
 */
#ifndef PENSTOCK_CHANNEL_H
#define PENSTOCK_CHANNEL_H

#include "base/error.h"
#include "channel/pool.h"
#include "loop/mailbox.h"

#include <stdbool.h>

#define CHANNEL_SLOTS_MAX 256

enum channel_order {
	CHANNEL_START = 1 << 0,
	CHANNEL_DATA = 1 << 1,
	CHANNEL_FINISH = 1 << 2,
	CHANNEL_COMMIT = 1 << 3,
	CHANNEL_CANCEL = 1 << 4,
	CHANNEL_UNDO = 1 << 5,
	CHANNEL_CLOSE = 1 << 6,
};

enum channel_news {
	CHANNEL_SPACE = 1 << 0,
	CHANNEL_PREPARED = 1 << 1,
	CHANNEL_ENDED = 1 << 2,
	CHANNEL_UNDONE = 1 << 3,
};

struct channel_side {
	struct mailbox *box; /* of the thread that this side lives on */
	void (*on_mail)(
		void *arg, unsigned bits); /* [that thread] orders for the consumer, news for the producer */
	void *arg;
};

struct channel;

/* [producer] `slots` is the ring's bound in chunks (1..CHANNEL_SLOTS_MAX). NULL: out of memory. */
struct channel *channel_new(struct pool *pool, const struct channel_side *producer,
	const struct channel_side *consumer, unsigned slots, struct error *err);

/* [consumer] After CHANNEL_CLOSE, or instead of ever sending START; gives chunks that are left back. */
void channel_free(struct channel *channel);

/* -- producer ------------------------------------------------------------------------------------ */

void channel_push(struct channel *channel, struct chunk *chunk); /* there must be room; wakes nobody */

/* After pushing: was the consumer waiting for data? Clears the mark. If so the caller must see to it that the consumer runs: pump
 * it on the same thread, or channel_tell(CHANNEL_DATA). */
bool channel_take_hunger(struct channel *channel);

/* Arms CHANNEL_SPACE for the moment at which at least `room` chunks (1..slots) may be pushed; there is one mark,
 * a later call moves it. True: there is room already, nothing is armed by this call. SPACE is a hint: it may also
 * come for an earlier mark or for nothing, so the producer then asks again. */
bool channel_want_space(struct channel *channel, unsigned room);

/* CHANNEL_FINISH after the last push. The consumer, too, may tell itself CHANNEL_DATA (and nothing else, and not
 * after ENDED): "go on later, the others come first". */
void channel_tell(struct channel *channel, unsigned orders);

/* -- consumer ------------------------------------------------------------------------------------ */

/* NULL: none now. The caller owns the chunk. It may send SPACE, so it must not be called after ENDED, when the producer may have
 * freed the mail that would receive it. channel_free() gives back what is left in the ring then. */
struct chunk *channel_pop(struct channel *channel);

/* FINISH was told: no chunk will follow those in the ring. Ask this before channel_pop(), not after it: only if it was true first,
 * and the pop then finds nothing, every chunk has been taken. */
bool channel_is_finished(const struct channel *channel);

/* Marks the consumer as waiting for data. False: a chunk or FINISH is there already, nothing is marked. */
bool channel_want_data(struct channel *channel);

void channel_report(struct channel *channel, unsigned news);

#endif
