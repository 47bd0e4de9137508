// SPDX-License-Identifier: MIT
/* s3_abort.c - takes away what is not wanted any more, by AbortMultipartUpload and DeleteObject.
 *
 * An unfinished upload costs its owner money until it is aborted. The outcome of an order that is not completed is known before
 * the abort, so the abort goes on without the order (s3_detach.h). Only if it cannot, or if the object is to be looked for once no
 * Complete can do anything any more, the order ends after the abort, within S3_ABORT_MS. If the store does not abort the upload the log says so. A
 * part that is still being stored when the upload is aborted brings it back in some stores. So the upload is aborted at once, and
 * once more when each part of which the store has all bytes has been answered (s3_late.h). If it is not known whether a part is still
 * to come, the upload is aborted once more a little later. */
#include "base/container_of.h"
#include "base/log.h"
#include "base/must.h"
#include "sink/s3/s3_detach.h"
#include "sink/s3/s3_late.h"

#include <string.h>

#define ABORT_AGAIN_MS 300u

/* -- an upload ------------------------------------------------------------------------------------------ */

static void
warn(const struct s3 *s3, const struct error *error)
{
	s3_counts_left(s3->object.counts);
	log_line(LOG_WARN, "sink", "an unfinished upload may be left in a bucket",
		LOG_TEXTVAL("id", s3->order->request_id), LOG_TEXTVAL("destination", s3->order->to->name),
		LOG_TEXTVAL("key", s3->order->target), LOG_TEXTVAL("reason", error->message));
}

static void on_aborted(void *arg, const struct s3_reply *reply);

static void
ask_abort(struct s3 *s3)
{
	struct error error = { 0 };

	s3->is_to_repeat = s3_late_count(s3) > 0;
	s3_ask_abort(s3);
	if (s3->query.failed)
		error_nomem(&error);
	else if (s3_begin_call(s3, on_aborted, &error))
		return;
	warn(s3, &error);
	s3_end(s3);
}

static void
on_again(struct timer *timer)
{
	ask_abort(container_of(timer, struct s3, again));
}

static void
on_not_aborted(struct s3 *s3, const struct s3_reply *reply)
{
	s3->is_abort_refused = s3_is_for_good(reply->fate, reply->status, reply->code);
	warn(s3, &reply->error);
	s3_end(s3);
}

static bool
set_timer_for_late_parts(struct s3 *s3)
{
	struct loop *loop = s3->object.engine->loop;

	if (!s3->had_parts_cut)
		return false;
	s3->had_parts_cut = false;
	return loop_set_timer(loop, &s3->again, clock_after(loop_now_ms(loop), ABORT_AGAIN_MS));
}

static void
on_aborted(void *arg, const struct s3_reply *reply)
{
	struct s3 *s3 = arg;
	bool is_gone = reply->status == 404;

	if (reply->fate != S3_DONE && !is_gone) {
		on_not_aborted(s3, reply);
		return;
	}
	if (!is_gone && s3->n_aborted++ == 0)
		s3_counts_aborted(s3->object.counts);
	if (s3->is_complete_open) {
		s3->is_complete_open = false;
		s3->is_upload_gone = true;
		s3_look(s3);
	} else if (s3->is_to_repeat) {
		s3_abort_after_parts(s3);
	} else if (is_gone || !set_timer_for_late_parts(s3)) {
		s3->is_upload_gone = true;
		s3_end(s3);
	}
}

void
s3_abort_after_parts(struct s3 *s3)
{
	if (s3_late_count(s3) == 0 && s3_call_is_idle(&s3->call))
		ask_abort(s3);
}

static void
set_abort(struct s3 *s3)
{
	uint64_t now = loop_now_ms(s3->object.engine->loop);

	if (s3->abort_by_ms == 0)
		s3->abort_by_ms = clock_after(now, S3_ABORT_MS);
	s3->again.fire = on_again;
}

void
s3_warn_of_lost(const struct s3 *s3)
{
	struct error lost = { 0 };

	error_set(&lost, ERR_UPSTREAM, "no answer to CreateMultipartUpload told its id");
	warn(s3, &lost);
}

/* Nobody can abort it without its id, for which there may have been no memory. */
static void
end_without_upload(struct s3 *s3)
{
	struct error error = { 0 };

	if (s3->upload.failed) {
		error_nomem(&error);
		warn(s3, &error);
	} else if (!s3->is_upload_gone && s3_call_may_be_lost(&s3->call)) {
		s3_warn_of_lost(s3);
	}
	s3_end(s3);
}

