// SPDX-License-Identifier: MIT
/* s3_late.h - parts whose upload was given up when the store had all of their bytes, but had not answered. The store may go on with
 * such a part, and in some stores it brings back an upload that was aborted meanwhile. So its answer is waited for, without its
 * bytes, and then the upload is aborted once more (s3_abort.c). On the engine's thread.
 *
 * What is waited for has half of the time that the abort has. If there is no answer by then, nobody knows whether the part is still
 * to come. */
#ifndef PENSTOCK_S3_LATE_H
#define PENSTOCK_S3_LATE_H

#include "sink/s3/s3_part.h"

void s3_parts_give_up(struct s3 *s3); /* drops all parts but those that are LATE from now on */

size_t s3_late_count(const struct s3 *s3);
void s3_late_uncharge(struct s3 *s3); /* from now on somebody else is charged for their requests */
void s3_late_hurry(struct s3 *s3);    /* abort_by_ms was set */

/* A LATE part's request is over; the last one makes s3_abort.c go on. Frees the part. */
void s3_late_end(struct s3_part *part, const struct s3_reply *reply);

#endif
