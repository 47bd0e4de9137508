// SPDX-License-Identifier: MIT
/* promises.h - what the agent has promised and nobody has come for yet. All of it belongs to the agent's thread. */
#ifndef PENSTOCK_PROMISES_H
#define PENSTOCK_PROMISES_H

#include "decide/reserve.h"
#include "loop/loop.h"
#include "upload/table.h"

#define PROMISES_MAX 1024u
#define PROMISE_MS 2000u /* HAProxy passes an upload on within milliseconds of the answer */

struct promise {
	size_t key;
	struct table *table; /* held */
	struct counter *counter;
	uint64_t until_ms;
};

struct promises {
	struct reserve *reserve;
	struct loop *loop;
	struct timer timer;
	struct promise ring[PROMISES_MAX]; /* in the order of their ends */
	size_t first, n;
};

void promises_init(struct promises *promises, struct reserve *reserve, struct loop *loop);
void promises_fini(struct promises *promises); /* gives every place back that nobody has come for */

/* The place that `counter` (of `table`) has counted already is the upload's of this id for PROMISE_MS. False: there is
 * no room for a promise; the caller gives the place back. */
bool promises_add(struct promises *promises, struct str id, struct table *table, struct counter *counter);

#endif
