// SPDX-License-Identifier: MIT
/* read_scheduler.c - who is read when clients send more than one thread can take: see room_priv.h.
 *
 * Reading 32 fast clients a piece each, round and round, finds every buffer cold that a piece goes through: the
 * connection's, the transfer's, the sockets' own. So a client that fills its pieces, which could send more than is being
 * taken, has to wait for the turn, and then some megabytes of it are read while those buffers are warm. Whoever sends
 * less is read at once and never waits; a turn that is not used passes on. */
#include "request/room_priv.h"

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

void
scheduler_await(struct request *request)
{
	struct read_scheduler *scheduler = &request->intake->scheduler;

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

bool
scheduler_after_piece(struct request *request, size_t len)
{
	struct read_scheduler *scheduler = &request->intake->scheduler;

	if (len < request->client->ops->piece(request->client) / 2) {
		scheduler_leave(request);
		return false;
	}
	if (scheduler->current == NULL) {
		take(scheduler, request);
		return false;
	}
	if (scheduler->current != request)
		return true;
	scheduler->was_used = true;
	scheduler->bytes += len;
	return scheduler->bytes >= TURN_BYTES && scheduler->first != NULL;
}

/* A client that is not due has nothing more to read, so it may not keep the turn: the loop could sleep. */
static bool
goes_on(const struct read_scheduler *scheduler)
{
	return scheduler->was_used && scheduler->current->client->ops->is_due(scheduler->current->client);
}

struct request *
scheduler_pass_on(struct read_scheduler *scheduler)
{
	struct request *next = scheduler->first;

	if (scheduler->current != NULL && !goes_on(scheduler))
		scheduler_leave(scheduler->current);
	scheduler->was_used = false;
	if (scheduler->current != NULL || next == NULL)
		return NULL;
	scheduler_leave(next);
	take(scheduler, next);
	return next;
}
