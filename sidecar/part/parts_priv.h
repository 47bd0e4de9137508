// SPDX-License-Identifier: MIT
/* parts_priv.h - what parts.c (the form as a whole) and parts_events.c (one part after another) share. */
#ifndef PENSTOCK_PARTS_PRIV_H
#define PENSTOCK_PARTS_PRIV_H

#include "part/names.h"
#include "part/parts.h"
#include "part/rules.h"
#include "stage/stages.h"

struct parts {
	struct parts_setup setup;
	struct txn *txn;
	struct blocks *blocks; /* NULL in a dry run ... */
	struct pool *pool;     /* ... and so is the pool that they come from */
	struct source_reader source;
	struct rules *rules;
	struct stages *stages;
	struct part *first, *last;
	size_t count;
	struct delivery **concats; /* by rule->index, NULL: not begun; NULL: there is no such rule */
	struct names names;
	struct part *current; /* the part that began last; NULL: none yet */
	const struct part_head
		*undecided; /* the current part's head, if that may turn out to be an input left empty; else NULL */
	struct opening {
		const struct part_head *of; /* the current part's head, while its first bytes are held; else NULL */
		struct buf bytes;           /* the first bytes that are held so far */
		size_t charged;
	} opening;
	size_t opening_max; /* bytes of one part that may be held: STAGE_FIRST_MAX, or 0 if no rule wants it */
	size_t credits;     /* chunks reserved by parts_prepare() and not yet drawn */
	size_t n_concat;    /* concat rules of the route */
	size_t to_start;    /* chunks that a stream may take at its start, beside those for its bytes in a feed */
	size_t feed_sure;   /* bytes of a feed for which there will be chunks some day, whatever forms keep */
	size_t known;       /* bytes that are charged until the answer for what is known of the parts */
	size_t heads;       /* those of them that the source holds */
	struct error error; /* why an event said stop */
};

/* parts_events.c: what the source calls. False: parts->error says why. */
bool parts_on_begin(void *arg, const struct part_head *head);
bool parts_on_data(void *arg, const char *data, size_t len);
bool parts_on_end(void *arg, uint64_t size);

/* True: bytes are really sent. False: `penstock explain`. */
bool parts_is_run(const struct parts *parts);

/* Names and fates of all parts, and the form's longest head, are held until the answer. In a form of many parts, or of long
 * names, they can take more memory than its bytes, so they count against the budget. False: no room. */
bool parts_charge(struct parts *parts, size_t bytes);
void parts_discharge(struct parts *parts, size_t bytes); /* so many bytes are not held any more */

/* To be called when a delivery gets no more bytes. False: with `commit: each` it could not be sent, parts->error says why. */
bool parts_finish_delivery(struct parts *parts, struct delivery *delivery);

/* parts_opening.c: adds to the first bytes that are held until stages have judged them, STAGE_FIRST_MAX in all at most. False: no
 * room. */
bool parts_opening_keep(struct parts *parts, const char *data, size_t len);
void parts_opening_drop(struct parts *parts); /* frees them: they have been passed on, or the form is over */

void parts_free_part(struct part *part); /* NULL is fine */

#endif
