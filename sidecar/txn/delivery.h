// SPDX-License-Identifier: MIT
/* delivery.h - the producer's side of one object on its way: the order, the chunk that is being filled, and
 * where in its life it stands. One part makes one delivery (`store`), or many parts share one (`concat`).
 *
 *   COLLECTING ─start▶ STREAMING ─finish▶ SENDING ─PREPARED▶ PREPARED ─commit▶ COMMITTING ─ENDED▶ ENDED
 *      │ └─finish▶ KEPT ─start▶ SENDING or COMMITTING                            undo: ENDED ▶ UNDOING ▶ ENDED
 *      └──cancel──▶ ENDED (nothing had been started)      any of these ─cancel▶ CANCELLING ─ENDED▶ ENDED
 *   A transfer may report ENDED at any time after the start: then something went wrong.
 *
 * COLLECTING and KEPT hold their bytes in a keep and no connection. All on the request's thread.
 */
#ifndef PENSTOCK_DELIVERY_H
#define PENSTOCK_DELIVERY_H

#include "base/error.h"
#include "channel/channel.h"
#include "channel/keep.h"
#include "sink/order.h"

#define STREAM_SLOTS_MIN 16u         /* chunks in a channel at the least */
#define STREAM_UNIT_MIN (64u * 1024) /* bytes of one send at the least */

enum delivery_state {
	DELIVERY_COLLECTING, /* its bytes go to a keep; more may come */
	DELIVERY_KEPT,       /* whole, kept, not started */
	DELIVERY_STREAMING,  /* started; its bytes go through the channel; more may come */
	DELIVERY_SENDING,    /* started; no more will come; not yet all away */
	DELIVERY_PREPARED,   /* all away, completion held */
	DELIVERY_COMMITTING, /* told to complete */
	DELIVERY_CANCELLING, /* told to give up */
	DELIVERY_UNDOING,    /* was committed, told to take it back */
	DELIVERY_ENDED,      /* order.outcome stands; nobody else touches it any more */
};

struct delivery {
	struct order order;
	enum delivery_state state;
	const struct rule *rule;
	const struct outlets *outlets;
	struct pool *pool;
	struct chunk *open;                                      /* being filled, not yet pushed */
	struct chunk *charged;                                   /* they stand for the transfer's own memory ... */
	struct chunk *answer;                                    /* ... and for the answer that it is to bring */
	struct keep own_keep;                                    /* bytes of a rule with `buffer: true` */
	struct buf target;                                       /* what order.target points to */
	struct buf shown;                                        /* explain: what of it can be told beforehand */
	struct buf type;                                         /* what order.type points to, if any */
	void (*on_change)(void *arg, struct delivery *delivery); /* news came: something may go on */
	void *on_change_arg;
	size_t index;               /* for whoever lists all of a form: its place */
	struct delivery *next;      /* in its form, in the order they began */
	struct delivery *next_name; /* names.c */
};

/* NULL: out of memory. Begins as COLLECTING. `blocks` NULL: nothing is ever kept or sent (explain). */
struct delivery *delivery_new(const struct rule *rule, const struct outlets *outlets, struct blocks *blocks);

/* [ENDED or never started] Closes the channel and frees everything. NULL is fine. */
void delivery_free(struct delivery *delivery);

/* Bytes of the budget, about, that would come back if it were cancelled; what is in the channel is on its way anyway. */
size_t delivery_held(const struct delivery *delivery);

/* COLLECTING -> STREAMING: opens the transfer; `producer_box` gets the news. False: nothing was started. ERR_BUSY: what
 * a transfer holds until the commit, or the answer that it is to bring, would not fit into the budget. */
bool delivery_start_stream(struct delivery *delivery, struct mailbox *producer_box, struct error *err);

/* KEPT -> SENDING (told to prepare), or with `commit` -> COMMITTING. False: nothing was started; ERR_BUSY as above. */
bool delivery_start_kept(struct delivery *delivery, struct mailbox *producer_box, bool commit, struct error *err);

/* STREAMING: appends bytes. The caller made sure of room in the channel (parts_prepare) and of reserved
 * chunks; *credits counts those down. */
void delivery_write(struct delivery *delivery, const char *data, size_t len, size_t *credits);

/* STREAMING: pushes the chunk being filled if the other side could use it, and lets the transfer run. */
void delivery_flush(struct delivery *delivery);

/* STREAMING -> SENDING, COLLECTING -> KEPT. */
void delivery_finish(struct delivery *delivery);

void delivery_commit(struct delivery *delivery); /* SENDING or PREPARED -> COMMITTING */
void delivery_cancel(struct delivery *delivery); /* any but CANCELLING, ENDED, UNDOING: -> CANCELLING or ENDED */
void delivery_undo(struct delivery *delivery);   /* ENDED as committed -> UNDOING */

/* COMMITTING or UNDOING at a store that may owe its answer for long: asks for the end, which then comes at once and may be
 * that nobody knows. Files are never waited for; in other states nothing. */
void delivery_cut(struct delivery *delivery);

#endif
