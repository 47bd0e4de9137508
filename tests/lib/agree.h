// SPDX-License-Identifier: MIT
/* agree.h - the filter's scanner and the sidecar's form, given the same body: both refuse it for the same
 * reason, at the same byte, in the same words; only how it ends is left to the form. */
#ifndef PENSTOCK_AGREE_H
#define PENSTOCK_AGREE_H

#include "config/route.h"
#include "source/multipart/form.h"

/* How a body is cut: its first `first` bytes (0: no first piece), then pieces of `step`. */
struct cut {
	size_t first, step;
};

/* The verdict of each, as text: "passed", "whole", or "kind@offset limit: sentence". */
void agree_scan(const struct boundary *boundary, const struct limits *limits, struct str body, struct cut cut,
	struct buf *verdict);
void agree_form(const struct boundary *boundary, const struct limits *limits, struct str body, struct cut cut,
	struct buf *verdict);

/* False: they contradict each other, or the scanner depends on the cut; `why` says how. */
bool agree(const struct boundary *boundary, const struct limits *limits, struct str body, struct cut cut,
	struct buf *why);

#endif
