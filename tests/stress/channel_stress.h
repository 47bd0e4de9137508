// SPDX-License-Identifier: MIT
/* channel_stress.h - who takes part in channel_stress.c. */
#ifndef PENSTOCK_CHANNEL_STRESS_H
#define PENSTOCK_CHANNEL_STRESS_H

#include "base/must.h"
#include "channel/channel.h"
#include "loop/loop.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_STATIONS 4
#define LIVE_MAX 24 /* uploads that one loop has under way */
#define HANG_SECONDS 60

enum producer_state { STREAMING, SENDING, COMMITTING, CANCELLING, UNDOING };
enum consumer_state { READY, RUNNING, HELD, ENDED };

struct station {
	struct round *round;
	struct loop *loop;
	pthread_t thread;
	uint64_t random;
	unsigned to_open, live;
	bool inside; /* in the middle of a producer's step: no mail may come now */
	struct hook hook;
	struct mail pool_mail, stop_mail;
	struct pool_waiter waiter;
	struct upload *waiting, **waiting_end; /* suspended for want of chunks, first come first served */
};

struct round {
	struct pool *pool;
	struct station stations[MAX_STATIONS];
	unsigned n_stations, n_uploads;
	_Atomic unsigned left; /* channels that are not closed yet */
	_Atomic uint64_t n_chunks, n_shared, n_committed, n_cancelled, n_failed, n_undone;
};

struct outcome { /* lent to the consumer until ENDED, and again from UNDO until UNDONE */
	bool committed, failed, undone;
	unsigned chunks;
	uint64_t sum;
};

struct upload { /* the producer's side */
	struct station *home;
	struct channel *channel;
	struct transfer *transfer; /* only to pump it on our own loop */
	struct upload *beside;     /* it gets the same chunks; NULL: nobody does, or not any more */
	struct upload *writer;     /* the same from the other side. Both are STREAMING */
	struct outcome outcome;
	enum producer_state state;
	unsigned slots, pushed, to_push, keeps;
	uint64_t sum;
	unsigned n_ended, n_undone;
	bool is_suspended, waits_for_chunks, wants_undo;
	struct chunk *kept[3];
	struct upload *next_waiting;
	struct timer next_piece, cancel;
};

struct transfer { /* the consumer's side */
	struct station *at;
	struct channel *channel;
	struct outcome *outcome;
	enum consumer_state state;
	unsigned popped, fails_after; /* fails_after 0: never */
	uint64_t sum;
	bool is_paused, is_committed, yields_to_itself;
	struct chunk *chunk; /* half sent */
	struct timer writable, reset;
};

static inline void
set_timer(struct station *at, struct timer *timer, unsigned in_ms)
{
	must(loop_set_timer(at->loop, timer, clock_after(loop_now_ms(at->loop), in_ms)));
}

/* stress_consumer.c: a consumer that lives at a station. It frees itself when its channel is closed, and then may stop the
 * round. */
struct transfer *transfer_new(struct upload *upload, struct station *at, const struct channel_side *producer);

/* [its station] Lets it go on if it is waiting. */
void transfer_resume(struct transfer *transfer);

#endif
