// SPDX-License-Identifier: MIT
/* body_limit.c - see body_limit.h. */
#include "route/body_limit.h"

#include "base/str.h"

#include <inttypes.h>

bool
body_limit_refuse(uint64_t max, struct error *err)
{
	error_set(err, ERR_TOO_LARGE, "the body is over the limit of %" PRIu64 " byte%s", max, PLURAL(max));
	error_name_limit(err, "body");
	return false;
}
