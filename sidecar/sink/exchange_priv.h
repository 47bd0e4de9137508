// SPDX-License-Identifier: MIT
/* exchange_priv.h - what exchange.c (its life), exchange_easy.c and exchange_head.c (what libcurl is told), exchange_callbacks.c (what libcurl
 * asks), exchange_stray.c and exchange_fault.c (why there is no answer) share. */
#ifndef PENSTOCK_EXCHANGE_PRIV_H
#define PENSTOCK_EXCHANGE_PRIV_H

#include "sink/engine.h"
#include "sink/exchange.h"
#include "sink/exchange_fault.h"

struct exchange {
	struct engine *engine;
	struct engine_user user;
	const struct exchange_calls *calls;
	void *arg;
	const struct exchange_request *request;
	CURL *easy;                 /* NULL: nothing is with libcurl */
	struct curl_slist *headers; /* one block */
	struct timer timer;
	uint64_t active_ms;
	curl_off_t uploaded; /* at the last look */
	unsigned tries;      /* to connect */
	bool is_waiting_to_retry;
	bool must_be_new;     /* the kept connection has died: over a new one */
	bool was_sent_before; /* and all of it may have come through that one */
	/* of the request that is with libcurl */
	unsigned status;      /* of the final answer; 0: none yet */
	bool is_head_whole;   /* its head has ended */
	bool is_in_head;      /* one has begun, also of 1xx, and not ended */
	size_t head_size;     /* bytes of all heads seen */
	size_t answer_size;   /* bytes of its body seen */
	int socket_error;     /* the last socket(2) that failed, errno; 0: none did */
	bool is_paused;       /* on_read has paused libcurl */
	bool is_asking;       /* connected: from here on libcurl sends the request */
	bool was_asked_twice; /* libcurl wanted to send it anew */
	bool was_stray;       /* the connection had been kept, and has an answer to nothing; so nothing was sent */
	bool was_farewell;    /* the connection had been kept, and was closed with a 408 when this was sent */
	uint64_t n_read;      /* bytes of the body handed over */
	bool body_begun;      /* at least one */
	bool was_complete;    /* all of it was */
	bool was_early;       /* the final answer came before that */
};

/* exchange_easy.c: sets a handle up and gives it to the multi. False: out of memory. */
bool exchange_easy_begin(struct exchange *exchange);
bool exchange_may_repeat(const struct exchange_request *request);

/* exchange_head.c. The lines are one block, which the caller frees when libcurl has no more to do with them; NULL: out of memory. */
struct curl_slist *exchange_head_lines(const struct exchange_request *request);
bool exchange_head_aim(CURL *easy, const struct exchange_request *request); /* false: out of memory */

/* exchange_easy.c: what this machine has to do with a failure. */
void exchange_easy_look(const struct exchange *exchange, struct exchange_facts *facts);

/* exchange_stray.c. Does it go over a connection that was kept? Known once it is connected. */
bool exchange_is_kept(const struct exchange *exchange);

/* When connected: has the other side answered before it was asked? */
bool exchange_has_stray(const struct exchange *exchange, int own_port);

/* A server that closes a connection that it kept may say so, and that may cross the request: is this status no answer to it? */
bool exchange_is_farewell(const struct exchange *exchange, unsigned status);

/* exchange_callbacks.c */
void exchange_set_callbacks(struct exchange *exchange);
bool exchange_has_long_head(const struct exchange *exchange); /* longer than what is read */
bool exchange_has_long_answer(const struct exchange *exchange);

#endif
