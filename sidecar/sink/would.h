// SPDX-License-Identifier: MIT
/* would.h - for `penstock explain`: what an order would make its sink do, step by step. Nothing is opened and nothing is asked.
 * What only a transfer or its store can know stands in braces: "{upload}". */
#ifndef PENSTOCK_WOULD_H
#define PENSTOCK_WOULD_H

#include "base/str.h"
#include "config/peer.h"
#include "sink/order.h"

#define WOULD_STEPS_MAX 8
#define WOULD_NO_BODY UINT64_MAX

enum would_when {
	WOULD_BEFORE, /* nothing of it is visible */
	WOULD_COMMIT, /* it becomes visible */
	WOULD_CANCEL, /* instead of the commit, if the form is refused or its client leaves */
	WOULD_UNDO,   /* after the commit, if another object of the form cannot be committed */
	WOULD_ANSWER, /* not asked by penstock: the client may, with what the answer tells */
};

struct would_step {
	enum would_when when;
	const char *call;  /* a constant: "UploadPart", "rename" */
	struct buf target; /* what it is asked of: "PUT https://store/bucket/key" */
	struct buf lines;  /* of its head, "Name: value", a newline behind each; no secrets */
	uint64_t bytes;    /* of its body, or WOULD_NO_BODY */
	uint64_t times;    /* as often, each with so many bytes */
};

struct would {
	size_t n;
	struct would_step steps[WOULD_STEPS_MAX];
};

/* One more, of the sink that is asked; its target is then added to. */
struct would_step *would_add(struct would *would, enum would_when when, const char *call);

/* A NULL value is left out. */
void would_line(struct would_step *step, const char *name, const char *value);

/* A line that the route file adds: its value may be a secret. */
void would_line_of_file(struct would_step *step, const struct header_line *line);

/* Out of memory somewhere. */
bool would_has_failed(const struct would *would);
void would_free(struct would *would);

#endif
