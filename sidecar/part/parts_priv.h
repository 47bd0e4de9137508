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
	struct pool *pool;     /* ... and so is what they are cut out of */
	struct source_reader source;
	struct rules *rules;
	struct stages *stages;
	struct part *first, *last;
	size_t count;
	struct delivery **concats; /* by rule->index, NULL: not begun; NULL: there is no such rule */
	struct names names;
	struct part *current; /* between its begin and its end */
	const struct part_head
		*undecided; /* of the current one, which may turn out to be an input left empty; else NULL */
	struct opening {
		const struct part_head *of; /* the current one's, while its first bytes are held; else NULL */
		struct buf bytes;           /* what has come of them; empty unless some are held */
		size_t charged;
	} opening;
	size_t opening_max; /* bytes of one part that may be held: STAGE_FIRST_MAX, or 0 if no rule wants it */
	size_t credits;     /* chunks reserved by parts_prepare() and not yet drawn */
	size_t n_concat;    /* concat rules of the route */
	size_t to_start;    /* chunks that one more stream may take beside those of its bytes in this feed */
	size_t feed_sure;   /* bytes of one feed for which there will be chunks, however few the pool has */
	size_t known;       /* bytes that what is known of the parts takes until the answer, all charged */
	size_t heads;       /* of these, what the source holds */
	struct error error; /* why an event said stop */
};

/* parts_events.c: what the source calls. Each of them leaves its reason in parts->error. */
bool parts_on_begin(void *arg, const struct part_head *head);
bool parts_on_data(void *arg, const char *data, size_t len);
bool parts_on_end(void *arg, uint64_t size);

/* True where bytes are really sent, false for `penstock explain`. */
bool parts_is_run(const struct parts *parts);

/* Names and fates of all parts, and the form's longest head, are held until the answer. A form of many parts, or of long
 * names, can make more of that than of its bytes, so it counts against the budget. False: no room. */
bool parts_charge(struct parts *parts, size_t bytes);
void parts_discharge(struct parts *parts, size_t bytes); /* what is not held any more */

/* A delivery gets no more bytes. False: with `commit: each` one could not be sent, parts->error says why. */
bool parts_finish_delivery(struct parts *parts, struct delivery *delivery);

/* parts_opening.c: first bytes that are held until stages have judged them. They come to no more than STAGE_FIRST_MAX. False: no
 * room. */
bool parts_opening_keep(struct parts *parts, const char *data, size_t len);
void parts_opening_drop(struct parts *parts); /* they have been passed on, or the form is over */

void parts_free_part(struct part *part); /* NULL is fine */

#endif
