// SPDX-License-Identifier: MIT
/* s3_priv.h - what s3.c (an order's life), s3_asks.c (what is asked), s3_parts.c and s3_part.c (the parts of a stream), s3_put.c and s3_commit.c (what makes
 * an object visible) and s3_abort.c (what takes it away) share. All on the engine's thread.
 *
 *   READY ─START▶ CREATING ─id▶ SENDING ─all acknowledged▶ HELD ─COMMIT▶ COMPLETING ─▶ ENDED
 *     └─START, kept▶ HELD ─COMMIT▶ PUTTING ─▶ ENDED                         │
 *              PUTTING, COMPLETING ─nobody knows▶ LOOKING ─▶ ENDED          │ refused
 *     from CREATING on ─CANCEL, failure▶ ABORTING ◀─────────────────────────┘
 *                                            └─no upload is left, or nobody can say▶ ENDED ─UNDO▶ UNDOING ─▶ ENDED
 */
#ifndef PENSTOCK_S3_PRIV_H
#define PENSTOCK_S3_PRIV_H

#include "base/uuid.h"
#include "channel/channel.h"
#include "config/object_head.h"
#include "sink/order.h"
#include "sink/s3/call.h"

enum s3_state {
	S3_READY,      /* opened, not started */
	S3_CREATING,   /* CreateMultipartUpload is asked; bytes are gathered */
	S3_SENDING,    /* parts are on their way */
	S3_HELD,       /* all bytes are away, or kept; waits for the commit */
	S3_PUTTING,    /* PutObject */
	S3_COMPLETING, /* CompleteMultipartUpload */
	S3_LOOKING,    /* HeadObject: did it come to be? */
	S3_ABORTING,   /* the outcome stands, but the upload is to go; the order may have ended */
	S3_UNDOING,    /* DeleteObject */
	S3_ENDED,
};

#define S3_LINES_MAX (5 + METADATA_LINES_MAX) /* four of its own, a disposition, metadata */

struct s3_part;     /* s3_part.h */
struct s3_detached; /* s3_detach.h */

/* What CompleteMultipartUpload has to say of a part. */
struct s3_receipt {
	char etag[80];
	char sum[S3_DIGEST_BASE64_SIZE];
};

_Static_assert(sizeof(struct s3_receipt) == S3_RECEIPT_BYTES, "as form_memory() counts it");

struct s3 {
	struct pool *pool;
	struct order *order;
	struct channel *channel; /* NULL: CHANNEL_CLOSE was told */
	struct reserve_user user;
	enum s3_state state;
	struct s3_object object;
	char id[UUID_SIZE]; /* of this object, so that it can be told from another one of the same name */
	bool is_committed;  /* CHANNEL_COMMIT was told */
	bool is_gathered;   /* no more bytes will come */
	/* of a stream */
	uint64_t part_size;                          /* of all parts but the last */
	struct s3_part *parts[S3_IN_FLIGHT_MAX + 1]; /* NULL: not there */
	unsigned n_parts;                            /* begun so far */
	struct chunk *rest;                          /* popped, and not yet in a part ... */
	uint32_t rest_at;                            /* ... from here on */
	struct s3_receipt *receipts;                 /* by number - 1 */
	size_t room;                                 /* of receipts */
	struct s3_digest whole;                      /* of all parts that have been joined, a CRC only */
	struct buf upload;                           /* escaped id; empty: there is none */
	bool had_parts_cut;                          /* an UploadPart was cut off: the store may still be at it */
	bool is_upload_gone;                         /* the store said so */
	bool is_complete_open;                       /* nobody knows whether it was completed */
	bool was_aborted;                            /* the store said that it did */
	bool is_abort_refused;                       /* it said that it never will */
	unsigned n_aborted;                          /* how often it said that it did */
	struct s3_detached *detached;                /* the order has ended before that; NULL: it waits */
	bool is_over;                                /* detached: nothing is left to do but to hear of CLOSE */
	/* the one call that is no part's */
	struct s3_call call;
	struct s3_ask ask;
	struct exchange_line lines[S3_LINES_MAX];
	struct buf query;
	struct timer again; /* of an abort */
	uint64_t abort_by_ms;
	char payload[S3_DIGEST_HEX_SIZE];
	struct s3_digest digest;
	uint64_t sent;     /* of a kept part */
	bool may_come;     /* a PutObject that was lost may still be on its way */
	struct buf piece;  /* of the document of Complete, for one part ... */
	unsigned piece_of; /* ... this one, from 1; 0: the beginning */
	size_t piece_sent;
	char version[S3_VERSION_MAX + 1]; /* of the committed object, or "" */
};

static inline const struct s3_settings *
s3_to(const struct s3 *s3)
{
	return s3_settings(s3->order->to);
}

/* s3.c */
void s3_move(struct s3 *s3, enum s3_state to);
void s3_end(struct s3 *s3); /* the outcome stands: stops everything and reports it */

/* There is no object: ABORTED, and away with what there is; UNKNOWN while a Complete that was lost may still be carried out. */
void s3_fail(struct s3 *s3, const struct error *error);
void s3_on_all_away(struct s3 *s3);

/* Asks `s3->ask` with `s3->call`. */
bool s3_begin_call(struct s3 *s3, void (*on_end)(void *arg, const struct s3_reply *reply), struct error *err);

/* s3_asks.c: `s3->ask`. The buffer `query` may have failed. */
void s3_ask_create(struct s3 *s3);
void s3_ask_put(struct s3 *s3);      /* but its body */
void s3_ask_complete(struct s3 *s3); /* but its length */
void s3_ask_head(struct s3 *s3);
void s3_ask_abort(struct s3 *s3);
void s3_ask_delete(struct s3 *s3);

/* s3_parts.c */
void s3_parts_gather(
	struct s3 *s3); /* what is in the channel goes into parts, and those that are full on their way */
void s3_parts_drop(struct s3 *s3); /* stops them, and gives all their memory back */

/* s3_put.c */
void s3_put(struct s3 *s3);

/* s3_commit.c */
void s3_create(struct s3 *s3);
void s3_complete(struct s3 *s3);
void s3_take_reply(struct s3 *s3, const struct s3_reply *reply);
void s3_commit(struct s3 *s3, const struct s3_reply *reply);   /* it is there */
void s3_look_for(struct s3 *s3, const struct s3_reply *reply); /* nobody knows: s3_look() */
void s3_look(struct s3 *s3); /* is the object there? outcome.error says why it may not be */

/* s3_abort.c */
void s3_abort(struct s3 *s3);
void s3_abort_by(struct s3 *s3, uint64_t by_ms); /* ABORTING: it must be over by then */
void s3_warn_of_lost(const struct s3 *s3);       /* an upload whose id nobody knows may be left */
void s3_take_away(struct s3 *s3);                /* an object that is there and wrong */
void s3_undo(struct s3 *s3);
void s3_end_undo(struct s3 *s3, const struct error *error); /* NULL: it is taken back */

#endif
