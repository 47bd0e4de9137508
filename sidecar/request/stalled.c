// SPDX-License-Identifier: MIT
/* stalled.c - who has to give memory back when there is little: see room_priv.h.
 *
 * A client may hold memory of the budget and bring nothing, or a byte now and then to seem alive. It does no harm while
 * there is enough. When the pool is short, those who moved least lately are given up (408), the slowest first, until it is
 * not short any more; so whoever comes next finds memory. pace.c has the list in which they stand.
 *
 * Where forms wait for memory (request_wait.c), those who have what the others wait for must bring more than drops: a few slow
 * clients would keep all others out. */
#include "request/room_priv.h"

#include "base/container_of.h"

#include <inttypes.h>

#define STALLED_MS 3000u /* who has brought nothing but drops (pace.c) for so long has stalled ... */
#define HURRY_MS 1000u   /* ... or for so long, while others are refused */

/* A worker that was busy for long has not seen what came meanwhile. But once it has read since it looked, few bytes in the socket are no
 * more than the next drop: else who sends drops all the time would never be given up by a worker that is always behind. */
static bool
may_be_unseen(const struct request *request, struct pace_mark *mark, uint64_t bytes)
{
	uint64_t unread, taken = request->body.taken, looked = mark->looked;

	if (!request->client->ops->unread(request->client, &unread) || unread == 0)
		return false;
	mark->looked = taken;
	return looked == UINT64_MAX || looked == taken || unread >= PACE_MOVED_BYTES ||
		taken + unread - mark->at >= bytes;
}

/* It should have brought so much since then. */
static bool
is_waited_for(const struct request *request, struct pace_mark *mark, uint64_t bytes)
{
	return !request->reading.is_paused && !may_be_unseen(request, mark, bytes);
}

/* Bytes of the budget that come back, or soon will. */
static size_t
give_up(struct request *request, struct pace_mark *mark, uint64_t bytes, const char *why)
{
	size_t held = parts_held(request->form.parts);

	if (held == 0 || !is_waited_for(request, mark, bytes))
		return 0;
	request_failf(request, ERR_CLIENT_SLOW, why);
	request_free_if_over(request);
	return held;
}

static unsigned
patience(const struct pool *pool)
{
	if (pool_is_used_up(pool))
		return HURRY_MS;
	return pool_shortage(pool) > 0 ? STALLED_MS : PACE_MS;
}

/* Also for the first of those who wait for memory. */
static void
make_room(struct intake *intake)
{
	const struct pool *pool = intake->setup.pool;
	uint64_t now = loop_now_ms(intake->setup.loop);
	size_t missing = pool_lack_ahead(pool, queue_wants(intake->setup.queue)) * CHUNK_SIZE;
	unsigned patience_ms = patience(pool);
	struct request *next;

	for (struct request *r = intake->stalled.first; r != NULL && missing > 0; r = next) {
		size_t back;

		if (clock_after(r->pace.moved.ms, patience_ms) > now)
			return;
		next = r->pace.faster;
		back = give_up(r, &r->pace.moved, PACE_MOVED_BYTES,
			"memory is short, and this client has sent next to nothing for longer than others");
		missing -= back < missing ? back : missing;
	}
}

static bool
is_too_slow(const struct request *request)
{
	return txn_reserve(request->form.txn) != NULL &&
		clock_after(request->pace.kept.ms, PACE_MS) <= loop_now_ms(request->intake->setup.loop);
}

/* The same. */
static void
make_way(struct intake *intake)
{
	size_t missing = queue_wants(intake->setup.queue) * CHUNK_SIZE;
	struct request *next;

	for (struct request *r = intake->stalled.first; r != NULL && missing > 0; r = next) {
		size_t back = 0;

		next = r->pace.faster;
		if (is_too_slow(r))
			back = give_up(r, &r->pace.kept, PACE_KEPT_BYTES,
				"others wait for the memory that this client has, and it sends too slowly");
		missing -= back < missing ? back : missing;
	}
}

/* limits.min_rate, whether there is memory or not. */
static bool
owes_bytes(struct request *request)
{
	const struct limits *limits = &request->asked.decision.route->limits;

	return limits->min_rate > 0 &&
		clock_after(request->pace.owed.ms, PACE_MS) <= loop_now_ms(request->intake->setup.loop) &&
		is_waited_for(request, &request->pace.owed, pace_owed(request));
}

static void
refuse_slow(struct intake *intake)
{
	struct request *next;

	for (struct request *r = intake->stalled.first; r != NULL; r = next) {
		struct error error = { 0 };

		next = r->pace.faster;
		if (!owes_bytes(r))
			continue;
		error_set(&error, ERR_CLIENT_SLOW,
			"for %u seconds the body came more slowly than min_rate of %" PRIu64 " bytes a second",
			PACE_MS / 1000, r->asked.decision.route->limits.min_rate);
		error_name_limit(&error, "min_rate");
		request_fail(r, &error);
		request_free_if_over(r);
	}
}

static void
on_look(struct timer *timer)
{
	struct intake *intake = container_of(timer, struct intake, stalled.look);

	refuse_slow(intake);
	make_room(intake);
	make_way(intake);
	if (intake->stalled.first != NULL)
		pace_look_later(intake);
}

void
stalled_start(struct intake *intake)
{
	intake->stalled.look.fire = on_look;
}

void
stalled_stop(struct intake *intake)
{
	loop_clear_timer(intake->setup.loop, &intake->stalled.look);
}
