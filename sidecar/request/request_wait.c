// SPDX-License-Identifier: MIT
/* request_wait.c - a form whose destinations need much memory waits until it has that, in the order in which all of them came.
 *
 * Nothing of it has been read then but its head, and no 100 has been said: its client's bytes wait in the sockets between, and
 * cost nothing here. Once it has what it needs it waits for nobody but its client and its stores. Routes without such a need
 * never pass this. Who has memory and is too slow is given up by stalled.c. */
#include "request/room_priv.h"

#include "base/container_of.h"
#include "config/memory.h"

#include <inttypes.h>
#include <string.h>

uint64_t
request_body_most(const struct request *request)
{
	const struct decision *decision = &request->asked.decision;
	uint64_t limit = grants_body(&request->asks.grants, decision->route);

	return decision->length < limit ? decision->length : limit;
}

static size_t
chunks_of(const struct request *request)
{
	return (size_t)(memory_of_route(request->asked.decision.route, request_body_most(request)) / CHUNK_SIZE);
}

/* What it needs has been reserved for it. */
static void
begin(struct request *request)
{
	struct pool *pool = request->intake->setup.pool;
	struct reserve *reserve = reserve_new(pool, chunks_of(request));

	if (reserve == NULL) {
		pool_unreserve(pool, chunks_of(request), POOL_KEEP);
		error_nomem(&request->error);
		request_move(request, REQ_SETTLED);
		return;
	}
	txn_set_reserve(request->form.txn, reserve);
	request_move(request, REQ_PARSING);
}

/* Once more after arming, because chunks may have come back in between. */
static void
wait_for_pool(struct intake *intake)
{
	pool_wait(intake->setup.pool, &intake->pool_waiter);
	queue_serve(intake->setup.queue);
}

static void
await(struct request *request)
{
	struct intake *intake = request->intake;

	request->memory_wait.until_ms = clock_after(
		loop_now_ms(intake->setup.loop), request->table->config->memory_wait_ms);
	request_move(request, REQ_WAITING);
	wait_for_pool(intake);
}

/* Where `limits.body` is none, a body may be so long that no memory would do. */
static void
refuse_for_ever(struct request *request)
{
	error_set(&request->error, ERR_TOO_LARGE,
		"a form of %" PRIu64 " bytes would take more memory than there is", request->asked.decision.length);
	memcpy(request->error.limit, "memory", sizeof "memory");
	request_move(request, REQ_SETTLED);
}

void
request_take_memory(struct request *request)
{
	struct intake *intake = request->intake;

	if (request->asked.decision.route->memory == 0)
		request_move(request, REQ_PARSING);
	else if (chunks_of(request) > pool_most_ahead(intake->setup.pool))
		refuse_for_ever(request);
	else if (queue_enter(intake->setup.queue, &intake->side, &request->memory_wait.place, chunks_of(request)))
		begin(request);
	else
		await(request);
}

void
request_fail_for_memory(struct request *request)
{
	struct error error = { 0 };

	error_set(&error, ERR_BUSY, "no memory became free within memory_wait; try again later");
	memcpy(error.limit, "memory", sizeof "memory");
	request_fail(request, &error);
}

/* -- all of an intake ----------------------------------------------------------------------------------- */

static void
on_granted(struct mail *mail, unsigned bits)
{
	struct intake *intake = container_of(mail, struct intake, queue_mail);
	struct queue_place *place;

	(void)bits;
	while ((place = queue_fetch(intake->setup.queue, &intake->side)) != NULL) {
		struct request *request = container_of(place, struct request, memory_wait.place);

		begin(request);
		request_resume(request);
		deadlines_set(request);
	}
}

void
waits_start(struct intake *intake)
{
	mail_init(&intake->queue_mail, on_granted);
	intake->side = (struct queue_side){ .box = loop_mailbox(intake->setup.loop), .mail = &intake->queue_mail };
}

void
waits_look_again(struct intake *intake)
{
	queue_serve(intake->setup.queue);
	if (intake->n_waiting > 0)
		wait_for_pool(intake);
}
