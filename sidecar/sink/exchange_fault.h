// SPDX-License-Identifier: MIT
/* exchange_fault.h - pure: what libcurl and the system said -> how an exchange ended, and whether to try again. */
#ifndef PENSTOCK_EXCHANGE_FAULT_H
#define PENSTOCK_EXCHANGE_FAULT_H

#include "sink/exchange.h"

#include <curl/curl.h>

/* How far it came. */
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
	bool body_begun;            /* a byte of the body had been handed over */
	bool was_idle, was_overdue; /* our own deadlines ended it; code does not matter then */
};

struct exchange_result exchange_fault_judge(const struct exchange_facts *facts);

/* A further try makes sense while connecting, and not one body byte may have been given away. */
bool exchange_fault_may_retry(const struct exchange_facts *facts);

/* A connection that was kept has died before a byte of an answer came over it. */
bool exchange_fault_is_stale(const struct exchange_facts *facts);

#endif
