// SPDX-License-Identifier: MIT
/* asked.h - an exchange that a test asks of a peer.h, and what came of it. */
#ifndef PENSTOCK_TEST_ASKED_H
#define PENSTOCK_TEST_ASKED_H

#include "lib/peer.h"
#include "sink/exchange.h"

#define ASKED_MAX 100000           /* bytes of a body that is read ... */
#define ASKED_WHOLE_MAX (1u << 20) /* ... and of one that is whole: more than a peer's system takes for it */
#define ASKED_OK "HTTP/1.1 201 Made\r\nContent-Length: 4\r\n\r\ndone"

/* What a test sets before asked_begin() is kept: size, is_open, url, request.target, request.reuse_always, request.total_at_ms,
 * to.idle_ms and to.retry_connect, the times being without limit where they are 0. Byte n of the body is 'a' + n % 23. */
struct asked {
	struct exchange *exchange;
	struct exchange_request request;
	struct http_peer to;
	struct exchange_result result;
	unsigned n_done, n_rewinds, n_status;
	char answer[64]; /* its beginning */
	size_t answer_len;
	size_t sent, size; /* of the body */
	char *url;         /* of the server; NULL: the peer's */
	bool is_open;      /* the body has no end yet: it is paused there */
};

/* For cmocka: the loop of until.h and libcurl; an engine, and so connections, for each case. */
int asked_set_up(void **state);
int asked_tear_down(void **state);
int asked_begin_case(void **state);
int asked_end_case(void **state);

struct peer *asked_start(peer_script script, const void *arg);

void asked_begin(struct asked *asked, struct peer *peer, const char *method, enum exchange_body body);
void asked_until_done(struct asked *asked);
void asked_ask(struct asked *asked, struct peer *peer, const char *method, enum exchange_body body); /* both */

/* The exchange and the peer go. */
void asked_end(struct asked *asked, struct peer *peer);

#endif
