// SPDX-License-Identifier: MIT
/* healthcheck.h - `penstock health`: asks the admin listener of a running penstock how it is. For health checks in images
 * that hold nothing but penstock. */
#ifndef PENSTOCK_HEALTHCHECK_H
#define PENSTOCK_HEALTHCHECK_H

#include "base/error.h"
#include "config/route.h"

#define HEALTHCHECK_SECONDS 2u /* from the question to the answer, name look-up included */

enum healthcheck_result { HEALTHCHECK_GOOD, HEALTHCHECK_BAD, HEALTHCHECK_NOBODY };

/* [main, without other threads] GETs `path` from the first address of `admin`. GOOD: 200; BAD: any other answer; the body of both
 * is appended to `out`. NOBODY: there was no answer; err says why. If none comes in time the process ends with exit status 1 and
 * a sentence on stderr. */
enum healthcheck_result healthcheck(
	const struct admin *admin, const char *path, struct buf *out, struct error *err);

#endif
