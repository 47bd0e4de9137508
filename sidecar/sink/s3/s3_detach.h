// SPDX-License-Identifier: MIT
/* s3_detach.h - an unfinished upload whose order ends before it is gone, so that the refusal does not wait for a store that does
 * not answer. On the engine's thread.
 *
 *   what the journal of commits tells of it:   SILENT ─its id is known▶ TELLING ─on disk▶ TOLD ─forgotten, or left▶ SILENT
 *                                                                        └─no▶ SILENT
 *
 * It has DETACHED_MS, or what the end of the process leaves. If the upload is not gone by then, the log says so, and what the
 * journal tells stays for the next start (settle.h). There are at most S3_DETACHED_MAX of them on an engine, each charged to the
 * pool, and none where that is short: then the order waits for its abort (S3_ABORT_MS). */
#ifndef PENSTOCK_S3_DETACH_H
#define PENSTOCK_S3_DETACH_H

#include "sink/s3/s3_priv.h"

#define S3_DETACHED_MAX 64u

/* ABORTING: reports ENDED and lives on without its order, if it can. From then on `s3->order` is a copy of its own of what an abort
 * needs. */
void s3_detach(struct s3 *s3);

/* The journal tells of its upload from now on, whose id is known. Nothing where it was not detached, or there is no journal. */
void s3_detached_note(struct s3 *s3);

/* s3 has ENDED, detached. True: nothing of it is needed any more, but CHANNEL_CLOSE may have to come. False: the journal owes an
 * answer, and on_over is called behind that. */
bool s3_detached_end(struct s3 *s3, void (*on_over)(struct s3 *s3));

void s3_detached_free(struct s3_detached *detached); /* NULL is fine */

#endif
