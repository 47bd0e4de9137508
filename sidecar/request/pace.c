// SPDX-License-Identifier: MIT
/* pace.c - how fast each client of a form that comes in brings it. All that are looked at stand in one list, and whoever moves goes to
 * its end. Where it is not the client that is waited for, it is never his fault. stalled.c gives up the first of the list. */
#include "request/room_priv.h"

#define LOOK_MS 250u /* as long as forms come in: whether the pool is short */

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

void
pace_look_later(struct intake *intake)
{
	struct loop *loop = intake->setup.loop;

	loop_set_timer(loop, &intake->stalled.look, clock_after(loop_now_ms(loop), LOOK_MS));
}

static void
note(const struct request *request, struct pace_mark *mark)
{
	*mark = (struct pace_mark){ loop_now_ms(request->intake->setup.loop), request->body.taken, UINT64_MAX };
}

/* It has brought so much since then. */
static bool
has_brought(const struct request *request, const struct pace_mark *mark, uint64_t bytes)
{
	return request->body.taken - mark->at >= bytes;
}

uint64_t
pace_owed(const struct request *request)
{
	return request->asked.decision.route->limits.min_rate * (PACE_MS / 1000);
}

void
pace_enter(struct request *request)
{
	append(request);
	note(request, &request->pace.moved);
	note(request, &request->pace.kept);
	note(request, &request->pace.owed);
	if (request->intake->stalled.look.slot == 0)
		pace_look_later(request->intake);
}

void
pace_leave(struct request *request)
{
	take_out(request);
}

static void
go_to_end(struct request *request)
{
	note(request, &request->pace.moved);
	take_out(request);
	append(request);
}

/* Its clock stood still since it was paused. */
static void
shift(struct request *request, struct pace_mark *mark)
{
	uint64_t since = request->reading.paused_ms > mark->ms ? request->reading.paused_ms : mark->ms;

	mark->ms += loop_now_ms(request->intake->setup.loop) - since;
}

void
pace_note_resumed(struct request *request)
{
	if (request->state != REQ_PARSING)
		return;
	shift(request, &request->pace.kept);
	shift(request, &request->pace.owed);
	go_to_end(request);
}

void
pace_note_bytes(struct request *request)
{
	if (request->state != REQ_PARSING)
		return;
	if (has_brought(request, &request->pace.kept, PACE_KEPT_BYTES))
		note(request, &request->pace.kept);
	if (has_brought(request, &request->pace.owed, pace_owed(request)))
		note(request, &request->pace.owed);
	if (has_brought(request, &request->pace.moved, PACE_MOVED_BYTES))
		go_to_end(request);
}
