// SPDX-License-Identifier: MIT
/* stalled.c - who has to give memory back when there is little: see http_priv.h.
 *
 * A client may hold memory of the budget and bring nothing, or a byte now and then to seem alive. It does no harm while
 * there is enough. When the pool is short, those who moved least lately are given up (408), the slowest first, until it is
 * not short any more; so whoever comes next finds memory. All that are looked at stand in one list, and whoever moves
 * goes to its end. Where it is not the client that is waited for, it is never his fault.
 *
 * Where forms wait for memory (request_wait.c), those who have what the others wait for must bring more than drops: a few slow
 * clients would keep all others out. */
#include "http/http_priv.h"

#include "base/container_of.h"

#include <sys/ioctl.h>

#define LOOK_MS 250u      /* as long as forms come in: whether the pool is short */
#define MOVED_BYTES 4096u /* who has brought less than this ... */
#define STALLED_MS 3000u  /* ... for so long has stalled ... */
#define HURRY_MS 1000u    /* ... or for so long, while others are refused */

#define PACE_BYTES (160u * 1024) /* who has a reserve and brought less than this ... */
#define PACE_MS 10000u           /* ... in so long is too slow to keep it, while others wait for memory */

static void
append(struct request *request)
{
	struct stalled *stalled = &request->worker->stalled;

	request->slower = stalled->last;
	request->faster = NULL;
	if (stalled->last != NULL)
		stalled->last->faster = request;
	else
		stalled->first = request;
	stalled->last = request;
}

static void
take_out(struct request *request)
{
	struct stalled *stalled = &request->worker->stalled;

	if (request->slower != NULL)
		request->slower->faster = request->faster;
	else
		stalled->first = request->faster;
	if (request->faster != NULL)
		request->faster->slower = request->slower;
	else
		stalled->last = request->slower;
}

static void
look_later(struct worker *worker)
{
	struct loop *loop = worker->setup.loop;

	loop_set_timer(loop, &worker->stalled.look, clock_after(loop_now_ms(loop), LOOK_MS));
}

static void
note_pace(struct request *request)
{
	request->pace_ms = loop_now_ms(request->worker->setup.loop);
	request->pace_at = request->taken;
}

static void
note_moved(struct request *request)
{
	request->moved_ms = loop_now_ms(request->worker->setup.loop);
	request->moved_at = request->taken;
}

void
stalled_enter(struct request *request)
{
	append(request);
	note_moved(request);
	note_pace(request);
	if (request->worker->stalled.look.slot == 0)
		look_later(request->worker);
}

void
stalled_leave(struct request *request)
{
	take_out(request);
}

static void
go_to_end(struct request *request)
{
	note_moved(request);
	take_out(request);
	append(request);
}

void
stalled_note_resumed(struct request *request)
{
	uint64_t since = request->suspended_ms > request->pace_ms ? request->suspended_ms : request->pace_ms;

	if (request->state != REQ_PARSING)
		return;
	request->pace_ms += loop_now_ms(request->worker->setup.loop) - since; /* its clock stood still */
	go_to_end(request);
}

void
stalled_note_bytes(struct request *request)
{
	if (request->state != REQ_PARSING)
		return;
	if (request->taken - request->pace_at >= PACE_BYTES)
		note_pace(request);
	if (request->taken - request->moved_at >= MOVED_BYTES)
		go_to_end(request);
}

/* A worker that was busy for long has not seen what came meanwhile. */
static bool
is_waited_for(const struct request *request)
{
	int waiting = 0;

	return !request->suspended &&
		(ioctl(request->connection->watch.fd, FIONREAD, &waiting) < 0 || waiting == 0);
}

/* Bytes of the budget that come back, or soon will. */
static size_t
give_up(struct request *request, const char *why)
{
	size_t held = parts_held(request->parts);

	if (held == 0 || !is_waited_for(request))
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
make_room(struct worker *worker)
{
	const struct pool *pool = worker->setup.pool;
	uint64_t now = loop_now_ms(worker->setup.loop);
	size_t missing = pool_lack_ahead(pool, queue_wants(worker->setup.queue)) * CHUNK_SIZE;
	unsigned patience_ms = patience(pool);
	struct request *next;

	for (struct request *r = worker->stalled.first; r != NULL && missing > 0; r = next) {
		size_t back;

		if (clock_after(r->moved_ms, patience_ms) > now)
			return;
		next = r->faster;
		back = give_up(
			r, "memory is short, and this client has sent next to nothing for longer than others");
		missing -= back < missing ? back : missing;
	}
}

static bool
is_too_slow(const struct request *request)
{
	return txn_reserve(request->txn) != NULL &&
		clock_after(request->pace_ms, PACE_MS) <= loop_now_ms(request->worker->setup.loop);
}

/* The same. */
static void
make_way(struct worker *worker)
{
	size_t missing = queue_wants(worker->setup.queue) * CHUNK_SIZE;
	struct request *next;

	for (struct request *r = worker->stalled.first; r != NULL && missing > 0; r = next) {
		size_t back = 0;

		next = r->faster;
		if (is_too_slow(r))
			back = give_up(
				r, "others wait for the memory that this client has, and it sends too slowly");
		missing -= back < missing ? back : missing;
	}
}

static void
on_look(struct timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, stalled.look);

	make_room(worker);
	make_way(worker);
	if (worker->stalled.first != NULL)
		look_later(worker);
}

void
stalled_start(struct worker *worker)
{
	worker->stalled.look.fire = on_look;
}

void
stalled_stop(struct worker *worker)
{
	loop_clear_timer(worker->setup.loop, &worker->stalled.look);
}
