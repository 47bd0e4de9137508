// SPDX-License-Identifier: MIT
/* s3_end.c - how the state of an order changes, and how it ends: what everything that is asked of the store comes to. */
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "sink/s3/s3_detach.h"
#include "sink/s3/s3_note.h"

static const unsigned may_become[] = {
	[S3_READY] = BIT(S3_CREATING) | BIT(S3_HELD) | BIT(S3_ENDED),
	[S3_CREATING] = BIT(S3_SENDING) | BIT(S3_ABORTING) | BIT(S3_ENDED),
	[S3_SENDING] = BIT(S3_HELD) | BIT(S3_ABORTING) | BIT(S3_ENDED),
	[S3_HELD] = BIT(S3_PUTTING) | BIT(S3_COMPLETING) | BIT(S3_ABORTING) | BIT(S3_ENDED),
	[S3_PUTTING] = BIT(S3_LOOKING) | BIT(S3_ABORTING) | BIT(S3_ENDED),
	[S3_COMPLETING] = BIT(S3_LOOKING) | BIT(S3_ABORTING) | BIT(S3_ENDED),
	[S3_LOOKING] = BIT(S3_ABORTING) | BIT(S3_ENDED),
	[S3_ABORTING] = BIT(S3_LOOKING) | BIT(S3_ENDED),
	[S3_UNDOING] = BIT(S3_ENDED),
	[S3_ENDED] = BIT(S3_UNDOING),
};

void
s3_move(struct s3 *s3, enum s3_state to)
{
	must(state_may_become(may_become, (int)s3->state, (int)to));
	s3->state = to;
}

bool
s3_begin_call(struct s3 *s3, void (*on_end)(void *arg, const struct s3_reply *reply), struct error *err)
{
	s3->call.on_end = on_end;
	return s3_call_begin(&s3->call, &s3->ask, err);
}

void
s3_free(struct s3 *s3)
{
	must(s3->state == S3_ENDED && s3->channel == NULL);
	counter_sub(&s3->object.engine->transfers, 1);
	s3_call_fini(&s3->call);
	s3_detached_free(s3->detached);
	buf_free(&s3->upload);
	buf_free(&s3->query);
	buf_free(&s3->piece);
	mem_free(s3->receipts);
	mem_free(s3);
}

static void
end_detached(struct s3 *s3)
{
	s3_detached_end(s3);
	if (s3->channel == NULL)
		s3_free(s3);
}

void
s3_end(struct s3 *s3)
{
	loop_clear_timer(s3->object.engine->loop, &s3->again);
	s3_call_stop(&s3->call);
	s3_parts_drop(s3);
	if (s3->order->reserve != NULL)
		reserve_forget(s3->order->reserve, &s3->user);
	s3_note_end(s3);
	s3_move(s3, S3_ENDED);
	if (s3->detached == NULL)
		channel_report(
			s3->channel, CHANNEL_ENDED); /* the last word: from now on the order is the producer's */
	else
		end_detached(s3);
}
