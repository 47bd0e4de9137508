// SPDX-License-Identifier: MIT
/* http_priv.h - what http.c (a transfer's life), http_body.c (its bytes on their way) and http_answer.c (what comes back) share. All on the engine's thread. */
#ifndef PENSTOCK_HTTP_PRIV_H
#define PENSTOCK_HTTP_PRIV_H

#include "channel/channel.h"
#include "sink/engine.h"
#include "sink/exchange.h"
#include "sink/http/settings.h"
#include "sink/order.h"
#include "sink/retry_after.h"

#include <stdbool.h>

#define OWN_LINES 5           /* of ours, in the head of a request */
#define HTTP_FIRST_SEND 4096u /* bytes that libcurl holds of a stream, until more are charged */
#define IN_HAND_MAX 4         /* as many full chunks as the longest `hold_tail` needs, and one more */

enum http_state {
	HTTP_READY,      /* opened, not started */
	HTTP_SENDING,    /* connecting, or bytes are on their way */
	HTTP_HELD,       /* all bytes are away, or kept; completion waits for the commit */
	HTTP_COMPLETING, /* told to complete; waits for the answer */
	HTTP_UNDOING,    /* a DELETE is on its way */
	HTTP_ENDED,
};

/* Chunks that were popped and not handed over. Others may be reading the same ones, so how far we are stands here. */
struct in_hand {
	struct chunk *chunks[IN_HAND_MAX]; /* a ring */
	unsigned first, n;
	uint32_t at;  /* of the first one, what has been handed over */
	size_t bytes; /* left in all of them */
};

/* The last bytes of a stream, which are let out one at a time while it is held: they lie here and in no chunk, for chunks of
 * streams must come back. */
struct tail {
	char *bytes; /* room for `hold_tail`; NULL: nothing is held back */
	size_t begin, len;
};

/* A kept body that lay in several blocks, in one piece. */
struct gathered {
	char *bytes; /* NULL: not gathered */
	struct chunk *charged;
};

/* How much of libcurl's buffers for a send may be filled, which is when they get pages. More of it is charged to the pool. */
struct send_size {
	size_t most;
	uint64_t done; /* bytes */
	uint64_t began_ms;
	struct chunk *charged;
};

struct http {
	struct engine *engine;
	struct pool *pool;
	struct order *order;
	struct channel *channel;
	enum http_state state;
	struct exchange *exchange;
	struct exchange_request request;
	struct exchange_line *lines; /* ours, and those of the order */
	struct in_hand in_hand;
	struct tail tail;         /* comes before what is in hand */
	struct gathered gathered; /* of a kept part */
	struct send_size send;    /* of a stream */
	struct timer drip;
	bool may_drip;            /* one byte of the tail may go although it is held */
	uint64_t kept_sent;       /* of a kept part */
	unsigned status;          /* of the answer, ... */
	struct retry_after later; /* ... and what it says of it */
	bool is_committed;        /* CHANNEL_COMMIT was told */
};

void http_move(struct http *http, enum http_state to);

#define DIGEST_LINE "Content-Digest"

/* Of a stream the digest is known when its last byte has gone, so it comes behind that (RFC 9110 section 6.5.1). */
static inline struct exchange_line
http_digest_line(const struct order *order)
{
	if (!order->says_digest)
		return (struct exchange_line){ 0 };
	return order->is_kept ? (struct exchange_line){ DIGEST_LINE, order->digest }
			      : (struct exchange_line){ "Trailer", DIGEST_LINE };
}

/* What is sent of each order, beside its own lines; `is_upload`: and not to take it back. */
static inline void
http_set_lines(struct exchange_line lines[OWN_LINES], const struct order *order, bool is_upload)
{
	lines[0] = (struct exchange_line){ "Content-Type", is_upload ? order->type : NULL };
	lines[1] = (struct exchange_line){ "X-Request-Id", order->request_id };
	lines[2] = (struct exchange_line){ "traceparent", order->traceparent };
	lines[3] = (struct exchange_line){ "X-Forwarded-For", order->client };
	lines[4] = is_upload ? http_digest_line(order) : (struct exchange_line){ 0 };
}

static inline const char *
http_method(const struct order *order)
{
	return order->method == STORE_POST ? "POST" : "PUT";
}

/* http_body.c: false: out of memory. The second one: all that is kept, contiguous until it is dropped; false: too much for that,
 * now or ever. And what the exchange asks for, see exchange.h. */
bool http_body_begin(struct http *http);
bool http_body_gather(struct http *http, struct str *whole);
size_t http_body_read(void *http, char *to, size_t room);
void http_body_rewind(void *http);
struct exchange_line http_body_trailer(void *http);
void http_body_drop(struct http *http);      /* gives back what was not sent */
void http_body_on_drip(struct timer *timer); /* http->drip's */

/* http_answer.c: what the exchange tells, see exchange.h. */
void http_answer_on_status(void *http, unsigned status);
void http_answer_on_header(void *http, struct str line);
void http_answer_on_body(void *http, const char *data, size_t n);

#endif
