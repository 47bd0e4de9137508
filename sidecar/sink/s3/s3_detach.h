// SPDX-License-Identifier: MIT
/* s3_detach.h - ends an order before its unfinished upload is gone, so that a refusal does not wait for a store that does not
 * answer. The upload is aborted without the order. On the engine's thread.
 *
 * The abort has guest_ms of its engine, or less if the process ends. If the upload is not gone by then, the log says so, and it is
 * left to the journal of commits (s3_note.h). An engine has at most S3_DETACHED_MAX such uploads, each charged to the pool. If
 * there are so many, or the pool is short, the order waits for its abort (S3_ABORT_MS). */
#ifndef PENSTOCK_S3_DETACH_H
#define PENSTOCK_S3_DETACH_H

#include "sink/s3/order_priv.h"

#define S3_DETACHED_MAX 64u

/* In ABORTING: reports ENDED, and goes on without its order, if it can. From then on `s3->order` is s3's own copy of what an abort
 * needs. `hurry` is called when the process ends: an abort must be over by then. */
void s3_detach(struct s3 *s3, void (*hurry)(struct s3 *s3, uint64_t by_ms));

void s3_detached_end(struct s3 *s3);                 /* to be called when a detached s3 has ENDED */
void s3_detached_free(struct s3_detached *detached); /* NULL is fine */

#endif
