// SPDX-License-Identifier: MIT
/* s3_note.h - tells the journal of commits of an upload, so that the next start ends it if a kill keeps this process from that
 * (settle.h). On the engine's thread.
 *
 *   SILENT ─its id is known▶ NOTED ─ENDED: it is gone, or nobody may end it▶ SILENT
 *                              └─ENDED: it may be unfinished▶ left to the journal, which has this process end it, or the next
 *
 * Without `state` nothing is told. Nobody waits for the journal: it can tell of an upload no earlier than when its id is known,
 * and a kill just before that leaves one of which nobody knows anyway. */
#ifndef PENSTOCK_S3_NOTE_H
#define PENSTOCK_S3_NOTE_H

#include "sink/s3/order_priv.h"

void s3_note(struct s3 *s3); /* it has an id, and is to be ended by somebody */

void s3_note_end(struct s3 *s3); /* its outcome stands; before it is reported */

#endif
