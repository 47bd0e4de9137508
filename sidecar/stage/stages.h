// SPDX-License-Identifier: MIT
/* stages.h - all stages of one form, which see its parts one after another.
 *
 *   stages_begin() ─▶ stages_look() … ─▶ stages_end()      false: the form is over, and err is as stage.h says
 *                          └─ stages_judge()               once, where stages_hold() says so
 *
 * One thread, that of the form. */
#ifndef PENSTOCK_STAGES_H
#define PENSTOCK_STAGES_H

#include "stage/stage.h"

struct stages;

/* `tools`: this thread's, borrowed; all that the rules of the form want must be open in them. NULL: out of memory. */
struct stages *stages_new(const struct stage_tools *tools);
void stages_free(struct stages *stages); /* in whatever state they are; NULL is fine */

/* To be called when a part has begun, and its rule is known. What `part` points to is borrowed until its end; `part` itself is
 * copied, with 0 for its `size`. */
bool stages_begin(struct stages *stages, const struct stage_part *part, struct error *err);

/* To be called with the next `len` bytes of the part, before they are passed on. */
bool stages_look(struct stages *stages, const char *data, size_t len, struct error *err);

/* Must the part's first bytes be judged before any of them are passed on? `rule` may be NULL. */
bool stages_hold(const struct rule *rule);

/* To be called with the first STAGE_FIRST_MAX bytes of the part, or all of a shorter one, after stages_look() for them, and before
 * it is called for what follows them. */
bool stages_judge(struct stages *stages, struct str first, struct error *err);

/* To be called when the part is whole: then stages add the facts for which they need all its bytes. */
bool stages_end(struct stages *stages, struct error *err);

#endif
