// SPDX-License-Identifier: MIT
/* channel_stress.c [ROUNDS [SEED]] - loops, pool and channels under load, as parts and transfers use them.
 *
 * Each round runs a few loops on threads of their own. Every loop opens uploads; an upload is a producer on that
 * loop and a consumer on any loop (also the same). Some have another one beside them, with a consumer of its own, to which the
 * same chunks go, shared, until one of the two is over. Producers push random numbers of chunks, are suspended for
 * want of room or of chunks, cancel at random moments, commit, undo; consumers pause, are pumped, yield, fail at
 * random moments. Rounds with a tiny pool keep the pool's waiters busy.
 *
 * Checked: every byte that arrives (number, order, sum), exactly one ENDED and one UNDONE, mail only on the
 * right thread and never from within a call, no chunk lost at the end. A hang is ended by an alarm. The seed that
 * is printed gives the same uploads again, though not the same interleaving. */
#include "stress/channel_stress.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "lib/random_bytes.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t seed;
static unsigned round_number;

static void
on_alarm(int sig)
{
	static const char text[] = "channel_stress: hangs\n";

	(void)sig;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
		/* nothing to be done */
	}
	abort();
}

/* -- the producer ----------------------------------------------------------------------------------- */

static void
stop_waiting_for_chunks(struct upload *upload)
{
	struct station *home = upload->home;
	struct upload **link = &home->waiting;

	if (!upload->waits_for_chunks)
		return;
	while (*link != upload)
		link = &(*link)->next_waiting;
	*link = upload->next_waiting;
	if (*link == NULL)
		home->waiting_end = link;
	upload->waits_for_chunks = false;
}

static void
wait_for_chunks(struct upload *upload)
{
	must(!upload->waits_for_chunks);
	upload->waits_for_chunks = true;
	upload->next_waiting = NULL;
	*upload->home->waiting_end = upload;
	upload->home->waiting_end = &upload->next_waiting;
}

static void
cancel(struct upload *upload)
{
	upload->state = CANCELLING;
	channel_tell(upload->channel, CHANNEL_CANCEL);
}

static void upload_resume(struct upload *upload);

/* It may be the other one's channel that it waits for. */
static void
wake(struct upload *writer)
{
	if (writer->state == STREAMING && writer->is_suspended && !writer->waits_for_chunks)
		upload_resume(writer);
}

/* A writer that is over may not have written all, so the one beside it may not take that for all. A writer that was left goes
 * on alone. */
static void
part_from_each_other(struct upload *upload)
{
	struct upload *beside = upload->beside, *writer = upload->writer;

	upload->beside = upload->writer = NULL;
	if (beside != NULL) {
		beside->writer = NULL;
		cancel(beside);
	}
	if (writer != NULL) {
		writer->beside = NULL;
		wake(writer);
	}
}

static void
upload_free(struct upload *upload)
{
	struct station *home = upload->home;

	part_from_each_other(upload);
	stop_waiting_for_chunks(upload);
	loop_clear_timer(home->loop, &upload->next_piece);
	loop_clear_timer(home->loop, &upload->cancel);
	for (unsigned i = 0; i < upload->keeps; i++)
		pool_give(home->round->pool, upload->kept[i]);
	home->live--;
	memset(upload, 0xee, sizeof *upload); /* whoever still writes to it is seen */
	mem_free(upload);
}

static void
finish_one(struct upload *upload)
{
	bool commits = random_one_in(&upload->home->random, 4);

	upload->state = commits ? COMMITTING : SENDING;
	channel_tell(upload->channel, CHANNEL_FINISH | (commits ? CHANNEL_COMMIT : 0u));
}

static void
finish(struct upload *upload)
{
	if (upload->beside != NULL) {
		finish_one(upload->beside);
		upload->beside->writer = NULL;
		upload->beside = NULL;
	}
	finish_one(upload);
}

static void
pump(struct upload *upload)
{
	if (!channel_take_hunger(upload->channel))
		return;
	if (loop_is_mine(upload->transfer->at->loop))
		transfer_resume(upload->transfer); /* it lives at least as long as we have not told CLOSE */
	else
		channel_tell(upload->channel, CHANNEL_DATA);
}

