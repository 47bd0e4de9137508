// SPDX-License-Identifier: MIT
/* s3.c - an order's life: what its producer tells. order_priv.h names the files that say what comes of it. */
#include "base/mem.h"
#include "sink/s3/credentials.h"
#include "sink/s3/order_priv.h"
#include "sink/s3/s3_link.h"
#include "sink/s3/s3_note.h"
#include "sink/s3/s3_open.h"
#include "sink/s3/s3_relic.h"
#include "sink/s3/s3_survey.h"
#include "sink/s3/s3_would.h"
#include "sink/s3/sweep.h"
#include "sink/sink.h"

#include <string.h>

#define CUT_MS 2000u            /* how long an abort may take after a commit was cut off */
#define CONNECTION_BYTES 32768u /* about what libcurl and TLS have for one */

/* -- orders of the producer --------------------------------------------------------------------------- */

static void
on_start(struct s3 *s3)
{
	if (s3->order->is_kept)
		s3_on_all_away(s3);
	else
		s3_create(s3);
}

/* The store has been told to make the object visible, and only its answer can say what became of that. */
static void
cut(struct s3 *s3)
{
	struct outcome *outcome = &s3->order->outcome;
	bool is_open = s3->state == S3_LOOKING || s3_call_is_open(&s3->call);

	if (!is_open) {
		s3->abort_by_ms = clock_after(loop_now_ms(s3->object.engine->loop), CUT_MS);
		s3_give_up(s3);
		return;
	}
	outcome->state = OUTCOME_UNKNOWN;
	error_set(&outcome->error, ERR_UPSTREAM_TIMEOUT, "destination \"%s\": it had not answered yet",
		s3->order->to->name);
	s3_end(s3);
}

static void
on_cancel(struct s3 *s3)
{
	struct error late = { 0 };

	switch (s3->state) {
	case S3_READY:
	case S3_CREATING:
	case S3_SENDING:
	case S3_HELD:
		s3_give_up(s3);
		break;
	case S3_PUTTING:
	case S3_COMPLETING:
	case S3_LOOKING:
		cut(s3);
		break;
	case S3_ABORTING:
		s3_end(s3); /* cancelled a second time: the abort is not waited for any longer */
		break;
	case S3_UNDOING:
		error_set(&late, ERR_UPSTREAM, "destination \"%s\": it could not be taken back in time",
			s3->order->to->name);
		s3_end_undo(s3, &late);
		break;
	case S3_ENDED:
		break;
	}
}

static void
on_close(struct s3 *s3)
{
	channel_free(s3->channel);
	s3->channel = NULL;
	if (s3->detached == NULL || s3->state == S3_ENDED)
		s3_free(s3);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct s3 *s3 = arg;

	s3->is_committed = s3->is_committed || (orders & CHANNEL_COMMIT) != 0;
	if (s3->detached != NULL) { /* ENDED was reported, so orders that were sent before come too late */
		if (orders & CHANNEL_CLOSE)
			on_close(s3);
		return;
	}
	if ((orders & CHANNEL_CANCEL) && s3->state != S3_ENDED && s3->state != S3_UNDOING) {
		on_cancel(s3);
		return; /* CLOSE comes after ENDED, never with it */
	}
	if ((orders & CHANNEL_START) && s3->state == S3_READY)
		on_start(s3);
	else if (orders & CHANNEL_COMMIT)
		s3_on_commit(s3);
	if (orders & (CHANNEL_DATA | CHANNEL_FINISH | CHANNEL_START))
		s3_parts_gather(s3);
	if (orders & CHANNEL_UNDO)
		s3_undo(s3);
	if ((orders & CHANNEL_CANCEL) && s3->state == S3_UNDOING)
		on_cancel(s3);
	if (orders & CHANNEL_CLOSE)
		on_close(s3);
}

/* -- the producer's side ------------------------------------------------------------------------------ */

static bool
make(struct s3 *s3, const struct channel_side *producer, struct error *err)
{
	struct channel_side consumer = {
		.box = loop_mailbox(s3->object.engine->loop), .on_mail = on_orders, .arg = s3
	};

	if (!s3_call_init(&s3->call, &s3->object))
		return error_nomem(err);
	s3->channel = channel_new(s3->pool, producer, &consumer, s3->order->slots, err);
	s3->user.channel = s3->channel;
	return s3->channel != NULL;
}

static void
set_object(struct s3 *s3, const struct sink_place *place)
{
	s3->object.engine = place->engine;
	s3->object.to = s3->order->to;
	s3->object.target = s3->order->target;
	s3->object.keyring = s3_open_keyring(s3->order->table, s3->order->to);
	s3->object.counts = s3_open_counts(s3->order->table, s3->order->to);
	s3->object.peer = s3_to(s3)->peer;
	s3->object.peer.headers = (struct header_lines){ 0 };
	uuid_make(s3->id);
	s3->call.arg = s3;
}

static bool
begin(const struct sink_place *place, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct s3 *s3 = mem_zalloc(sizeof *s3);

	if (s3 == NULL)
		return error_nomem(err);
	s3->pool = place->pool;
	s3->order = order;
	s3->part_size = s3_plan_piece(s3_settings(order->to)->part_size, order->largest);
	set_object(s3, place);
	if (!make(s3, producer, err)) {
		s3_parts_drop(s3);
		s3_call_fini(&s3->call);
		mem_free(s3);
		return false;
	}
	counter_add(&place->engine->transfers, 1);
	order->channel = s3->channel;
	order->transfer = s3;
	return true;
}

static void
pump(struct order *order)
{
	struct s3 *s3 = order->transfer;

	if (!channel_take_hunger(order->channel))
		return; /* busy: it looks into the channel by itself */
	if (loop_is_mine(s3->object.engine->loop) && !s3->object.engine->is_running)
		s3_parts_gather(s3);
	else
		channel_tell(order->channel, CHANNEL_DATA);
}

/* Memory for the requests beside the parts, and for what has to be remembered of each part. */
static size_t
cost(const struct order *order)
{
	uint64_t piece = s3_plan_piece(s3_settings(order->to)->part_size, order->largest);

	if (order->reserve != NULL)
		return 0; /* form_memory() has counted it */
	return CONNECTION_BYTES + s3_plan_receipts(order->largest, piece);
}

extern const struct sink s3_sink;
const struct sink s3_sink = { .open = s3_open,
	.close = s3_close,
	.is_good = s3_is_good,
	.metrics = s3_metrics,
	.survey = s3_survey,
	.would = s3_would,
	.cost = cost,
	.begin = begin,
	.pump = pump,
	.link = s3_link,
	.take_back = s3_take_back,
	.on_relic_line = s3_on_relic_line,
	.relic_said = s3_relic_said,
	.sweeps = s3_sweeps,
	.sweep_begin = s3_sweep_begin,
	.sweep_end = s3_sweep_end };
