// SPDX-License-Identifier: MIT
/* counts.h - counts what is asked of one destination, for /metrics. Each number starts at 0 when the destination's name is new, and
 * goes on over reloads as long as the route file has that name. */
#ifndef PENSTOCK_S3_COUNTS_H
#define PENSTOCK_S3_COUNTS_H

#include "base/metrics.h"
#include "base/str.h"

#include <stdbool.h>

enum s3_operation {
	S3_OP_PUT,
	S3_OP_CREATE,
	S3_OP_PART,
	S3_OP_COMPLETE,
	S3_OP_ABORT,
	S3_OP_HEAD,
	S3_OP_DELETE,
	S3_OP_LIST_UPLOADS,
	N_S3_OPS,
};

/* As S3 calls it: "UploadPart". */
const char *s3_operation_name(enum s3_operation op);

/* What became of one request. */
enum s3_end {
	S3_END_2XX, /* it did what was asked */
	S3_END_4XX,
	S3_END_5XX,
	S3_END_OTHER, /* a redirect, or a 2xx that has an error in it, is cut short, or is not S3's */
	S3_END_NONE,  /* no answer came */
	S3_END_CUT,   /* it was given up before an answer came */
	N_S3_ENDS,
};

/* What became of one sweep (sweep.h). */
enum s3_sweep_end {
	S3_SWEEP_DONE,
	S3_SWEEP_FAILED, /* not all uploads were seen, or not all could be ended */
	S3_SWEEP_CUT,    /* a reload, or the end of the process, cut it off */
	N_S3_SWEEP_ENDS,
};

/* Pure. `status`: 0: none came; `is_good`: it did what was asked. */
enum s3_end s3_end_of(unsigned status, bool is_good);

struct s3_counts; /* counted references */

/* For the destination of that name, which is copied. NULL: out of memory. */
struct s3_counts *s3_counts_new(const char *destination);
struct s3_counts *s3_counts_acquire(struct s3_counts *counts);
void s3_counts_release(struct s3_counts *counts); /* NULL is fine */
bool s3_counts_are_of(const struct s3_counts *counts, const char *destination);

/* [any] Each counts one; with NULL it does nothing. `bytes`: of the request's body. */
void s3_counts_end(struct s3_counts *counts, enum s3_operation op, enum s3_end end, uint64_t bytes);
void s3_counts_again(struct s3_counts *counts, enum s3_operation op); /* a request was sent again */
void s3_counts_aborted(struct s3_counts *counts);                     /* an unfinished upload is gone */
void s3_counts_left(struct s3_counts *counts);                        /* an unfinished upload may be left */
void s3_counts_swept(struct s3_counts *counts);                       /* an upload of a dead process is gone */
void s3_counts_sweep_end(struct s3_counts *counts, enum s3_sweep_end end);

/* There is one more, or one less, upload that is aborted after its order has ended (s3_detach.h). */
void s3_counts_detached(struct s3_counts *counts, bool is_begin);

/* [any] Appends the metrics of `n` destinations; NULLs are left out. */
void s3_counts_write(struct s3_counts *const *all, size_t n, struct buf *out);

#endif
