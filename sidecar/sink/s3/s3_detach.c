// SPDX-License-Identifier: MIT
/* s3_detach.c - see s3_detach.h. */
#include "sink/s3/s3_detach.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "route/table.h"
#include "sink/s3/s3_late.h"

#define CHUNKS 1u /* for what libcurl and TLS have for a connection, and for struct s3_detached */

struct s3_detached {
	struct s3 *s3;
	struct order order; /* a copy: what an abort needs to know */
	struct table *table;
	char *target, *request_id;
	struct chunk *aside;
	struct engine_guest guest;
	void (*hurry)(struct s3 *s3, uint64_t by_ms);
};

/* -- it leaves its order --------------------------------------------------------------------------------- */

static bool
charge(struct s3_detached *detached, struct pool *pool)
{
	size_t n = CHUNKS + s3_late_count(detached->s3) * S3_REQUEST_CHUNKS;

	if (!pool_set_aside(pool, n, &detached->aside))
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

/* The process ends soon. */
static void
on_cut(struct engine_guest *guest)
{
	struct s3_detached *detached = container_of(guest, struct s3_detached, guest);
	struct s3 *s3 = detached->s3;

	if (s3->state == S3_ABORTING)
		detached->hurry(s3, s3->object.engine->cut_ms);
}

static uint64_t
time_left(const struct engine *engine)
{
	uint64_t by_ms = clock_after(loop_now_ms(engine->loop), engine->guest_ms);

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
s3_detach(struct s3 *s3, void (*hurry)(struct s3 *s3, uint64_t by_ms))
{
	struct s3_detached *detached = detached_new(s3);
	struct engine *engine = s3->object.engine;

	must(s3->state == S3_ABORTING && s3->detached == NULL);
	if (detached == NULL)
		return;
	s3_late_uncharge(s3);
	if (s3->order->reserve != NULL)
		reserve_forget(s3->order->reserve, &s3->user);
	s3->detached = detached;
	s3->order = &detached->order;
	s3->object.target = detached->target;
	s3->abort_by_ms = time_left(engine);
	drop_receipts(s3);
	detached->hurry = hurry;
	detached->guest.cut = on_cut;
	engine_add_guest(engine, &detached->guest);
	s3_counts_detached(s3->object.counts, true);
	channel_report(s3->channel, CHANNEL_ENDED);
}

void
s3_detached_end(struct s3 *s3)
{
	engine_remove_guest(s3->object.engine, &s3->detached->guest);
	s3_counts_detached(s3->object.counts, false);
}
