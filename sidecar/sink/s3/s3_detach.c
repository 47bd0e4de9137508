// SPDX-License-Identifier: MIT
/* s3_detach.c - see s3_detach.h. */
#include "sink/s3/s3_detach.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "route/table.h"
#include "sink/s3/s3_open.h"
#include "state/state.h"

#define DETACHED_MS 60000u
#define LEFT_MAX 1000u /* uploads that a destination may have left and the journal keeps */
#define CHUNKS 1u      /* for what libcurl and TLS have for a connection, and for struct s3_detached */

enum note_state { NOTE_SILENT, NOTE_TELLING, NOTE_TOLD };

struct s3_detached {
	struct s3 *s3;
	struct order order; /* a copy: what an abort needs to know */
	struct table *table;
	char *target, *request_id;
	struct chunk *aside;
	struct engine_guest guest;
	enum note_state note;
	struct state_entry *entry; /* unless SILENT */
	void (*on_over)(struct s3 *s3);
};

static const unsigned may_become[] = {
	[NOTE_SILENT] = BIT(NOTE_TELLING),
	[NOTE_TELLING] = BIT(NOTE_TOLD) | BIT(NOTE_SILENT),
	[NOTE_TOLD] = BIT(NOTE_SILENT),
};

static void
note_move(struct s3_detached *detached, enum note_state to)
{
	must(state_may_become(may_become, (int)detached->note, (int)to));
	detached->note = to;
}

/* -- it leaves its order --------------------------------------------------------------------------------- */

static bool
charge(struct s3_detached *detached, struct pool *pool)
{
	if (!pool_set_aside(pool, CHUNKS, &detached->aside))
		return false;
	if (pool_shortage(pool) == 0)
		return true;
	pool_take_back(pool, &detached->aside);
	return false;
}

static bool
copy_order(struct s3_detached *detached, const struct order *order)
{
	detached->target = str_dup(str_of(order->target));
	detached->request_id = str_dup(str_of(order->request_id));
	detached->order = (struct order){ .to = order->to,
		.table = order->table,
		.target = detached->target,
		.request_id = detached->request_id };
	return detached->target != NULL && detached->request_id != NULL;
}

void
s3_detached_free(struct s3_detached *detached)
{
	if (detached == NULL)
		return;
	if (detached->aside != NULL)
		pool_take_back(detached->s3->pool, &detached->aside);
	mem_free(detached->target);
	mem_free(detached->request_id);
	table_release(detached->table);
	mem_free(detached);
}

/* NULL: it cannot be detached, so the order has to wait. */
static struct s3_detached *
detached_new(struct s3 *s3)
{
	struct s3_detached *detached;

	if (s3->object.engine->n_guests >= S3_DETACHED_MAX)
		return NULL;
	detached = mem_zalloc(sizeof *detached);
	if (detached == NULL)
		return NULL;
	detached->s3 = s3;
	if (copy_order(detached, s3->order) && charge(detached, s3->pool)) {
		detached->table = table_acquire(s3->order->table);
		return detached;
	}
	s3_detached_free(detached);
	return NULL;
}

/* The process ends soon. Only an abort is hurried; an answer of the journal comes when the disk has it. */
static void
on_cut(struct engine_guest *guest)
{
	struct s3 *s3 = container_of(guest, struct s3_detached, guest)->s3;

	if (s3->state == S3_ABORTING)
		s3_abort_by(s3, s3->object.engine->cut_ms);
}

static uint64_t
time_left(const struct engine *engine)
{
	uint64_t by_ms = clock_after(loop_now_ms(engine->loop), DETACHED_MS);

	return by_ms < engine->cut_ms ? by_ms : engine->cut_ms;
}

/* What was remembered of its parts, up to 1.2 MB, was charged to the order, which gives that back. An abort needs none of it. */
static void
drop_receipts(struct s3 *s3)
{
	mem_free(s3->receipts);
	buf_free(&s3->piece);
	s3->receipts = NULL;
	s3->room = 0;
}

void
s3_detach(struct s3 *s3)
{
	struct s3_detached *detached = detached_new(s3);
	struct engine *engine = s3->object.engine;

	must(s3->state == S3_ABORTING && s3->detached == NULL);
	if (detached == NULL)
		return;
	if (s3->order->reserve != NULL)
		reserve_forget(s3->order->reserve, &s3->user);
	s3->detached = detached;
	s3->order = &detached->order;
	s3->object.target = detached->target;
	s3->abort_by_ms = time_left(engine);
	drop_receipts(s3);
	detached->guest.cut = on_cut;
	engine_add_guest(engine, &detached->guest);
	s3_counts_detached(s3->object.counts, true);
	channel_report(s3->channel, CHANNEL_ENDED);
}

/* -- what the journal tells ------------------------------------------------------------------------------ */

/* An entry that is released without being forgotten stays in the journal. There must not be too many, so what a store may leave
 * in a year is not all kept; and a store that does not let us abort would not let the next start do it either. */
static void
close_note(struct s3_detached *detached)
{
	const struct s3 *s3 = detached->s3;

	if (detached->note == NOTE_SILENT)
		return;
	if (s3->is_upload_gone || s3->is_abort_refused || s3_counts_n_left(s3->object.counts) > LEFT_MAX)
		state_entry_forget(detached->entry);
	state_entry_release(detached->entry);
	note_move(detached, NOTE_SILENT);
}

static void
on_answer(void *arg, const struct error *err)
{
	struct s3_detached *detached = arg;
	struct s3 *s3 = detached->s3;

	if (err == NULL) {
		note_move(detached, NOTE_TOLD);
	} else {
		state_entry_release(detached->entry);
		note_move(detached, NOTE_SILENT);
	}
	if (s3->state != S3_ENDED)
		return;
	close_note(detached);
	detached->on_over(s3);
}

void
s3_detached_note(struct s3 *s3)
{
	struct s3_detached *detached = s3->detached;
	struct state *state = detached != NULL ? s3_open_state(detached->table) : NULL;
	const struct destination *to = s3->order->to;

	if (state == NULL || detached->note != NOTE_SILENT)
		return;
	detached->entry = state_entry_new(state, loop_mailbox(s3->object.engine->loop), on_answer, detached);
	if (detached->entry == NULL)
		return;
	state_entry_add(detached->entry,
		&(struct record_object){ .destination = to->name,
			.at = to->at != NULL ? to->at : "",
			.target = detached->target,
			.back = RECORD_BACK_UPLOAD,
			.upload = s3->upload.data });
	if (state_entry_tell(detached->entry))
		note_move(detached, NOTE_TELLING);
	else
		state_entry_release(detached->entry);
}

/* -- it is over ------------------------------------------------------------------------------------------ */

bool
s3_detached_end(struct s3 *s3, void (*on_over)(struct s3 *s3))
{
	struct s3_detached *detached = s3->detached;

	engine_remove_guest(s3->object.engine, &detached->guest);
	s3_counts_detached(s3->object.counts, false);
	detached->on_over = on_over;
	if (detached->note == NOTE_TELLING)
		return false;
	close_note(detached);
	return true;
}
