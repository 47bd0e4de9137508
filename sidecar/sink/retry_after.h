// SPDX-License-Identifier: MIT
/* retry_after.h - what the head of a store's answer says about when to come again (RFC 9110 section 10.2.3). Pure, any thread.
 *
 * A time of day is taken as so many seconds after the answer's own Date, because the store's clock is not ours. Each answer has a
 * Date, and hardly any such a time, so both are texts until somebody asks. */
#ifndef PENSTOCK_RETRY_AFTER_H
#define PENSTOCK_RETRY_AFTER_H

#include "base/str.h"
#include "sink/http_date.h"

#include <stdint.h>

#define RETRY_AFTER_MAX_S 86400u /* longer is told as this */

/* Zeroed: nothing was said. */
struct retry_after {
	uint64_t seconds;
	char at[HTTP_DATE_SIZE], date[HTTP_DATE_SIZE]; /* of Retry-After and Date; "": not said */
};

void retry_after_note(struct retry_after *said, struct str line); /* each line of the head */

unsigned retry_after_seconds(const struct retry_after *said); /* 0: nothing that can be gone by */

#endif
