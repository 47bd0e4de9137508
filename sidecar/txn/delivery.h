// SPDX-License-Identifier: MIT
/* delivery.h - the producer's side of one object on its way: the order, the chunk that is being filled, and the item of
 * the plan that says where in its life it stands (plan.h). One part makes one delivery (`store`), or many parts share one
 * (`concat`).
 *
 * A part may have several participants: it is stored, say, and looked at by a scanner. Each has a delivery, because each has an
 * outcome, and the plan treats them like any others. The first one, the writer, collects and writes for all: bytes are kept
 * once, a chunk is filled once and goes to all of them, and each channel must have room for it. Those beside the writer begin,
 * get their bytes and end together with it. If one fails, the whole form fails, and nothing more needs to be written.
 *
 * COLLECTING and KEPT hold their bytes in a keep and no connection. All on the transaction's thread. */
#ifndef PENSTOCK_DELIVERY_H
#define PENSTOCK_DELIVERY_H

#include "channel/keep.h"
#include "sink/order.h"
#include "txn/lent.h"

#define STREAM_SLOTS_MIN 16u         /* chunks in a channel at the least */
#define STREAM_SLOTS_MAX 64u         /* and at the most, for pieces of body */
#define STREAM_UNIT_MIN (64u * 1024) /* bytes of one send at the least */
#define DELIVERY_WRITE_MAX 65536u    /* bytes that are written between two looks whether there is room */
#define DELIVERY_START_CHUNKS 2u     /* that the start of a stream takes for what was collected before */

struct delivery {
	struct plan_item item;
	struct order order;
	struct txn *txn;
	struct lent *lent; /* by that */
	const struct rule *rule;
	struct delivery *writer;    /* of its part: itself, or the one that it was added beside */
	struct delivery *beside;    /* the part's next participant, or NULL */
	struct chunk *open;         /* the writer's: being filled, not yet pushed */
	size_t charged;             /* bytes of the transfer's own memory, see charge() */
	struct chunk *answer;       /* they stand for the upstream's answer, until it has been passed on */
	struct keep own_keep;       /* the writer's: bytes of a rule with `buffer: true` */
	struct buf target;          /* what order.target points to */
	struct buf shown;           /* explain: what of it can be told beforehand */
	struct buf type;            /* what order.type points to, if any */
	struct buf head;            /* what the values of order.lines point to ... */
	struct order_line *lines;   /* ... and what order.lines does; NULL: there are none */
	struct buf digest;          /* what order.digest points to, if anything */
	struct buf link_as;         /* what order.link_as points to, if anything */
	struct delivery *next;      /* in its form, in the order they began */
	struct delivery *next_name; /* part/names.c */
};

/* For txn.c: makes one that no plan knows yet (NULL: out of memory), and frees one that has ended or was never started, which closes
 * its channel (NULL is fine). */
struct delivery *delivery_new(
	struct txn *txn, struct lent *lent, const struct rule *rule, const struct destination *to);
void delivery_free(struct delivery *delivery);

/* For txn.c: lets a new one take part beside the writer, which has got no byte yet. */
void delivery_join(struct delivery *delivery, struct delivery *writer);

/* About how many bytes of the budget would come back if it were cancelled. Those in the channel do not count: they are on their
 * way anyway. */
size_t delivery_held(const struct delivery *delivery);

/* COLLECTING: `head` holds `n` names and values, each with a NUL: they become the lines of the order. `shown`: of each line, as in struct
 * order_line; NULL: all values may be shown. False: out of memory. */
bool delivery_set_lines(struct delivery *delivery, size_t n, const char *const *shown, struct error *err);

/* [writer] COLLECTING -> STREAMING: opens the transfers, and lets what has been collected go first, which is taken out of
 * `keep`. Each channel has room for that and DELIVERY_WRITE_MAX bytes more. *credits counts down as in delivery_write(), by
 * DELIVERY_START_CHUNKS at the most.
 * False: the form must be given up, which also ends those participants that were started before one failed. ERR_BUSY: there is no
 * room in the budget for what a transfer holds until the commit, or for the answer that it is to bring. */
bool delivery_start_stream(struct delivery *writer, struct keep *keep, size_t *credits, struct error *err);

/* KEPT -> SENDING (told to prepare), or with `commit` -> COMMITTING; this one alone. False: nothing was started. */
bool delivery_start_kept(struct delivery *delivery, bool commit, struct error *err);

/* Its `target` has become whole after it was started (KIND_NAMES_LATE). To be called before delivery_commit(). */
void delivery_set_target(struct delivery *delivery);

/* [writer] STREAMING: appends bytes. The caller made sure of room in the channels (parts_prepare) and of reserved
 * chunks; *credits counts those down. */
void delivery_write(struct delivery *writer, const char *data, size_t len, size_t *credits);

/* STREAMING: pushes the chunk being filled if the other side could use it, and lets the transfers run. Nothing for those
 * beside the writer: it is done with the writer's. */
void delivery_flush(struct delivery *delivery);

/* STREAMING -> SENDING, COLLECTING -> KEPT. The same. */
void delivery_finish(struct delivery *delivery);

void delivery_commit(struct delivery *delivery);          /* SENDING or PREPARED -> COMMITTING */
void delivery_cancel(struct delivery *delivery);          /* nothing started: -> GONE; else -> CANCELLING */
void delivery_undo(struct delivery *delivery);            /* COMMITTED -> UNDOING */
bool delivery_has_ended(const struct delivery *delivery); /* COMMITTED or GONE: order.outcome stands */

/* For one that is COMMITTING or UNDOING at a store which may take long to answer: ends it at once, and its outcome may be
 * "unknown". Does nothing to what completes on this machine, which ends soon by itself, nor in any other state. */
void delivery_cut(struct delivery *delivery);

#endif
