// SPDX-License-Identifier: MIT
/* stages.h - all stages of one form, for the parts of it one after another.
 *
 *   stages_begin() ─▶ stages_look() … ─▶ stages_end()      false: the form is over, and err is as stage.h says
 *                          └─ stages_judge()               once, where stages_hold() says so
 *
 * One thread, that of the form. */
#ifndef PENSTOCK_STAGES_H
#define PENSTOCK_STAGES_H

#include "stage/stage.h"

struct stages;

/* `tools`: of this thread, borrowed; what the rules of the form want is open in them. NULL: out of memory. */
struct stages *stages_new(const struct stage_tools *tools);
void stages_free(struct stages *stages); /* in whatever state; NULL is fine */

/* A part has begun, and its rule is known. What `part` points to is borrowed until its end; its `size` is 0. */
bool stages_begin(struct stages *stages, const struct stage_part *part, struct error *err);

/* `len` more bytes of it, before anybody else gets them. */
bool stages_look(struct stages *stages, const char *data, size_t len, struct error *err);

/* Must the part's first bytes be judged before anybody gets any of them? `rule` may be NULL. */
bool stages_hold(const struct rule *rule);

/* The first STAGE_FIRST_MAX bytes of the part, or all of a shorter one, after they were looked at and before what follows
 * them is. */
bool stages_judge(struct stages *stages, struct str first, struct error *err);

/* It is whole: what had to be known of all its bytes is a fact now. */
bool stages_end(struct stages *stages, struct error *err);

#endif
