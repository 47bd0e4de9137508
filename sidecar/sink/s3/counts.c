// SPDX-License-Identifier: MIT
/* counts.c - see counts.h. Here stands, once, what each metric is called and its help. */
#include "sink/s3/counts.h"

#include "base/counter.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/refcount.h"

#include <string.h>

struct s3_counts {
	struct refcount refs;
	char *destination;
	struct counter ends[N_S3_OPS][N_S3_ENDS];
	struct counter again[N_S3_OPS];
	struct counter bytes, aborted, left, swept, detached;
	struct counter sweeps[N_S3_SWEEP_ENDS];
};

static const struct {
	const char *name;
	bool has_bytes; /* its body is bytes of an object */
} operations[N_S3_OPS] = {
	[S3_OP_PUT] = { "PutObject", true },
	[S3_OP_CREATE] = { "CreateMultipartUpload", false },
	[S3_OP_PART] = { "UploadPart", true },
	[S3_OP_COMPLETE] = { "CompleteMultipartUpload", false },
	[S3_OP_ABORT] = { "AbortMultipartUpload", false },
	[S3_OP_HEAD] = { "HeadObject", false },
	[S3_OP_DELETE] = { "DeleteObject", false },
	[S3_OP_LIST_UPLOADS] = { "ListMultipartUploads", false },
};

static const char *const end_words[N_S3_ENDS] = {
	[S3_END_2XX] = "2xx",
	[S3_END_4XX] = "4xx",
	[S3_END_5XX] = "5xx",
	[S3_END_OTHER] = "other",
	[S3_END_NONE] = "none",
	[S3_END_CUT] = "cut",
};

static const char *const sweep_words[N_S3_SWEEP_ENDS] = {
	[S3_SWEEP_DONE] = "done",
	[S3_SWEEP_FAILED] = "failed",
	[S3_SWEEP_CUT] = "cut",
};

const char *
s3_operation_name(enum s3_operation op)
{
	must(op < N_S3_OPS);
	return operations[op].name;
}

enum s3_end
s3_end_of(unsigned status, bool is_good)
{
	if (status == 0)
		return S3_END_NONE;
	if (status >= 400)
		return status < 500 ? S3_END_4XX : S3_END_5XX;
	return is_good ? S3_END_2XX : S3_END_OTHER;
}

/* -- life ----------------------------------------------------------------------------------------------- */

struct s3_counts *
s3_counts_new(const char *destination)
{
	struct s3_counts *counts = mem_zalloc(sizeof *counts);

	if (counts == NULL)
		return NULL;
	refcount_init(&counts->refs);
	counts->destination = str_dup(str_of(destination));
	if (counts->destination != NULL)
		return counts;
	mem_free(counts);
	return NULL;
}

struct s3_counts *
s3_counts_acquire(struct s3_counts *counts)
{
	refcount_acquire(&counts->refs);
	return counts;
}

void
s3_counts_release(struct s3_counts *counts)
{
	if (counts == NULL || !refcount_release(&counts->refs))
		return;
	mem_free(counts->destination);
	mem_free(counts);
}

bool
s3_counts_are_of(const struct s3_counts *counts, const char *destination)
{
	return strcmp(counts->destination, destination) == 0;
}

/* -- counting ------------------------------------------------------------------------------------------- */

void
s3_counts_end(struct s3_counts *counts, enum s3_operation op, enum s3_end end, uint64_t bytes)
{
	if (counts == NULL)
		return;
	counter_add(&counts->ends[op][end], 1);
	if (end == S3_END_2XX && operations[op].has_bytes)
		counter_add(&counts->bytes, (size_t)bytes);
}

void
s3_counts_again(struct s3_counts *counts, enum s3_operation op)
{
	if (counts != NULL)
		counter_add(&counts->again[op], 1);
}

void
s3_counts_aborted(struct s3_counts *counts)
{
	if (counts != NULL)
		counter_add(&counts->aborted, 1);
}

void
s3_counts_left(struct s3_counts *counts)
{
	if (counts != NULL)
		counter_add(&counts->left, 1);
}

void
s3_counts_swept(struct s3_counts *counts)
{
	if (counts != NULL)
		counter_add(&counts->swept, 1);
}

void
s3_counts_sweep_end(struct s3_counts *counts, enum s3_sweep_end end)
{
	if (counts != NULL)
		counter_add(&counts->sweeps[end], 1);
}

