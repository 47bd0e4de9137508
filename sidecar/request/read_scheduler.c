// SPDX-License-Identifier: MIT
/* read_scheduler.c - who is read when clients send more than one thread can take: see http_priv.h.
 *
 * Reading 32 fast clients a piece each, round and round, finds every buffer cold that a piece goes through: the
 * connection's, libcurl's, the sockets' own. So a client that fills its pieces, which could send more than is being
 * taken, has to wait for the turn, and then some megabytes of it are read while those buffers are warm. Whoever sends
 * less is read at once and never waits; a turn that is not used passes on. */
#include "http/http_priv.h"

#define TURN_BYTES (2u * 1024 * 1024) /* that much of one client while others wait */

void
turns_init(struct turns *turns)
{
	*turns = (struct turns){ 0 };
	turns->end = &turns->first;
}

static void
take(struct turns *turns, struct request *request)
{
	request->turn = TURN_TAKEN;
	turns->taken_by = request;
	turns->bytes = 0;
	turns->was_used = true;
}

static void
await(struct turns *turns, struct request *request)
{
	request_suspend(request);
	request->turn = TURN_AWAITED;
	request->next_turn = NULL;
	*turns->end = request;
	turns->end = &request->next_turn;
}

void
turn_leave(struct request *request)
{
	struct turns *turns = &request->worker->turns;
	struct request **at = &turns->first;

	if (request->turn == TURN_TAKEN)
		turns->taken_by = NULL;
	while (request->turn == TURN_AWAITED && *at != request)
		at = &(*at)->next_turn;
	if (request->turn == TURN_AWAITED) {
		*at = request->next_turn;
		if (*at == NULL)
			turns->end = at;
	}
	request->turn = TURN_NONE;
}

void
turn_after_piece(struct request *request, size_t len)
{
	struct turns *turns = &request->worker->turns;

	if (len < request_piece(request) / 2) {
		turn_leave(request);
	} else if (turns->taken_by == NULL) {
		take(turns, request);
	} else if (turns->taken_by != request) {
		await(turns, request);
	} else {
		turns->was_used = true;
		turns->bytes += len;
		if (turns->bytes < TURN_BYTES || turns->first == NULL)
			return;
		turn_leave(request);
		await(turns, request);
	}
}

/* A lane that is not due has nothing more to read from anybody, so nobody may keep the turn: the loop could sleep. */
static bool
goes_on(const struct turns *turns)
{
	return turns->was_used && turns->taken_by->connection->lane->is_due;
}

void
turns_pass_on(struct turns *turns)
{
	struct request *next = turns->first;

	if (turns->taken_by != NULL && !goes_on(turns))
		turn_leave(turns->taken_by);
	turns->was_used = false;
	if (turns->taken_by != NULL || next == NULL)
		return;
	turn_leave(next);
	take(turns, next);
	request_resume(next);
}
