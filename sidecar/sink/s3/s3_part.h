// SPDX-License-Identifier: MIT
/* s3_part.h - one part of a stream, held in memory. For s3_parts.c alone, which has all parts. On the engine's thread. */
#ifndef PENSTOCK_S3_PART_H
#define PENSTOCK_S3_PART_H

#include "sink/s3/order_priv.h"

/* EMPTY ─▶ FILLING ─full, or the end▶ FULL ─▶ SENDING ─acknowledged▶ EMPTY, or gone
 *                                                └─given up, but all of it is away▶ LATE ─its request is over▶ gone */
enum s3_part_state { S3_PART_EMPTY, S3_PART_FILLING, S3_PART_FULL, S3_PART_SENDING, S3_PART_LATE };

struct s3_part {
	struct s3 *s3;
	enum s3_part_state state;
	bool is_reserved; /* its memory is from the form's reserve, and not from what is free for all */
	unsigned number;  /* from 1 */
	uint64_t size;
	struct chunk *spare;        /* empty ones, of POOL_KEEP ... */
	size_t n_spare;             /* ... and how many */
	struct chunk *first, *last; /* filled ones, by `link` */
	struct chunk *aside;        /* charged for the memory that libcurl has for it */
	struct chunk *at;           /* the chunk that is read next, ... */
	uint32_t offset;            /* ... from this byte on */
	struct s3_sum sum;
	struct s3_digest digest;
	char payload[S3_DIGEST_HEX_SIZE];
	struct buf query;
	struct exchange_line lines[1];
	struct s3_ask ask;
	struct s3_call call;
};

/* Makes an EMPTY part, with memory for all of its bytes and for its request. NULL: err says why; ERR_BUSY: there is no memory
 * now. In the reserve there will be some, and then the channel is told. */
struct s3_part *s3_part_new(struct s3 *s3, bool is_reserved,
	void (*on_end)(void *arg, const struct s3_reply *reply), struct error *err);
void s3_part_free(struct s3_part *part); /* stops its request; NULL is fine */

void s3_part_move(struct s3_part *part, enum s3_part_state to);

/* In FILLING: takes as much of s3->rest as belongs into the part, and gives the chunk back when all of it was taken. */
void s3_part_add(struct s3_part *part);

/* Fills in `ask` of a part whose digest and size are final. Its buffer `query` may have failed. */
void s3_part_ask(struct s3_part *part, const char *number);

/* SENDING -> LATE, if the store may have all of it: gives its bytes' memory back, and only waits for the answer. Else false. */
bool s3_part_is_late(struct s3_part *part);

/* FULL -> SENDING. False: err says why it could not be sent. */
bool s3_part_send(struct s3_part *part, struct error *err);

void s3_part_uncharge(struct s3_part *part); /* from now on somebody else is charged for its request */
void s3_part_empty(struct s3_part *part);    /* forgets its bytes, and keeps its memory */
void s3_part_trim(struct s3_part *part);     /* gives back the chunks that are empty */

#endif
