// SPDX-License-Identifier: MIT
/* http_priv.h - what http.c (a transfer's life), http_easy.c (what libcurl is told of it) and http_callbacks.c
 * (what libcurl asks) share. */
#ifndef PENSTOCK_HTTP_PRIV_H
#define PENSTOCK_HTTP_PRIV_H

#include "sink/http/http.h"
#include "sink/http/verdict.h"

enum http_state {
	HTTP_READY,      /* opened, not started */
	HTTP_SENDING,    /* connecting, or bytes are on their way */
	HTTP_HELD,       /* all bytes are away, or kept; completion waits for the commit */
	HTTP_COMPLETING, /* told to complete; waits for the answer */
	HTTP_UNDOING,    /* a DELETE is on its way */
	HTTP_ENDED,
};

struct http {
	struct engine *engine;
	struct pool *pool;
	struct order *order;
	struct channel *channel;
	enum http_state state;
	CURL *easy; /* NULL: nothing is with libcurl */
	struct curl_slist *headers;
	struct chunk *chunk; /* being handed over */
	uint64_t kept_sent;  /* of a kept part */
	struct timer timer;
	uint64_t active_ms, total_at_ms;
	curl_off_t uploaded; /* at the last look */
	unsigned status;     /* of the final answer; 0: none yet */
	bool is_head_whole;  /* its head has ended */
	bool is_in_head;     /* one has begun, also of 1xx, and not ended */
	size_t head_size;    /* bytes of all heads seen */
	int socket_error;    /* the last socket(2) that failed, errno; 0: none did */
	size_t answer_size;  /* bytes of its body seen */
	unsigned tries;
	bool is_committed; /* CHANNEL_COMMIT was told */
	bool is_paused;    /* the read callback has paused libcurl */
	bool is_waiting_to_retry;
	bool was_early;                /* the final answer came before the request was complete */
	bool is_deferred;              /* is in engine->deferred */
	bool is_unwatched;             /* its socket could not be watched: it would wait for ever */
	bool is_asking;                /* connected: from here on libcurl sends the request */
	bool body_begun, was_complete; /* see struct verdict_facts */
	struct http *next_deferred;
};

void http_move(struct http *http, enum http_state to);
void http_defer(struct http *http); /* until libcurl may be called again: http_resume_deferred() */

/* http_easy.c: where to connect, and how; not what to send. `socket_error` gets the errno of a socket that could not be
 * made, as long as the handle lives. */
void http_easy_aim(CURL *easy, const struct http_destination *to, int *socket_error);

/* http_easy.c: what this machine has to do with a failure of `easy`. */
void http_easy_look(CURL *easy, int socket_error, struct verdict_facts *facts);

/* http_callbacks.c */
void http_easy_set_callbacks(CURL *easy, struct http *http);
bool http_has_long_head(const struct http *http); /* longer than what is read */

/* http_easy.c: set a handle up and give it to the multi. False: out of memory. */
bool http_easy_begin(struct http *http);
bool http_easy_begin_undo(struct http *http);

#endif
