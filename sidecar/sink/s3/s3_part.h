// SPDX-License-Identifier: MIT
/* s3_part.h - one part of a stream in memory. For s3_parts.c alone, which has all of them. On the engine's thread. */
#ifndef PENSTOCK_S3_PART_H
#define PENSTOCK_S3_PART_H

#include "sink/s3/s3_priv.h"

/* EMPTY ─▶ FILLING ─full, or the end▶ FULL ─▶ SENDING ─acknowledged▶ EMPTY, or gone */
enum s3_part_state { S3_PART_EMPTY, S3_PART_FILLING, S3_PART_FULL, S3_PART_SENDING };

struct s3_part {
	struct s3 *s3;
	enum s3_part_state state;
	bool is_reserved; /* its memory is of the form's reserve, and not of what is free for all */
	unsigned number;  /* from 1 */
	uint64_t size;
	struct chunk *spare;        /* empty ones, of POOL_KEEP ... */
	size_t n_spare;             /* ... and how many */
	struct chunk *first, *last; /* filled ones, by `link` */
	struct chunk *aside;        /* they stand for what libcurl has of it */
	struct chunk *at;           /* being read, ... */
	uint32_t offset;            /* ... from here on */
	struct s3_sum sum;
	struct s3_digest digest;
	char payload[S3_DIGEST_HEX_SIZE];
	struct buf query;
	struct exchange_line lines[1];
	struct s3_ask ask;
	struct s3_call call;
};

/* EMPTY, with room for all of its bytes and what its request takes beside them. NULL: err says why; ERR_BUSY: there is no memory
 * now; from the reserve there will be, and the channel is told. */
struct s3_part *s3_part_new(struct s3 *s3, bool is_reserved,
	void (*on_end)(void *arg, const struct s3_reply *reply), struct error *err);
void s3_part_free(struct s3_part *part); /* stops its request; NULL is fine */

void s3_part_move(struct s3_part *part, enum s3_part_state to);

/* FILLING: as much of s3->rest as belongs into it; what is used up is given back. */
void s3_part_add(struct s3_part *part);

/* `ask`, of a part whose digest and size stand. Its buffer `query` may have failed. */
void s3_part_ask(struct s3_part *part, const char *number);

/* FULL -> SENDING. False: s3 has failed, and nothing of it may be touched. */
bool s3_part_send(struct s3_part *part);

void s3_part_empty(struct s3_part *part); /* forgets its bytes, and keeps its memory */
void s3_part_trim(struct s3_part *part);  /* gives back what it has no bytes in */

#endif
