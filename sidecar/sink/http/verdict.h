// SPDX-License-Identifier: MIT
/* verdict.h - pure: how an exchange ended -> what became of the object. */
#ifndef PENSTOCK_VERDICT_H
#define PENSTOCK_VERDICT_H

#include "sink/exchange.h"
#include "sink/order.h"

struct verdict_facts {
	const char *destination; /* name, for the sentence */
	bool is_chunked;         /* the request says no length */
	const struct exchange_result *result;
};

void verdict_of(const struct verdict_facts *facts, struct outcome *outcome);

#endif
