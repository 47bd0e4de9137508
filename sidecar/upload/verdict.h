// SPDX-License-Identifier: MIT
/* verdict.h - pure: what libcurl and the upstream said -> what became of the object, and whether to try again. */
#ifndef PENSTOCK_VERDICT_H
#define PENSTOCK_VERDICT_H

#include "part/outlet.h"

#include <curl/curl.h>

/* How far a transfer came. */
struct verdict_facts {
	const char *destination; /* name, for the sentence */
	CURLcode code;
	unsigned status;            /* final status that was seen, 0: none */
	bool is_cut;                /* of that answer not even the head came whole */
	bool was_complete;          /* what completes the request (last chunk, last byte) had been handed over */
	bool was_early;             /* that status came before it was complete */
	bool body_begun;            /* a byte of the body had been handed over */
	bool was_idle, was_overdue; /* our own deadlines ended it; code does not matter then */
};

void verdict_of(const struct verdict_facts *facts, struct outcome *outcome);

/* In words that name no address and no path. */
const char *verdict_describe(CURLcode code);

/* A further try makes sense only while connecting, and not one body byte may have been given away. */
bool verdict_may_retry(const struct verdict_facts *facts);

#endif
