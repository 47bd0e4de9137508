// SPDX-License-Identifier: MIT
/* order_priv.h - what the files of one order's life share. From the top: what its producer tells (s3.c), how it begins (s3_create.c), the
 * parts of a stream (s3_parts.c), what makes the object visible (s3_held.c, s3_put.c, s3_commit.c) and what takes it away
 * (s3_abort.c), which call each other, how it ends (s3_end.c); and at the bottom one part (s3_part.c) and what is asked (s3_asks.c).
 * All on the engine's thread.
 *
 *   READY ─START▶ CREATING ─id▶ SENDING ─all acknowledged▶ HELD ─COMMIT▶ COMPLETING ─▶ ENDED
 *     └─START, kept▶ HELD ─COMMIT▶ PUTTING ─▶ ENDED                         │
 *              PUTTING, COMPLETING ─not known▶ LOOKING ─▶ ENDED             │ refused, or (PUTTING, too) stored otherwise
 *     from CREATING on ─CANCEL, failure▶ ABORTING ◀─────────────────────────┘
 *                                            └─no upload is left, or it is not known▶ ENDED ─UNDO▶ UNDOING ─▶ ENDED
 */
#ifndef PENSTOCK_S3_ORDER_PRIV_H
#define PENSTOCK_S3_ORDER_PRIV_H

#include "base/uuid.h"
#include "channel/channel.h"
#include "config/object_head.h"
#include "sink/order.h"
#include "sink/s3/call.h"

enum s3_state {
	S3_READY,      /* opened, not started */
	S3_CREATING,   /* CreateMultipartUpload is asked; bytes are gathered */
	S3_SENDING,    /* parts are on their way */
	S3_HELD,       /* all bytes are acknowledged, or kept; waits for the commit */
	S3_PUTTING,    /* PutObject */
	S3_COMPLETING, /* CompleteMultipartUpload */
	S3_LOOKING,    /* HeadObject: is the object there? */
	S3_ABORTING,   /* the outcome is final, but the upload must go; the order may have ended */
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
	char id[UUID_SIZE]; /* this object's, which tells it from another one of the same name */
	bool is_committed;  /* CHANNEL_COMMIT was told */
	bool is_gathered;   /* no more bytes will come */
	/* for a stream */
	uint64_t part_size;                          /* of all parts but the last */
	struct s3_part *parts[S3_IN_FLIGHT_MAX + 1]; /* those in memory; NULL: a free place */
	unsigned n_parts;                            /* begun so far */
	struct chunk *rest;                          /* popped, but not yet in a part ... */
	uint32_t rest_at;                            /* ... from this byte on */
	struct s3_receipt *receipts;                 /* by number - 1 */
	size_t room;                                 /* of receipts */
	struct s3_digest whole;                      /* of all parts that have been joined, a CRC only */
	struct buf upload;                           /* escaped id; empty: there is no upload */
	bool had_parts_cut;                          /* an UploadPart was cut off: the store may go on with it */
	bool is_to_repeat;                           /* the abort under way was sent while parts were late */
	bool is_upload_gone;                         /* the store said so */
	bool is_complete_open;                       /* it is not known whether the upload was completed */
	bool is_abort_refused;                       /* the store said that it never will */
	unsigned n_aborted;                          /* how often the store said that it aborted it */
	struct s3_detached *detached;                /* the order has ended before; NULL: it waits for the abort */
	struct state_entry *note; /* what the journal of commits has of it (s3_note.h), or NULL */
	/* the call of all requests but UploadPart */
	struct s3_call call;
	struct s3_ask ask;
	struct exchange_line lines[S3_LINES_MAX];
	struct buf query;
	struct timer again; /* for one more abort */
	uint64_t abort_by_ms;
	char payload[S3_DIGEST_HEX_SIZE];
	struct s3_digest digest;
	uint64_t sent;     /* bytes of a kept part */
	bool may_come;     /* a PutObject without an answer may still be on its way */
	struct buf piece;  /* of the document of Complete: the lines of one part ... */
	unsigned piece_of; /* ... which is this one, from 1; 0: the beginning */
	size_t piece_sent;
	char version[S3_VERSION_MAX + 1]; /* of the committed object, or "" */
};

static inline const struct s3_settings *
s3_to(const struct s3 *s3)
{
	return s3_settings(s3->order->to);
}

/* s3_end.c */
void s3_move(struct s3 *s3, enum s3_state to);
void s3_end(struct s3 *s3);  /* the outcome stands: stops everything and reports it */
void s3_free(struct s3 *s3); /* ENDED, and CHANNEL_CLOSE was told */

/* Sends `s3->ask` by `s3->call`. False: err says why it could not be sent. */
bool s3_begin_call(struct s3 *s3, void (*on_end)(void *arg, const struct s3_reply *reply), struct error *err);

/* s3_held.c */
void s3_on_all_away(struct s3 *s3);
void s3_on_commit(struct s3 *s3);

/* s3_asks.c: each fills in `s3->ask`. The buffer `query` may have failed. */
void s3_ask_create(struct s3 *s3);
void s3_ask_put(struct s3 *s3);      /* all but its body */
void s3_ask_complete(struct s3 *s3); /* all but its length */
void s3_ask_head(struct s3 *s3);
void s3_ask_abort(struct s3 *s3);
void s3_ask_delete(struct s3 *s3);

/* s3_parts.c */
void s3_parts_gather(struct s3 *s3); /* moves what is in the channel into parts, and sends the full ones */
void s3_parts_drop(struct s3 *s3);   /* s3_late.c: stops all parts, and gives their memory back */

/* s3_put.c */
void s3_put(struct s3 *s3);

/* s3_create.c */
void s3_create(struct s3 *s3);

/* s3_commit.c */
void s3_complete(struct s3 *s3);
void s3_take_reply(struct s3 *s3, const struct s3_reply *reply);
void s3_commit(struct s3 *s3, const struct s3_reply *reply);       /* the object is there */
void s3_look_for(struct s3 *s3, const struct s3_reply *reply);     /* it is not known: s3_look() */
void s3_delete_wrong(struct s3 *s3, const struct s3_reply *reply); /* it is there, with other bytes */
void s3_look(struct s3 *s3); /* asks for it; outcome.error says why it may not be there */

/* s3_abort.c */

/* There is no object: ABORTED, and away with what there is; UNKNOWN while a Complete that was lost may still be carried out. */
void s3_fail(struct s3 *s3, const struct error *error);
void s3_give_up(struct s3 *s3); /* the same, with the error that the outcome has, if any */

void s3_abort(struct s3 *s3);
void s3_abort_after_parts(struct s3 *s3);  /* no part is LATE any more */
void s3_warn_of_lost(const struct s3 *s3); /* logs that an upload of unknown id may be left */
void s3_take_away(struct s3 *s3);          /* deletes an object that is there and wrong */
void s3_undo(struct s3 *s3);
void s3_end_undo(struct s3 *s3, const struct error *error); /* NULL: the object is deleted */

#endif