static bool
reserve_or_wait(struct upload *upload, unsigned n)
{
	struct pool *pool = upload->home->round->pool;

	if (pool_reserve(pool, n, POOL_STREAM))
		return true;
	pool_wait(pool, &upload->home->waiter);
	if (pool_reserve(pool, n, POOL_STREAM))
		return true;
	wait_for_chunks(upload);
	return false;
}

static void
push_chunk(struct upload *upload, struct chunk *chunk, uint64_t sum)
{
	upload->sum = upload->sum * 7 + sum;
	upload->pushed++;
	channel_push(upload->channel, chunk);
}

static void
push_one(struct upload *upload)
{
	struct round *round = upload->home->round;
	struct chunk *chunk = pool_draw(round->pool, POOL_STREAM);
	uint64_t sum = random_fill(chunk, &upload->home->random, upload->pushed);

	if (upload->beside != NULL) {
		pool_share(chunk, 2);
		push_chunk(upload->beside, chunk, sum);
		atomic_fetch_add(&round->n_shared, 1);
	}
	push_chunk(upload, chunk, sum);
}

static void
push_some(struct upload *upload, unsigned n)
{
	struct pool *pool = upload->home->round->pool;
	unsigned unused = random_one_in(&upload->home->random, 3) && n > 1 ? 1 : 0;

	for (unsigned i = unused; i < n; i++)
		push_one(upload);
	pool_unreserve(pool, unused, POOL_STREAM);
}

static bool
has_room(const struct upload *upload, unsigned n)
{
	return channel_want_space(upload->channel, n) &&
		(upload->beside == NULL || channel_want_space(upload->beside->channel, n));
}

/* One piece of the client's, or as much suspension as it takes. */
static void
upload_feed(struct upload *upload)
{
	uint64_t *random = &upload->home->random;
	unsigned most = upload->slots < 4 ? upload->slots : 4; /* what the smallest pool never keeps for long */
	unsigned n = 1 + random_below(random, most);

	must(upload->state == STREAMING && !upload->is_suspended);
	if (upload->beside != NULL && n > upload->beside->slots)
		n = upload->beside->slots;
	if (n > upload->to_push - upload->pushed)
		n = upload->to_push - upload->pushed;
	if (n == 0) {
		finish(upload);
		return;
	}
	upload->is_suspended = true;
	if (!has_room(upload, n) || !reserve_or_wait(upload, n))
		return;
	upload->is_suspended = false;
	push_some(upload, n);
	if (upload->beside != NULL)
		pump(upload->beside);
	pump(upload);
	set_timer(upload->home, &upload->next_piece, random_one_in(random, 6) ? 1 : 0);
}

static void
upload_resume(struct upload *upload)
{
	must(upload->is_suspended && !upload->waits_for_chunks);
	upload->is_suspended = false;
	upload_feed(upload);
}

static void
on_next_piece(struct timer *timer)
{
	struct upload *upload = container_of(timer, struct upload, next_piece);

	if (upload->state != STREAMING)
		return;
	upload->home->inside = true;
	upload_feed(upload);
	upload->home->inside = false;
}

static void
on_cancel(struct timer *timer)
{
	struct upload *upload = container_of(timer, struct upload, cancel);

	if (upload->n_ended > 0 || upload->state == CANCELLING)
		return;
	cancel(upload);
	part_from_each_other(upload);
}

static void
check_outcome(const struct upload *upload)
{
	const struct outcome *outcome = &upload->outcome;
	struct round *round = upload->home->round;

	must(outcome->chunks <= upload->pushed);
	if (outcome->committed) {
		must(upload->state == COMMITTING || upload->state == CANCELLING);
		must(outcome->chunks == upload->pushed && outcome->sum == upload->sum);
	} else {
		must(outcome->failed || upload->state == CANCELLING);
	}
	atomic_fetch_add(&round->n_chunks, outcome->chunks);
	atomic_fetch_add(outcome->committed ? &round->n_committed
			: outcome->failed   ? &round->n_failed
					    : &round->n_cancelled,
		1);
}

