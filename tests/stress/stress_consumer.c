// SPDX-License-Identifier: MIT
/* stress_consumer.c - the consumers of channel_stress.c: they pause, are pumped, yield, and fail at random moments. */
#include "stress/channel_stress.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "lib/random_bytes.h"

static void
transfer_end(struct transfer *transfer, bool committed, bool failed)
{
	must(transfer->state != ENDED);
	loop_clear_timer(transfer->at->loop, &transfer->writable);
	loop_clear_timer(transfer->at->loop, &transfer->reset);
	if (transfer->chunk != NULL)
		pool_give(transfer->at->round->pool, transfer->chunk);
	transfer->chunk = NULL;
	transfer->state = ENDED;
	transfer->outcome->committed = committed;
	transfer->outcome->failed = failed;
	transfer->outcome->chunks = transfer->popped;
	transfer->outcome->sum = transfer->sum;
	channel_report(transfer->channel, CHANNEL_ENDED);
}

static void
all_is_away(struct transfer *transfer)
{
	if (transfer->is_committed) {
		transfer_end(transfer, true, false);
		return;
	}
	transfer->state = HELD;
	channel_report(transfer->channel, CHANNEL_PREPARED);
}

static void
give_way(struct transfer *transfer)
{
	if (transfer->yields_to_itself)
		channel_tell(transfer->channel, CHANNEL_DATA);
	else
		set_timer(transfer->at, &transfer->writable, random_below(&transfer->at->random, 3));
}

static bool
send_chunk(struct transfer *transfer)
{
	uint64_t *random = &transfer->at->random;

	if (transfer->chunk == NULL)
		transfer->chunk = channel_pop(transfer->channel);
	if (transfer->chunk == NULL)
		return false;
	if (random_one_in(random, 4))
		return true; /* half of it stays: the socket is full */
	transfer->sum = transfer->sum * 7 + random_sum(transfer->chunk, transfer->popped++);
	pool_give(transfer->at->round->pool, transfer->chunk);
	transfer->chunk = NULL;
	return true;
}

static void
transfer_send(struct transfer *transfer)
{
	unsigned turns = 1 + random_below(&transfer->at->random, 6);

	must(loop_is_mine(transfer->at->loop) && transfer->state == RUNNING && !transfer->is_paused);
	for (;;) {
		bool finished = channel_is_finished(transfer->channel); /* before looking for the last chunks */

		if (transfer->fails_after != 0 && transfer->popped >= transfer->fails_after) {
			transfer_end(transfer, false, true);
			return;
		}
		if (send_chunk(transfer)) {
			if (--turns == 0) {
				give_way(transfer);
				return;
			}
			continue;
		}
		if (finished) {
			all_is_away(transfer);
			return;
		}
		if (channel_want_data(transfer->channel)) {
			transfer->is_paused = true;
			return;
		}
	}
}

/* Writable, told by itself, woken or pumped: only one of them is expected at a time, the others do nothing. */
void
transfer_resume(struct transfer *transfer)
{
	if (transfer->state != RUNNING || transfer->writable.slot != 0)
		return;
	transfer->is_paused = false;
	transfer_send(transfer);
}

static void
on_writable(struct timer *timer)
{
	struct transfer *transfer = container_of(timer, struct transfer, writable);

	transfer_resume(transfer);
}

static void
on_reset(struct timer *timer)
{
	struct transfer *transfer = container_of(timer, struct transfer, reset);

	if (transfer->state == RUNNING || transfer->state == HELD)
		transfer_end(transfer, false, true);
}

static void
post_stop(struct round *round)
{
	for (unsigned i = 0; i < round->n_stations; i++)
		mailbox_post(loop_mailbox(round->stations[i].loop), &round->stations[i].stop_mail, 1);
}

static void
transfer_free(struct transfer *transfer)
{
	struct round *round = transfer->at->round;

	must(transfer->state == ENDED);
	channel_free(transfer->channel);
	mem_free(transfer);
	if (atomic_fetch_sub(&round->left, 1) == 1)
		post_stop(round);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct transfer *transfer = arg;

	must(loop_is_mine(transfer->at->loop) && !transfer->at->inside);
	transfer->is_committed = transfer->is_committed || (orders & CHANNEL_COMMIT) != 0;
	if ((orders & CHANNEL_CANCEL) && transfer->state != ENDED) {
		must(!(orders & (CHANNEL_CLOSE | CHANNEL_UNDO)));
		transfer_end(transfer, false, false);
		return;
	}
	if ((orders & CHANNEL_START) && transfer->state == READY) {
		transfer->state = RUNNING;
		if (random_one_in(&transfer->at->random, 6))
			set_timer(transfer->at, &transfer->reset, random_below(&transfer->at->random, 4));
		transfer_send(transfer);
	} else if ((orders & CHANNEL_COMMIT) && transfer->state == HELD) {
		transfer_end(transfer, true, false);
	} else if (orders & (CHANNEL_DATA | CHANNEL_FINISH)) {
		transfer_resume(transfer);
	}
	if (orders & CHANNEL_UNDO) {
		must(transfer->state == ENDED && !transfer->outcome->undone);
		transfer->outcome->undone = true;
		channel_report(transfer->channel, CHANNEL_UNDONE);
	}
	if (orders & CHANNEL_CLOSE)
		transfer_free(transfer);
}

struct transfer *
transfer_new(struct upload *upload, struct station *at, const struct channel_side *producer)
{
	struct transfer *transfer = mem_zalloc(sizeof *transfer);
	struct channel_side out = { .box = loop_mailbox(at->loop), .on_mail = on_orders, .arg = transfer };
	struct error err = { 0 };

	must(transfer != NULL);
	transfer->at = at;
	transfer->outcome = &upload->outcome;
	transfer->writable.fire = on_writable;
	transfer->reset.fire = on_reset;
	transfer->channel = channel_new(at->round->pool, producer, &out, upload->slots, &err);
	must(transfer->channel != NULL);
	return transfer;
}