void
s3_counts_detached(struct s3_counts *counts, bool is_begin)
{
	if (counts != NULL && is_begin)
		counter_add(&counts->detached, 1);
	else if (counts != NULL)
		counter_sub(&counts->detached, 1);
}

/* -- telling -------------------------------------------------------------------------------------------- */

static void
write_ends(const struct s3_counts *counts, const char *name, struct buf *out)
{
	for (int op = 0; op < N_S3_OPS; op++)
		for (int end = 0; end < N_S3_ENDS; end++) {
			const struct metrics_label labels[] = { { "destination", counts->destination },
				{ "call", operations[op].name }, { "status", end_words[end] } };

			metrics_write_labelled(out, name, labels, 3, counter_read(&counts->ends[op][end]));
		}
}

static void
write_again(const struct s3_counts *counts, const char *name, struct buf *out)
{
	for (int op = 0; op < N_S3_OPS; op++) {
		const struct metrics_label labels[] = { { "destination", counts->destination },
			{ "call", operations[op].name } };

		metrics_write_labelled(out, name, labels, 2, counter_read(&counts->again[op]));
	}
}

static void
write_bytes(const struct s3_counts *counts, const char *name, struct buf *out)
{
	metrics_write_sample(out, name, "destination", counts->destination, counter_read(&counts->bytes));
}

static void
write_aborted(const struct s3_counts *counts, const char *name, struct buf *out)
{
	metrics_write_sample(out, name, "destination", counts->destination, counter_read(&counts->aborted));
}

static void
write_left(const struct s3_counts *counts, const char *name, struct buf *out)
{
	metrics_write_sample(out, name, "destination", counts->destination, counter_read(&counts->left));
}

static void
write_sweeps(const struct s3_counts *counts, const char *name, struct buf *out)
{
	for (int end = 0; end < N_S3_SWEEP_ENDS; end++) {
		const struct metrics_label labels[] = { { "destination", counts->destination },
			{ "result", sweep_words[end] } };

		metrics_write_labelled(out, name, labels, 2, counter_read(&counts->sweeps[end]));
	}
}

static void
write_swept(const struct s3_counts *counts, const char *name, struct buf *out)
{
	metrics_write_sample(out, name, "destination", counts->destination, counter_read(&counts->swept));
}

static void
write_detached(const struct s3_counts *counts, const char *name, struct buf *out)
{
	metrics_write_sample(out, name, "destination", counts->destination, counter_read(&counts->detached));
}

static const struct {
	const char *name, *type, *help;
	void (*write)(const struct s3_counts *counts, const char *name, struct buf *out);
} rows[] = {
	{ "penstock_s3_calls_total", "counter",
		"Requests to buckets that are over, by the class of their status (other: a redirect, or a 2xx that was "
		"no good answer; none: no answer came; cut: it was not waited for).",
		write_ends },
	{ "penstock_s3_calls_again_total", "counter",
		"Of the requests to buckets, those that were sent again after a failure.", write_again },
	{ "penstock_s3_bytes_total", "counter",
		"Bytes of objects and of their parts that a bucket has acknowledged.", write_bytes },
	{ "penstock_s3_uploads_aborted_total", "counter", "Unfinished uploads in buckets that were ended.",
		write_aborted },
	{ "penstock_s3_uploads_left_total", "counter",
		"Unfinished uploads that may be left in a bucket, because it could not be brought to end them.",
		write_left },
	{ "penstock_s3_sweeps_total", "counter",
		"Sweeps of buckets that are over (failed: not all was seen, or could be ended; cut: by a reload, or the end "
		"of the process).",
		write_sweeps },
	{ "penstock_s3_uploads_swept_total", "counter",
		"Unfinished uploads of dead processes that sweeps have ended.", write_swept },
	{ "penstock_s3_uploads_ending", "gauge",
		"Unfinished uploads in buckets that are being ended while nobody waits for it.", write_detached },
};

void
s3_counts_write(struct s3_counts *const *all, size_t n, struct buf *out)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		metrics_write_head(out, rows[i].name, rows[i].type, rows[i].help);
		for (size_t j = 0; j < n; j++)
			if (all[j] != NULL)
				rows[i].write(all[j], rows[i].name, out);
	}
}
