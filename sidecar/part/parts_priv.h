// SPDX-License-Identifier: MIT
/* parts_priv.h - what parts.c (the form as a whole) and parts_events.c (one part after another) share. */
#ifndef PENSTOCK_PARTS_PRIV_H
#define PENSTOCK_PARTS_PRIV_H

#include "part/arrivals.h"
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
	struct arrivals arrivals;
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
	size_t wanted;      /* chunks that it found too few of */
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

/* parts_charge.c. True: bytes are really sent. False: `penstock explain`. */
bool parts_is_run(const struct parts *parts);

/* Names and fates of all parts, and the form's longest head, are held until the answer. In a form of many parts, or of long
 * names, they can take more memory than its bytes, so they count against the budget. False: no room. */
bool parts_charge(struct parts *parts, size_t bytes);

/* May the current part, of `length` bytes so far, be kept beside what this keep of its form holds? If not it goes as a stream, so that a
 * form of many such parts does not fill the memory. */
bool parts_may_keep(const struct parts *parts, const struct keep *keep, uint64_t length);
void parts_discharge(struct parts *parts, size_t bytes); /* so many bytes are not held any more */

/* To be called when a delivery gets no more bytes. False: with `commit: each` it could not be sent, parts->error says why. */
bool parts_finish_delivery(struct parts *parts, struct delivery *delivery);

/* parts_opening.c: adds to the first bytes that are held until stages have judged them, STAGE_FIRST_MAX in all at most. False: no
 * room. */
bool parts_opening_keep(struct parts *parts, const char *data, size_t len);
void parts_opening_drop(struct parts *parts); /* frees them: they have been passed on, or the form is over */

/* parts_needs.c. What the rule of the current part needs has come, unless it is held, and the part is none too many of a field that others
 * need. False: parts->error says so. */
bool parts_meet_needs(struct parts *parts, const struct part_head *head);

/* What names are made of. `head`: the part's, as far as names are made of it. */
struct named_part parts_named(const struct parts *parts, const struct part *part, const struct part_head *head);

/* Gives the delivery of the part its name, which no other of the form has. False: parts->error says why. */
bool parts_name(struct parts *parts, const struct part *part, const struct part_head *head);

/* The form has ended: gives those their names that were held for it. False: err says why. */
bool parts_name_held(struct parts *parts, struct error *err);

/* parts_said.c. A value that says the digest of a file, by `verify.field` of a rule? */
bool parts_says_digest(const struct parts *parts, const struct part_head *head);

/* The form has ended: compares what such values say with what the files are. False: err says why. */
bool parts_compare_said(struct parts *parts, struct error *err);

/* parts_part.c. NULL: out of memory. */
struct part *parts_new_part(const struct part_head *head);
void parts_free_part(struct part *part); /* NULL is fine */

/* parts_forward.c. The rule that takes the current part, and its action. False: none does, or it is a value with a name that is one of our
 * files' (config/app_names.h); parts->error says so. */
bool parts_pick_rule(struct parts *parts, const struct part_head *head);

/* Adds to the value of the current part. False: no room in the budget, or parts->error is set. */
bool parts_keep_value(struct parts *parts, const char *data, size_t len);

#endif
