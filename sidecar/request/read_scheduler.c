// SPDX-License-Identifier: MIT
/* read_scheduler.c - who is read when clients send more than one thread can take: see request_priv.h.
 *
 * Reading 32 fast clients a piece each, round and round, finds every buffer cold that a piece goes through: the
 * connection's, the transfer's, the sockets' own. So a client that fills its pieces, which could send more than is being
 * taken, has to wait for the turn, and then some megabytes of it are read while those buffers are warm. Whoever sends
 * less is read at once and never waits; a turn that is not used passes on. */
#include "request/request_priv.h"

#define TURN_BYTES (2u * 1024 * 1024) /* that much of one client while others wait */

void
scheduler_init(struct read_scheduler *scheduler)
{
	*scheduler = (struct read_scheduler){ 0 };
	scheduler->end = &scheduler->first;
}

static void
take(struct read_scheduler *scheduler, struct request *request)
{
	request->turn.state = TURN_TAKEN;
	scheduler->current = request;
	scheduler->bytes = 0;
	scheduler->was_used = true;
}

static void
await(struct read_scheduler *scheduler, struct request *request)
{
	request_pause(request);
	request->turn.state = TURN_AWAITED;
	request->turn.next = NULL;
	*scheduler->end = request;
	scheduler->end = &request->turn.next;
}

void
scheduler_leave(struct request *request)
{
	struct read_scheduler *scheduler = &request->intake->scheduler;
	struct request **at = &scheduler->first;

	if (request->turn.state == TURN_TAKEN)
		scheduler->current = NULL;
	while (request->turn.state == TURN_AWAITED && *at != request)
		at = &(*at)->turn.next;
	if (request->turn.state == TURN_AWAITED) {
		*at = request->turn.next;
		if (*at == NULL)
			scheduler->end = at;
	}
	request->turn.state = TURN_NONE;
}

void
scheduler_after_piece(struct request *request, size_t len)
{
	struct read_scheduler *scheduler = &request->intake->scheduler;

	if (len < request_piece(request) / 2) {
		scheduler_leave(request);
	} else if (scheduler->current == NULL) {
		take(scheduler, request);
	} else if (scheduler->current != request) {
		await(scheduler, request);
	} else {
		scheduler->was_used = true;
		scheduler->bytes += len;
		if (scheduler->bytes < TURN_BYTES || scheduler->first == NULL)
			return;
		scheduler_leave(request);
		await(scheduler, request);
	}
}

/* A client that is not due has nothing more to read, so it may not keep the turn: the loop could sleep. */
static bool
goes_on(const struct read_scheduler *scheduler)
{
	return scheduler->was_used && scheduler->current->client->ops->is_due(scheduler->current->client);
}

void
scheduler_pass_on(struct read_scheduler *scheduler)
{
	struct request *next = scheduler->first;

	if (scheduler->current != NULL && !goes_on(scheduler))
		scheduler_leave(scheduler->current);
	scheduler->was_used = false;
	if (scheduler->current != NULL || next == NULL)
		return;
	scheduler_leave(next);
	take(scheduler, next);
	request_resume(next);
}