static void
close_upload(struct upload *upload)
{
	channel_tell(upload->channel, CHANNEL_CLOSE);
	upload_free(upload);
}

static void
on_ended(struct upload *upload)
{
	must(++upload->n_ended == 1);
	check_outcome(upload);
	if (upload->outcome.committed && upload->wants_undo) {
		upload->state = UNDOING;
		loop_clear_timer(upload->home->loop, &upload->cancel);
		channel_tell(upload->channel, CHANNEL_UNDO);
		return;
	}
	close_upload(upload);
}

static void
on_news(void *arg, unsigned news)
{
	struct upload *upload = arg;

	must(loop_is_mine(upload->home->loop) && !upload->home->inside);
	if ((news & CHANNEL_PREPARED) && upload->state == SENDING) {
		upload->state = COMMITTING;
		channel_tell(upload->channel, CHANNEL_COMMIT);
	}
	if (news & CHANNEL_UNDONE) {
		must(++upload->n_undone == 1 && upload->state == UNDOING && upload->outcome.undone);
		atomic_fetch_add(&upload->home->round->n_undone, 1);
		close_upload(upload);
		return;
	}
	if (news & CHANNEL_ENDED) {
		on_ended(upload);
		return;
	}
	if (news & CHANNEL_SPACE)
		wake(upload->writer != NULL ? upload->writer : upload);
}

/* -- opening ---------------------------------------------------------------------------------------- */

/* What is kept until the end is taken at the beginning, or not at all. */
static void
keep_some(struct upload *upload, unsigned n)
{
	struct pool *pool = upload->home->round->pool;

	if (!pool_reserve(pool, n, POOL_KEEP))
		return;
	for (; upload->keeps < n; upload->keeps++)
		upload->kept[upload->keeps] = pool_draw(pool, POOL_KEEP);
}

static struct upload *
upload_new(struct station *home)
{
	struct round *round = home->round;
	uint64_t *random = &home->random;
	struct upload *upload = mem_zalloc(sizeof *upload);
	struct station *at = random_one_in(random, 3) ? home
						      : &round->stations[random_below(random, round->n_stations)];
	struct channel_side side = { .box = loop_mailbox(home->loop), .on_mail = on_news, .arg = upload };

	must(upload != NULL);
	upload->home = home;
	upload->slots = 1 + random_below(random, random_one_in(random, 2) ? 4 : 12);
	upload->to_push = random_one_in(random, 8) ? 0 : random_below(random, 40);
	upload->wants_undo = random_one_in(random, 4);
	upload->next_piece.fire = on_next_piece;
	upload->cancel.fire = on_cancel;
	keep_some(upload, random_below(random, 4));
	upload->transfer = transfer_new(upload, at, &side);
	upload->channel = upload->transfer->channel;
	upload->transfer->yields_to_itself = random_one_in(random, 2);
	upload->transfer->fails_after = random_one_in(random, 5) ? 1 + random_below(random, 10) : 0;
	home->live++;
	home->to_open--;
	if (random_one_in(random, 4))
		set_timer(home, &upload->cancel, random_below(random, 4));
	channel_tell(upload->channel, CHANNEL_START);
	return upload;
}

static void
upload_open(struct station *home)
{
	struct upload *upload = upload_new(home);

	if (home->to_open > 0 && random_one_in(&home->random, 3)) {
		upload->beside = upload_new(home);
		upload->beside->writer = upload;
	}
	set_timer(home, &upload->next_piece, 0);
}

/* -- a loop ----------------------------------------------------------------------------------------- */

static uint64_t
open_more(struct hook *hook, uint64_t now_ms)
{
	struct station *station = container_of(hook, struct station, hook);

	(void)now_ms;
	for (int i = 0; i < 4 && station->to_open > 0 && station->live < LIVE_MAX; i++)
		upload_open(station);
	return station->to_open > 0 && station->live < LIVE_MAX ? 0 : CLOCK_NEVER;
}

