// SPDX-License-Identifier: MIT
/* request_wait.c - a form whose destinations need much memory waits until it has that, in the order in which all of them came.
 *
 * Nothing of it has been read then but its head, and no 100 has been said: its client's bytes wait in the sockets between, and
 * cost nothing here. Once it has what it needs it waits for nobody but its client and its stores. Routes without such a need
 * never pass this. Who has memory and is too slow is given up by stalled.c. */
#include "http/http_priv.h"

#include "base/container_of.h"
#include "config/memory.h"

#include <inttypes.h>
#include <string.h>

static size_t
chunks_of(const struct request *request)
{
	return (size_t)(memory_of_route(request->decision.route, request_body_most(request)) / CHUNK_SIZE);
}

/* What it needs has been reserved for it. */
static void
begin(struct request *request)
{
	struct pool *pool = request->worker->setup.pool;
	struct reserve *reserve = reserve_new(pool, chunks_of(request));

	if (reserve == NULL) {
		pool_unreserve(pool, chunks_of(request), POOL_KEEP);
		error_nomem(&request->error);
		request_move(request, REQ_SETTLED);
		return;
	}
	txn_set_reserve(request->txn, reserve);
	request_move(request, REQ_PARSING);
}

/* Once more after arming, because chunks may have come back in between. */
static void
wait_for_pool(struct worker *worker)
{
	pool_wait(worker->setup.pool, &worker->pool_waiter);
	queue_serve(worker->setup.queue);
}

static void
await(struct request *request)
{
	struct worker *worker = request->worker;

	worker->n_awaiting++;
	request->wait_until_ms = clock_after(
		loop_now_ms(worker->setup.loop), request->table->config->memory_wait_ms);
	request_move(request, REQ_WAITING);
	wait_for_pool(worker);
}

/* Where `limits.body` is none, a body may be so long that no memory would do. */
static void
refuse_for_ever(struct request *request)
{
	error_set(&request->error, ERR_TOO_LARGE,
		"a form of %" PRIu64 " bytes would take more memory than there is", request->decision.length);
	memcpy(request->error.limit, "memory", sizeof "memory");
	request_move(request, REQ_SETTLED);
}

void
request_take_memory(struct request *request)
{
	struct worker *worker = request->worker;

	if (request->decision.route->memory == 0)
		request_move(request, REQ_PARSING);
	else if (chunks_of(request) > pool_most_ahead(worker->setup.pool))
		refuse_for_ever(request);
	else if (queue_enter(worker->setup.queue, &worker->side, &request->place, chunks_of(request)))
		begin(request);
	else
		await(request);
}

void
request_leave_queue(struct request *request)
{
	request->worker->n_awaiting--;
	queue_leave(request->worker->setup.queue, &request->place);
}

void
request_fail_for_memory(struct request *request)
{
	struct error error = { 0 };

	error_set(&error, ERR_BUSY, "no memory became free within memory_wait; try again later");
	memcpy(error.limit, "memory", sizeof "memory");
	request_fail(request, &error);
}

/* -- all of a worker ----------------------------------------------------------------------------------- */

static void
on_granted(struct mail *mail, unsigned bits)
{
	struct worker *worker = container_of(mail, struct worker, queue_mail);
	struct queue_place *place;

	(void)bits;
	while ((place = queue_fetch(worker->setup.queue, &worker->side)) != NULL) {
		struct request *request = container_of(place, struct request, place);

		begin(request);
		request_resume(request);
		request_set_timer(request);
	}
}

void
waits_start(struct worker *worker)
{
	mail_init(&worker->queue_mail, on_granted);
	worker->side = (struct queue_side){ .box = loop_mailbox(worker->setup.loop), .mail = &worker->queue_mail };
}

void
waits_look_again(struct worker *worker)
{
	queue_serve(worker->setup.queue);
	if (worker->n_awaiting > 0)
		wait_for_pool(worker);
}

void
waits_drain(struct worker *worker)
{
	struct request *next;

	for (struct request *r = worker->requests; r != NULL; r = next) {
		next = r->next;
		if (r->state != REQ_WAITING)
			continue;
		request_failf(r, ERR_DRAINING, "shutting down");
		request_free_if_over(r);
	}
}
