// SPDX-License-Identifier: MIT
/* verdict.h - pure: what libcurl and the upstream said -> what became of the object, and whether to try again. */
#ifndef PENSTOCK_VERDICT_H
#define PENSTOCK_VERDICT_H

#include "sink/order.h"

#include <curl/curl.h>

/* How far a transfer came. */
struct verdict_facts {
	const char *destination; /* name, for the sentence */
	CURLcode code;
	int os_error;               /* why the last attempt to connect failed, errno; 0: not known */
	bool is_short_of_files;     /* this process has next to no descriptor left */
	bool is_nameless;           /* its host name was not resolved yet */
	bool is_chunked;            /* the request says no length */
	unsigned status;            /* final status that was seen, 0: none */
	bool is_cut;                /* of that answer not even the head came whole */
	bool is_in_head;            /* it broke off within a head, also one of 1xx */
	bool is_head_too_long;      /* its heads are longer than what is read of them */
	bool was_complete;          /* what completes the request (last chunk, last byte) had been handed over */
	bool was_early;             /* that status came before it was complete */
	bool body_begun;            /* a byte of the body had been handed over */
	bool was_idle, was_overdue; /* our own deadlines ended it; code does not matter then */
};

void verdict_of(const struct verdict_facts *facts, struct outcome *outcome);

/* Why no answer came, in words that name no address and no path, and whose fault it is. */
const char *verdict_describe(const struct verdict_facts *facts, enum error_kind *kind);

/* A further try makes sense only while connecting, and not one body byte may have been given away. */
bool verdict_may_retry(const struct verdict_facts *facts);

#endif
