// SPDX-License-Identifier: MIT
/* exchange_fault.h - pure: from what libcurl and the system have said, how an exchange ended, whose fault that is, and whether to try
 * again. */
#ifndef PENSTOCK_EXCHANGE_FAULT_H
#define PENSTOCK_EXCHANGE_FAULT_H

#include "sink/exchange.h"

#include <curl/curl.h>

/* How far the exchange came. */
struct exchange_facts {
	CURLcode code;
	bool is_connection;         /* EXCHANGE_CONNECT: no answer is asked for */
	int os_error;               /* why the last attempt to connect failed, errno; 0: not known */
	bool is_short_of_files;     /* this process has next to no descriptor left */
	bool is_nameless;           /* its host name was not resolved yet */
	bool was_kept;              /* it went over a connection that was used before */
	bool was_asked_twice;       /* libcurl was stopped when it wanted to send it anew */
	unsigned status;            /* final status that was seen, 0: none */
	bool is_cut;                /* of that answer not even the head came whole */
	bool is_in_head;            /* it broke off within a head, also one of 1xx */
	bool is_head_too_long;      /* its heads are longer than what is read of them */
	bool was_complete;          /* what completes the request had been handed over */
	bool was_early;             /* that status came before it was complete */
	bool was_sent_before;       /* as in the result */
	bool body_begun;            /* a byte of the body had been handed over */
	bool was_idle, was_overdue; /* our own deadlines ended it; code does not matter then */
};

struct exchange_result exchange_fault_judge(const struct exchange_facts *facts);

/* Is a further try of use? Only if no connection was made, and no byte of the body has been handed over. */
bool exchange_fault_may_retry(const struct exchange_facts *facts);

/* Did a connection that was kept die before a byte of the answer came over it? */
bool exchange_fault_is_stale(const struct exchange_facts *facts);

#endif
