// SPDX-License-Identifier: MIT
/* scan.h - looks at a body while it streams through the gateway: its limits, its delimiters and the heads of its parts. It keeps
 * nothing of the body.
 *
 * The same guard as in the sidecar finds the delimiters, and the same code reads the heads, so the gateway and the sidecar
 * cannot read a form differently, and of several faults both tell the first. What a field rule refuses is left to the
 * sidecar. Pure; one thread. It allocates only while the head of a part is longer than any before it in the same
 * body. */
#ifndef PENSTOCK_NATIVE_SCAN_H
#define PENSTOCK_NATIVE_SCAN_H

#include "config/route.h"
#include "source/multipart/guard.h"
#include "source/multipart/part_head.h"

struct scan {
	struct guard guard;
	struct error *err;
	const struct limits *limits; /* of the route */
	struct form_limits form_limits;
	struct head_reader reader;
	uint64_t seen; /* bytes of body */
	bool has_delimiters;
};

/* The scan must not be moved afterwards. `limits` is borrowed. `boundary`: NULL for a body without delimiters; then only its length
 * counts. */
void scan_init(struct scan *scan, const struct limits *limits, const struct boundary *boundary);
void scan_fini(struct scan *scan);

/* The next bytes. False: ERR_TOO_LARGE (limit body, parts or part_head), ERR_MALFORMED, or ERR_NOMEM; then only
 * scan_fini() may follow. */
bool scan_feed(struct scan *scan, const char *data, size_t len, struct error *err);

#endif
