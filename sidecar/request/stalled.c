// SPDX-License-Identifier: MIT
/* stalled.c - who has to give memory back when there is little: see request_priv.h.
 *
 * A client may hold memory of the budget and bring nothing, or a byte now and then to seem alive. It does no harm while
 * there is enough. When the pool is short, those who moved least lately are given up (408), the slowest first, until it is
 * not short any more; so whoever comes next finds memory. All that are looked at stand in one list, and whoever moves
 * goes to its end. Where it is not the client that is waited for, it is never his fault.
 *
 * Where forms wait for memory (request_wait.c), those who have what the others wait for must bring more than drops: a few slow
 * clients would keep all others out. */
#include "request/request_priv.h"

#include "base/container_of.h"

#define LOOK_MS 250u      /* as long as forms come in: whether the pool is short */
#define MOVED_BYTES 4096u /* who has brought less than this ... */
#define STALLED_MS 3000u  /* ... for so long has stalled ... */
#define HURRY_MS 1000u    /* ... or for so long, while others are refused */

#define PACE_BYTES (160u * 1024) /* who has a reserve and brought less than this ... */
#define PACE_MS 10000u           /* ... in so long is too slow to keep it, while others wait for memory */

static void
append(struct request *request)
{
	struct stalled *stalled = &request->intake->stalled;

	request->pace.slower = stalled->last;
	request->pace.faster = NULL;
	if (stalled->last != NULL)
		stalled->last->pace.faster = request;
	else
		stalled->first = request;
	stalled->last = request;
}

static void
take_out(struct request *request)
{
	struct stalled *stalled = &request->intake->stalled;

	if (request->pace.slower != NULL)
		request->pace.slower->pace.faster = request->pace.faster;
	else
		stalled->first = request->pace.faster;
	if (request->pace.faster != NULL)
		request->pace.faster->pace.slower = request->pace.slower;
	else
		stalled->last = request->pace.slower;
}

static void
look_later(struct intake *intake)
{
	struct loop *loop = intake->setup.loop;

	loop_set_timer(loop, &intake->stalled.look, clock_after(loop_now_ms(loop), LOOK_MS));
}

static void
note_pace(struct request *request)
{
	request->pace.kept_ms = loop_now_ms(request->intake->setup.loop);
	request->pace.kept_at = request->body.taken;
}

static void
note_moved(struct request *request)
{
	request->pace.moved_ms = loop_now_ms(request->intake->setup.loop);
	request->pace.moved_at = request->body.taken;
}

void
stalled_enter(struct request *request)
{
	append(request);
	note_moved(request);
	note_pace(request);
	if (request->intake->stalled.look.slot == 0)
		look_later(request->intake);
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
	uint64_t since = request->reading.paused_ms > request->pace.kept_ms ? request->reading.paused_ms
									    : request->pace.kept_ms;

	if (request->state != REQ_PARSING)
		return;
	request->pace.kept_ms += loop_now_ms(request->intake->setup.loop) - since; /* its clock stood still */
	go_to_end(request);
}

void
stalled_note_bytes(struct request *request)
{
	if (request->state != REQ_PARSING)
		return;
	if (request->body.taken - request->pace.kept_at >= PACE_BYTES)
		note_pace(request);
	if (request->body.taken - request->pace.moved_at >= MOVED_BYTES)
		go_to_end(request);
}

/* A worker that was busy for long has not seen what came meanwhile. */
static bool
is_waited_for(const struct request *request)
{
	uint64_t unread;

	return !request->reading.is_paused &&
		(!request->client->ops->unread(request->client, &unread) || unread == 0);
}

/* Bytes of the budget that come back, or soon will. */
static size_t
give_up(struct request *request, const char *why)
{
	size_t held = parts_held(request->form.parts);

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
make_room(struct intake *intake)
{
	const struct pool *pool = intake->setup.pool;
	uint64_t now = loop_now_ms(intake->setup.loop);
	size_t missing = pool_lack_ahead(pool, queue_wants(intake->setup.queue)) * CHUNK_SIZE;
	unsigned patience_ms = patience(pool);
	struct request *next;

	for (struct request *r = intake->stalled.first; r != NULL && missing > 0; r = next) {
		size_t back;

		if (clock_after(r->pace.moved_ms, patience_ms) > now)
			return;
		next = r->pace.faster;
		back = give_up(
			r, "memory is short, and this client has sent next to nothing for longer than others");
		missing -= back < missing ? back : missing;
	}
}

static bool
is_too_slow(const struct request *request)
{
	return txn_reserve(request->form.txn) != NULL &&
		clock_after(request->pace.kept_ms, PACE_MS) <= loop_now_ms(request->intake->setup.loop);
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
			back = give_up(
				r, "others wait for the memory that this client has, and it sends too slowly");
		missing -= back < missing ? back : missing;
	}
}

static void
on_look(struct timer *timer)
{
	struct intake *intake = container_of(timer, struct intake, stalled.look);

	make_room(intake);
	make_way(intake);
	if (intake->stalled.first != NULL)
		look_later(intake);
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
