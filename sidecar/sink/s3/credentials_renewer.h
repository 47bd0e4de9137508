// SPDX-License-Identifier: MIT
/* credentials_renewer.h - the thread that has keys fetched before those at hand expire.
 *
 *   start: at once
 *   keys came: 5 minutes before they expire, or when half of their life is over
 *   none came: after a second, then twice as long each time, up to a minute; a random share of up to a half is taken off each
 *              wait, so that many processes do not ask at the same time */
#ifndef PENSTOCK_S3_CREDENTIALS_RENEWER_H
#define PENSTOCK_S3_CREDENTIALS_RENEWER_H

#include "sink/s3/credentials_source.h"

struct s3_renewer;

struct s3_renewer_setup {
	const struct s3_source *source; /* borrowed */
	int64_t (*now_s)(void);
	/* On the renewer's thread. It takes the reference to `keys` over; NULL: err says why there are none. */
	void (*on_fetched)(void *arg, struct s3_keys *keys, const struct error *err);
	void *arg;
};

/* [main] NULL: err says why. */
struct s3_renewer *s3_renewer_start(const struct s3_renewer_setup *setup, struct error *err);

void s3_renewer_ask(struct s3_renewer *renewer);  /* [any] fetches at once, unless a fetch is under way */
void s3_renewer_stop(struct s3_renewer *renewer); /* [any] and frees it; no on_fetched after it. NULL is fine */

/* Pure. When are keys that were obtained and expire at these times to be fetched anew? S3_KEYS_NEVER_EXPIRE: never. */
int64_t s3_renewer_due_s(int64_t obtained_s, int64_t expires_s);

/* Pure. How long to wait after the n-th failure in a row, from 1; `chance` is any number. */
uint64_t s3_renewer_wait_ms(unsigned n_failed, uint32_t chance);

#endif
