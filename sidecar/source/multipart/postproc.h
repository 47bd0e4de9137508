// SPDX-License-Identifier: MIT
/* postproc.h - libmicrohttpd's post-processor behind the guard: it delivers the bytes of parts.
 *
 * It is fed a canonical stream of our own making, with a delimiter that nobody can guess and heads that say
 * nothing but the part's number, so there is nothing in it that could be misread. One thread. */
#ifndef PENSTOCK_POSTPROC_H
#define PENSTOCK_POSTPROC_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct postproc;

/* Receives the bytes of the part under way. False: stop for good. */
typedef bool postproc_sink(void *arg, const char *data, size_t len);

bool postproc_setup(struct error *err); /* [main] once; see form_setup() */
void postproc_teardown(void);

struct postproc *postproc_new(postproc_sink *sink, void *arg, struct error *err);
void postproc_free(struct postproc *postproc); /* NULL is fine */

/* Each returns false when the sink said stop (err untouched), or with ERR_NOMEM. */
bool postproc_begin(struct postproc *postproc, unsigned part, struct error *err);

/* `is_dense`: the bytes hold so many carriage returns that the post-processor would be slow (see the .c). */
bool postproc_data(struct postproc *postproc, const char *data, size_t len, bool is_dense, struct error *err);

/* The part is complete: when this returns true the sink has had every byte of it. */
bool postproc_end(struct postproc *postproc, struct error *err);

#endif
