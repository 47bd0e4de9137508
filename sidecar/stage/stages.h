// SPDX-License-Identifier: MIT
/* stages.h - all stages of one form, for the parts of it one after another.
 *
 *   stages_begin() ─▶ stages_look() … ─▶ stages_end()      false: the form is over, and err is as stage.h says
 *
 * One thread, that of the form. */
#ifndef PENSTOCK_STAGES_H
#define PENSTOCK_STAGES_H

#include "stage/stage.h"

struct stages;

struct stages *stages_new(void);         /* NULL: out of memory */
void stages_free(struct stages *stages); /* in whatever state; NULL is fine */

/* A part has begun, and its rule is known. What `part` points to is borrowed until its end; its `size` is 0. */
bool stages_begin(struct stages *stages, const struct stage_part *part, struct error *err);

/* `len` more bytes of it, before anybody else gets them. */
bool stages_look(struct stages *stages, const char *data, size_t len, struct error *err);

/* It is whole: what had to be known of all its bytes is a fact now. */
bool stages_end(struct stages *stages, struct error *err);

#endif