/* Chunks came back: all who wait try again; who is still short waits again. */
static void
on_pool_mail(struct mail *mail, unsigned bits)
{
	struct station *station = container_of(mail, struct station, pool_mail);
	struct upload *waiting = station->waiting, *next;

	must(bits == 1 && !station->inside);
	station->waiting = NULL;
	station->waiting_end = &station->waiting;
	for (; waiting != NULL; waiting = next) {
		next = waiting->next_waiting;
		waiting->waits_for_chunks = false;
		if (waiting->state == STREAMING)
			upload_resume(waiting);
	}
}

static void
on_stop(struct mail *mail, unsigned bits)
{
	struct station *station = container_of(mail, struct station, stop_mail);

	must(bits == 1 && station->to_open == 0 && station->live == 0);
	loop_stop(station->loop);
}

static void *
run_station(void *arg)
{
	struct station *station = arg;

	loop_run(station->loop);
	return NULL;
}

static void
station_init(struct round *round, unsigned i)
{
	struct station *station = &round->stations[i];
	struct error err = { 0 };

	*station = (struct station){ .round = round, .hook.turn = open_more };
	station->random = random_scramble(seed * 1000 + round_number) + i;
	station->to_open = round->n_uploads / round->n_stations;
	station->waiting_end = &station->waiting;
	station->loop = loop_new(&err);
	must(station->loop != NULL);
	mail_init(&station->pool_mail, on_pool_mail);
	mail_init(&station->stop_mail, on_stop);
	station->waiter = (struct pool_waiter){ .box = loop_mailbox(station->loop), .mail = &station->pool_mail };
	pool_add_waiter(round->pool, &station->waiter);
	loop_add_hook(station->loop, &station->hook);
}

static void
run_round(unsigned n_uploads)
{
	static struct round round;
	struct error err = { 0 };
	uint64_t random = random_scramble(seed + round_number);

	memset(&round, 0, sizeof round);
	round.n_stations = 2 + round_number % (MAX_STATIONS - 1);
	round.n_uploads = n_uploads / round.n_stations * round.n_stations;
	round.pool = pool_new((round_number % 2 == 0 ? 16 + random_below(&random, 8) : 1024) * CHUNK_SIZE, &err);
	must(round.pool != NULL);
	atomic_store(&round.left, round.n_uploads);
	for (unsigned i = 0; i < round.n_stations; i++)
		station_init(&round, i);
	for (unsigned i = 0; i < round.n_stations; i++)
		must(pthread_create(&round.stations[i].thread, NULL, run_station, &round.stations[i]) == 0);
	for (unsigned i = 0; i < round.n_stations; i++)
		must(pthread_join(round.stations[i].thread, NULL) == 0);
	for (unsigned i = 0; i < round.n_stations; i++) {
		mailbox_deliver(loop_mailbox(round.stations[i].loop)); /* "chunks came back", too late */
		loop_free(round.stations[i].loop);
	}
	must(pool_available(round.pool) == pool_total(round.pool));
	printf("round %u: %u loops, pool of %zu, %u uploads: %lu committed, %lu undone, %lu cancelled, %lu failed, %lu "
	       "chunks, %lu shared\n",
		round_number, round.n_stations, pool_total(round.pool), round.n_uploads,
		(unsigned long)round.n_committed, (unsigned long)round.n_undone, (unsigned long)round.n_cancelled,
		(unsigned long)round.n_failed, (unsigned long)round.n_chunks, (unsigned long)round.n_shared);
	must(round.n_shared > 0);
	must(round.n_committed + round.n_cancelled + round.n_failed == round.n_uploads);
	pool_free(round.pool);
}

int
main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 30;

	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
	printf("channel_stress %lu %llu\n", rounds, (unsigned long long)seed);
	fflush(stdout);
	signal(SIGALRM, on_alarm);
	for (; round_number < rounds; round_number++) {
		alarm(HANG_SECONDS);
		run_round(600);
	}
	return 0;
}
