// SPDX-License-Identifier: MIT
/* guard.h - finds the true delimiters in a form's body and reads each part's head whole.
 *
 *   PREAMBLE ─delimiter▶ AFTER ─CRLF▶ HEAD ─empty line▶ BODY ─delimiter▶ AFTER ─"--"▶ CLOSE ─CRLF▶ EPILOGUE
 *
 * A delimiter is CRLF "--" boundary; at the very start of the body its CRLF may be missing, and up to FORM_PREAMBLE_MAX
 * bytes of text may stand before it (RFC 2046 calls them the preamble): they are skipped, but no line of them may begin
 * with "--". What follows it must be CRLF, or "--" and then CRLF or the end of the body (RFC 2046 section
 * 5.1.1): padding or more text is refused, because parsers disagree about it, and so is a
 * delimiter without a CRLF of its own right after a head. "--" and the boundary may stand nowhere else, neither before
 * the first delimiter nor in a head or a content nor behind the end. Text with an empty line behind it may stand neither before the first
 * delimiter nor behind the end, because Django takes that for a part with its head. Correct at every split, linear in the bytes fed.
 * Pure; one thread. */
#ifndef PENSTOCK_GUARD_H
#define PENSTOCK_GUARD_H

#include "source/multipart/finder.h"
#include "source/multipart/form.h"

enum guard_state { GUARD_PREAMBLE, GUARD_AFTER, GUARD_CLOSE, GUARD_HEAD, GUARD_BODY, GUARD_EPILOGUE };

/* What the guard calls; each returns false to stop for good, having set the error itself. */
struct guard_events {
	bool (*on_head)(void *arg, struct str text, uint64_t delimiter_offset, uint64_t head_offset);
	bool (*on_data)(void *arg, const char *data, size_t len, bool is_dense); /* see postproc_data() */
	bool (*on_end)(void *arg);
};

struct guard {
	const struct guard_events *events;
	void *arg;
	struct error *err; /* of the form_feed() that runs */
	enum guard_state state;
	char delimiter[FORM_BOUNDARY_MAX + 5]; /* CRLF "--" boundary */
	size_t delimiter_len;
	struct finder finder; /* of its text without the CRLF */
	size_t matched;       /* bytes of the delimiter that the input ends with */
	size_t assumed;       /* of these, not really in the input: the CRLF before a first delimiter */
	uint64_t offset;      /* bytes of the body fed */
	uint64_t preamble;    /* bytes skipped before the first delimiter */
	unsigned dashes;      /* ... with which the line under way there began so far, while it is nothing else */
	enum guard_outside { OUTSIDE_NOTHING, OUTSIDE_TEXT, OUTSIDE_LINE } outside; /* see ends_head() */
	uint64_t delimiter_at; /* where the last delimiter began */
	uint64_t head_at;      /* where the head under way began */
	uint64_t content_at;   /* where the next byte of the content under way comes from */
	uint64_t max_head;
	size_t after_len;
	char after[2];   /* what followed the delimiter so far; of what follows the last one only how much */
	struct buf head; /* the head under way */
	bool is_dense;   /* carriage returns come so often that the post-processor would be slow */
};

void guard_init(struct guard *guard, const struct boundary *boundary, uint64_t max_head,
	const struct guard_events *events, void *arg);
void guard_fini(struct guard *guard);

/* False: refused (err says why), or an event said stop. Then only guard_fini() may follow. */
bool guard_feed(struct guard *guard, const char *data, size_t len, struct error *err);

/* The body has ended. False: not where it may end. */
bool guard_finish(struct guard *guard, struct error *err);

#endif
