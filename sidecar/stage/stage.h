// SPDX-License-Identifier: MIT
/* stage.h - what one stage says of itself. A stage looks at a part's bytes as they pass, never changes them, and may refuse
 * the form. What it finds out are facts of the part (facts.h).
 *
 *   begin ─▶ look ─▶ … ─▶ look ─▶ end        for each part that its rule wants the stage for; a refusal ends the form
 *                      └─ judge                once, before `end`, if the stage holds the part: when STAGE_FIRST_MAX bytes have
 *                                              been looked at, or all of a shorter one
 *   drop                                     once, with the form, if it has begun for any part; whatever state it is in
 *
 * Each is one constant, NAME_stage, for the line of stages.def; nobody else knows which stages there are. Its keys are rows of
 * the key table (config/keys.c), and what they say is in struct rule.
 *
 * A form belongs to one thread, and so does what its stages hold. */
#ifndef PENSTOCK_STAGE_H
#define PENSTOCK_STAGE_H

#include "base/error.h"
#include "config/route.h"
#include "stage/facts.h"
#include "stage/tools.h"

#define STAGE_FIRST_MAX (8u * 1024 - 1) /* bytes of a part that are held until its stages have judged them */

#define STAGE_DETECTED_TYPE "detected_type" /* the fact of which names and header lines may be made */

/* What a stage may know of the part. Views, until its end. */
struct stage_part {
	const struct route *route;
	const struct rule *rule; /* NULL: `default: drop` took it */
	struct str field;        /* decoded */
	struct str filename;     /* decoded; absent: the part is a value */
	struct str type;         /* Content-Type as sent; absent: none */
	uint64_t at;             /* byte of the body at which it began */
	uint64_t data_at;        /* byte of the body at which its content began */
	uint64_t size;           /* bytes of it that all stages have seen */
	struct facts *facts;     /* what is found goes in here */
	const struct stage_tools *tools;
};

/* `state` is `size` bytes of the stage's own (0: NULL), zeroed before its first part in the form, and kept from one part to the next.
 * False: the form is refused, or given up, and err says why: a sentence without the field's name, the offset in the body
 * where one fits, and in err->limit the key that says no. */
struct stage {
	size_t size;
	bool (*wanted)(const struct rule *rule); /* NULL: for every part. The rule may be NULL */
	bool (*begin)(void *state, const struct stage_part *part, struct error *err); /* NULL: nothing to be done */
	bool (*look)(void *state, const struct stage_part *part, const char *data, size_t len,
		struct error *err); /* NULL: it does not look at them as they pass */

	/* Has it to see the first bytes of the part in one piece, before anybody else gets any of them? NULL: it has not. */
	bool (*holds)(const struct rule *rule);
	bool (*judge)(void *state, const struct stage_part *part, struct str first, struct error *err);

	bool (*end)(void *state, const struct stage_part *part, struct error *err); /* NULL: nothing to be done */
	void (*drop)(void *state);                                                  /* NULL: it holds nothing */
};

#endif
