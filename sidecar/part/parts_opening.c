// SPDX-License-Identifier: MIT
/* parts_opening.c - the first bytes of a part whose stages have to judge them before anybody else gets any (stage.h). There is one
 * such part at a time, the one that comes in, and what is held of it counts against the budget. */
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