/* A request that has not been sent yet is not waited for, because it made nothing. */
static bool
is_asked_for(const struct s3 *s3)
{
	return s3->state == S3_CREATING && s3_call_is_under_way(&s3->call);
}

/* An abort that was sent already is sent anew, because the one before may have been given more time. */
static void
abort_by(struct s3 *s3, uint64_t by_ms)
{
	s3->abort_by_ms = by_ms;
	s3_late_hurry(s3);
	if (s3_call_is_idle(&s3->call))
		return; /* parts are waited for, or the timer runs */
	if (s3->upload.len == 0) {
		s3_call_hurry(&s3->call, by_ms);
		return;
	}
	s3_call_stop(&s3->call);
	ask_abort(s3);
}

void
s3_abort(struct s3 *s3)
{
	bool will_come = is_asked_for(s3);

	set_abort(s3);
	if (s3->state != S3_ABORTING)
		s3_move(s3, S3_ABORTING);
	if (!will_come && (s3->upload.len == 0 || s3->upload.failed || s3->is_upload_gone)) {
		end_without_upload(s3);
		return;
	}
	if (s3->detached == NULL && !s3->is_complete_open)
		s3_detach(s3, abort_by);
	s3_late_hurry(s3);
	if (will_come) { /* the answer with its id is awaited: then s3_create.c calls again */
		s3_call_hurry(&s3->call, s3->abort_by_ms);
		return;
	}
	s3_call_stop(&s3->call);
	ask_abort(s3);
}

/* -- an order that fails ----------------------------------------------------------------------------------- */

static bool
has_upload(const struct s3 *s3)
{
	return !s3->order->is_kept && s3->state != S3_READY;
}

/* There is no object, and never will be: an upload that nobody completes is none. Of one whose Complete was lost nobody can say so
 * before the store has said that it is aborted; until then, however it ends, it may come to be. */
void
s3_give_up(struct s3 *s3)
{
	s3->order->outcome.state = s3->is_complete_open ? OUTCOME_UNKNOWN : OUTCOME_ABORTED;
	s3_parts_give_up(s3);
	if (has_upload(s3))
		s3_abort(s3);
	else
		s3_end(s3);
}

void
s3_fail(struct s3 *s3, const struct error *error)
{
	s3->order->outcome.error = *error;
	s3_give_up(s3);
}

/* -- an object ---------------------------------------------------------------------------------------------- */

static bool
ask_delete(struct s3 *s3, void (*on_end)(void *arg, const struct s3_reply *reply), struct error *err)
{
	s3_ask_delete(s3);
	return s3->query.failed ? error_nomem(err) : s3_begin_call(s3, on_end, err);
}

static void
on_taken_away(void *arg, const struct s3_reply *reply)
{
	struct s3 *s3 = arg;
	bool is_gone = reply->fate == S3_DONE || reply->status == 404;

	s3->order->outcome.state = is_gone ? OUTCOME_ABORTED : OUTCOME_UNKNOWN;
	s3_end(s3);
}

void
s3_take_away(struct s3 *s3)
{
	struct error error = { 0 };

	s3_move(s3, S3_ABORTING);
	s3->order->outcome.state = OUTCOME_UNKNOWN;
	if (!ask_delete(s3, on_taken_away, &error))
		s3_end(s3);
}

void
s3_end_undo(struct s3 *s3, const struct error *error)
{
	struct outcome *outcome = &s3->order->outcome;

	s3_call_stop(&s3->call);
	s3_move(s3, S3_ENDED);
	if (error == NULL)
		outcome->state = OUTCOME_UNDONE;
	else
		error_keep_first(&outcome->undo_error, error);
	channel_report(s3->channel, CHANNEL_UNDONE);
}

static void
on_undone(void *arg, const struct s3_reply *reply)
{
	struct s3 *s3 = arg;
	struct error error = reply->error;

	if (reply->fate == S3_DONE || reply->status == 404) {
		s3_end_undo(s3, NULL);
		return;
	}
	error_wrap(&error, "it could not be taken back");
	s3_end_undo(s3, &error);
}

void
s3_undo(struct s3 *s3)
{
	struct error error = { 0 };

	s3_move(s3, S3_UNDOING);
	if (!ask_delete(s3, on_undone, &error))
		s3_end_undo(s3, &error);
}
