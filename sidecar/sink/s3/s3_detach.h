// SPDX-License-Identifier: MIT
/* s3_detach.h - ends an order before its unfinished upload is gone, so that a refusal does not wait for a store that does not
 * answer. The upload is aborted without the order. On the engine's thread.
 *
 *   what the journal of commits has of it:     SILENT ─its id is known▶ TELLING ─on disk▶ TOLD ─forgotten, or left▶ SILENT
 *                                                                        └─no▶ SILENT
 *
 * The abort has DETACHED_MS, or less if the process ends. If the upload is not gone by then, the log says so, and its entry stays
 * in the journal for the next start (settle.h). An engine has at most S3_DETACHED_MAX such uploads, each charged to the pool. If
 * there are so many, or the pool is short, the order waits for its abort (S3_ABORT_MS). */
#ifndef PENSTOCK_S3_DETACH_H
#define PENSTOCK_S3_DETACH_H

#include "sink/s3/s3_priv.h"

#define S3_DETACHED_MAX 64u

/* In ABORTING: reports ENDED, and goes on without its order, if it can. From then on `s3->order` is s3's own copy of what an abort
 * needs. */
void s3_detach(struct s3 *s3);

/* To be called when the upload's id is known: writes it into the journal. If s3 was not detached, or there is no journal, it does
 * nothing. */
void s3_detached_note(struct s3 *s3);

/* To be called when a detached s3 has ENDED. True: it is not needed any more, but CHANNEL_CLOSE may still have to come. False: the
 * journal has not answered yet; when it has, on_over is called. */
bool s3_detached_end(struct s3 *s3, void (*on_over)(struct s3 *s3));

void s3_detached_free(struct s3_detached *detached); /* NULL is fine */

#endif
