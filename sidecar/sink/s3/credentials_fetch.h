// SPDX-License-Identifier: MIT
/* credentials_fetch.h - keys are asked for, once, of a source that gives such as expire.
 *
 *   web identity, container:  IDLE ─begin▶ KEYS ─▶ on_done: IDLE
 *   instance:                 IDLE ─begin▶ TOKEN ─▶ ROLE ─▶ KEYS ─▶ on_done: IDLE        by an error from each
 *
 * Everything on the engine's thread, which may wait for the file with a token. */
#ifndef PENSTOCK_S3_CREDENTIALS_FETCH_H
#define PENSTOCK_S3_CREDENTIALS_FETCH_H

#include "sink/engine.h"
#include "sink/s3/credentials_source.h"

struct s3_fetch;

/* `keys` belong to the one who is told. NULL: err says why. May begin anew, may not free. */
typedef void s3_fetch_done(void *arg, struct s3_keys *keys, const struct error *err);

struct s3_fetch_setup {
	struct engine *engine;
	const struct s3_source *source; /* borrowed */
	int64_t (*now_s)(void);
	s3_fetch_done *on_done;
	void *arg;
};

struct s3_fetch *s3_fetch_new(const struct s3_fetch_setup *setup); /* NULL: out of memory */
void s3_fetch_free(struct s3_fetch *fetch);                        /* stops it; NULL is fine */

/* IDLE ->. on_done follows, perhaps within this call. */
void s3_fetch_begin(struct s3_fetch *fetch);
bool s3_fetch_is_idle(const struct s3_fetch *fetch);

#endif
