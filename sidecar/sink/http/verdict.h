// SPDX-License-Identifier: MIT
/* verdict.h - pure: how an exchange ended -> what became of the object.
 *
 * A refusal is ERR_UPSTREAM_REFUSED, and so the client's, if the destination passes errors on, its status is one that a client can do
 * something about, and the object is surely not there. */
#ifndef PENSTOCK_VERDICT_H
#define PENSTOCK_VERDICT_H

#include "sink/exchange.h"
#include "sink/order.h"
#include "sink/retry_after.h"

struct verdict_facts {
	const char *destination;         /* name, for the sentence */
	bool is_chunked;                 /* the request says no length */
	bool passes_errors;              /* `errors: pass` */
	const struct retry_after *later; /* what the answer's head says of it; NULL: nothing */
	const struct exchange_result *result;
};

/* `outcome` has what the answer's head has told so far. */
void verdict_of(const struct verdict_facts *facts, struct outcome *outcome);

#endif
