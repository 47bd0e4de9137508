// SPDX-License-Identifier: MIT
/* one_order.h - one object for an http store that a script plays: it is opened, filled and told its end, and what came of it is looked
 * at. All on the test's thread, one at a time. */
#ifndef PENSTOCK_TEST_ONE_ORDER_H
#define PENSTOCK_TEST_ONE_ORDER_H

#include "lib/peer.h"

#include "channel/keep.h"
#include "sink/engine.h"
#include "sink/http/settings.h"
#include "sink/order.h"

#define ONE_OK_ANSWER                                                                                              \
	"HTTP/1.1 201 Made\r\nLocation: /there\r\nContent-Type: text/x\r\nContent-Length: 4\r\n\r\ndone"
#define ONE_TAIL 1000 /* bytes that are held back */

extern struct sent {
	struct http_settings settings;
	struct destination to;
	struct order order;
	struct keep keep;
	struct peer *peer;
	unsigned news, n_ended;
	uint64_t pushed;
} sent;

extern struct pool *one_pool;
extern struct engine one_engine;

/* For cmocka: of a group. */
int one_set_up(void **state);
int one_tear_down(void **state);

/* What one_open() opens is to go to such a server; NULL: to nobody. Until then `sent` may be changed. */
void one_begin_case(peer_script script, const void *arg);
void one_open(void);
void one_tell(unsigned orders); /* enum channel's; and one turn */

/* Byte n of a case is 'a' + n % 23. */
void one_push(size_t len);   /* of a stream */
void one_keep(size_t len);   /* before one_open(): it is a kept part */
void one_stream(size_t len); /* opened, started, and so much of it pushed */

/* Chunks that stand for libcurl's buffers, when there was much to send. */
size_t one_large_sends(void);

void one_until_news(unsigned news); /* any of them */
void one_until_committed(void);
void one_check(enum outcome_state state, enum error_kind kind, unsigned status);

/* After its end: everything is given back, and the store has got this; NULL: that is not asked. */
void one_end_case(const char *log);

/* A script: `arg` points at how many bytes come before the tail is let go (size_t). It tells when they have come. */
void one_waits_for_the_tail(struct peer *peer, const void *arg);

#endif
