// SPDX-License-Identifier: MIT
/* credentials_fetch.h - asks a source for keys that expire, once for each s3_fetch_begin().
 *
 *   web identity, container:  IDLE ─begin▶ KEYS ─▶ on_done: IDLE
 *   instance:                 IDLE ─begin▶ TOKEN ─▶ ROLE ─▶ KEYS ─▶ on_done: IDLE        an error in any state: on_done, IDLE
 *
 * Everything on the engine's thread, which may block while it reads the file with a token. */
#ifndef PENSTOCK_S3_CREDENTIALS_FETCH_H
#define PENSTOCK_S3_CREDENTIALS_FETCH_H

#include "sink/engine.h"
#include "sink/s3/credentials_source.h"

struct s3_fetch;

/* Takes the reference to `keys` over. NULL: err says why. It may begin the fetch anew, and must not free it. */
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

/* IDLE -> KEYS or TOKEN. on_done follows, perhaps within this call. */
void s3_fetch_begin(struct s3_fetch *fetch);
bool s3_fetch_is_idle(const struct s3_fetch *fetch);

#endif
