// SPDX-License-Identifier: MIT
/* request_state.c - what state a request is in, and whether its client is read. Both are asked for by every file above,
 * so none of them is called from here. */
#include "request/room_priv.h"

#include "base/must.h"
#include "base/state.h"

static const unsigned may_become[] = {
	[REQ_HEAD] = BIT(REQ_AUTHORIZING) | BIT(REQ_WAITING) | BIT(REQ_PARSING) | BIT(REQ_SETTLED),
	[REQ_AUTHORIZING] = BIT(REQ_WAITING) | BIT(REQ_PARSING) | BIT(REQ_SETTLED),
	[REQ_WAITING] = BIT(REQ_PARSING) | BIT(REQ_SETTLED),
	[REQ_PARSING] = BIT(REQ_HELD) | BIT(REQ_ABORTING),
	[REQ_HELD] = BIT(REQ_SETTLED) | BIT(REQ_ABORTING),
	[REQ_ABORTING] = BIT(REQ_SETTLED),
	[REQ_SETTLED] = BIT(REQ_ANSWERED),
	[REQ_ANSWERED] = 0,
};

static void
leave_lists(struct request *request)
{
	if (request->state == REQ_PARSING) {
		pace_leave(request);
		shape_leave(request);
	}
	questions_leave(request);
	if (request->state != REQ_WAITING)
		return;
	request->intake->n_waiting--;
	queue_leave(request->intake->setup.queue, &request->memory_wait.place);
}

void
request_move(struct request *request, enum request_state to)
{
	must(state_may_become(may_become, (int)request->state, (int)to));
	leave_lists(request);
	request->state = to;
	if (to == REQ_PARSING)
		pace_enter(request);
	if (to == REQ_WAITING)
		request->intake->n_waiting++;
}

/* -- pausing and resuming --------------------------------------------------------------------------- */

void
request_pause(struct request *request)
{
	must(!request->reading.is_paused && request->client != NULL);
	scheduler_leave(request); /* somebody else may use its turn meanwhile */
	request->client->ops->pause(request->client);
	request->reading.is_paused = true;
	request->reading.paused_ms = loop_now_ms(request->intake->setup.loop);
}

void
request_resume(struct request *request)
{
	intake_want_no_chunks(request);
	if (request->turn.state == TURN_AWAITED)
		scheduler_leave(request);
	if (!request->reading.is_paused || request->client == NULL)
		return;
	request->reading.is_paused = false;
	deadlines_note_byte(request);
	pace_note_resumed(request);
	request->client->ops->resume(request->client);
}
