// SPDX-License-Identifier: MIT
/* parts_opening.c - holds the first bytes of a part until its stages have judged them, and nothing else gets any before (stage.h).
 * Only the part that comes in can have such bytes, and they count against the budget. */
#include "part/parts_priv.h"

#include "base/must.h"

bool
parts_opening_keep(struct parts *parts, const char *data, size_t len)
{
	struct opening *opening = &parts->opening;
	size_t more;

	must(opening->bytes.len + len <= parts->opening_max);
	buf_add(&opening->bytes, data, len);
	more = opening->bytes.cap - opening->charged;
	if (opening->bytes.failed || !parts_charge(parts, more))
		return false;
	opening->charged += more;
	return true;
}

void
parts_opening_drop(struct parts *parts)
{
	parts_discharge(parts, parts->opening.charged);
	buf_free(&parts->opening.bytes);
	parts->opening.charged = 0;
}
