// SPDX-License-Identifier: MIT
/* metrics.h - counters of the process, and how they are written for Prometheus (text format 0.0.4). Each counter stands once,
 * with its help text, in metrics.def. */
#ifndef PENSTOCK_METRICS_H
#define PENSTOCK_METRICS_H

#include "base/counter.h"
#include "base/error.h"
#include "base/str.h"

enum metric {
#define METRIC(enumerator, name, labels, help) enumerator,
#include "base/metrics.def"
#undef METRIC
	N_METRICS
};

struct metrics { /* zeroed at the start; any thread counts */
	struct counter n[N_METRICS];
	struct counter errors[ERROR_KINDS]; /* requests that ended with an error, by its kind */
};

void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n); /* [any] NULL: does nothing */

/* [any] One request is over. */
void metrics_request(struct metrics *metrics, unsigned status, enum error_kind error);

/* Appends all counters. */
void metrics_write(const struct metrics *metrics, struct buf *out);

/* For figures that are not counted but looked up: HELP and TYPE, then one line for each sample; label and value may be
 * NULL, and hold nothing that would have to be escaped. */
void metrics_write_head(struct buf *out, const char *name, const char *type, const char *help);
void metrics_write_sample(struct buf *out, const char *name, const char *label, const char *value, uint64_t n);

struct metrics_label {
	const char *name, *value; /* likewise */
};

/* The same with as many labels as there are. */
void metrics_write_labelled(
	struct buf *out, const char *name, const struct metrics_label *labels, size_t n_labels, uint64_t n);

#endif
