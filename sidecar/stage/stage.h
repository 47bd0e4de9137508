// SPDX-License-Identifier: MIT
/* stage.h - what a stage is, for stages.c. A stage looks at a part's bytes as they pass, never changes them, and may refuse
 * the form. What it finds out are facts of the part (facts.h).
 *
 *   begin ─▶ look ─▶ … ─▶ look ─▶ end        for each part of a rule that wants the stage; a refusal ends the form
 *                      └─ judge                once, before `end`, if the stage holds the part: when STAGE_FIRST_MAX bytes have
 *                                              been looked at, or all of a shorter part
 *   drop                                     once, with the form, in whatever state, if the stage has begun for any part
 *
 * Each stage is one constant, NAME_stage, and has a line in stages.def, the only list of stages. Its keys are rows of the key
 * table (config/keys.c), and their values are in struct rule.
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

/* What a stage may know of the part. The views are valid until the part's end. */
struct stage_part {
	const struct route *route;
	const struct rule *rule; /* NULL: `default: drop` took it */
	struct str field;        /* decoded */
	struct str filename;     /* decoded; absent: the part is a value */
	struct str type;         /* Content-Type as sent; absent: none */
	/* The n-th (from 0) header of that name (any case) in its head; where the body is one file in the request's. NULL: it has
	 * none. */
	bool (*header)(const void *arg, struct str name, size_t nth, struct str *value);
	const void *header_arg;
	uint64_t at;         /* byte of the body at which it began */
	uint64_t data_at;    /* byte of the body at which its content began */
	uint64_t size;       /* bytes of it that all stages have seen */
	struct facts *facts; /* the stage adds what it finds */
	const struct stage_tools *tools;
};

/* `state` is `size` bytes of the stage's own (0: NULL), zeroed before its first part in the form, and kept from part to part.
 * False: the form is refused, or given up, and err says why: in a sentence without the field's name, with the offset in the body
 * if there is one, and in err->limit with the key that the part breaks. */
struct stage {
	size_t size;
	bool (*wanted)(const struct rule *rule); /* NULL: for every part. The rule may be NULL */
	bool (*begin)(void *state, const struct stage_part *part, struct error *err); /* NULL: nothing to be done */
	bool (*look)(void *state, const struct stage_part *part, const char *data, size_t len,
		struct error *err); /* NULL: it does not look at the bytes as they pass */

	/* Must it see the first bytes of the part in one piece, before any of them are passed on? NULL: no. */
	bool (*holds)(const struct rule *rule);
	bool (*judge)(void *state, const struct stage_part *part, struct str first, struct error *err);

	bool (*end)(void *state, const struct stage_part *part, struct error *err); /* NULL: nothing to be done */
	void (*drop)(void *state);                                                  /* NULL: it holds nothing */
};

#endif
