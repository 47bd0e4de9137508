// SPDX-License-Identifier: MIT
/* uploads.c - see upload.h: who carries an order, and the set of all who do. */
#include "sink/upload.h"

#include "base/mem.h"
#include "sink/app/ask.h"
#include "sink/directory/disk.h"
#include "sink/engine.h"
#include "sink/sink.h"

#define CUT_MS 1000u /* what outlives its order has so long when the process ends */

struct per_worker { /* what the requests of one worker use */
	struct uploads *uploads;
	struct engine engine;
	struct sinks sinks;
};

struct uploads {
	enum placement placement;
	struct pool *pool;
	struct disk *disk;
	size_t n_workers;
	struct per_worker workers[];
};

static struct engine *
least_busy(struct uploads *uploads, struct engine *own)
{
	struct engine *best = own;

	for (size_t i = 0; i < uploads->n_workers; i++)
		if (counter_read(&uploads->workers[i].engine.transfers) < counter_read(&best->transfers))
			best = &uploads->workers[i].engine;
	return best;
}

static size_t
cost(void *arg, const struct order *order)
{
	const struct sink *sink = sink_of(order->to);

	(void)arg;
	return sink->cost != NULL ? sink->cost(order) : 0;
}

static bool
open_order(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct per_worker *mine = arg;
	struct uploads *uploads = mine->uploads;
	struct sink_place place = { &mine->engine, uploads->pool, uploads->disk };

	if (uploads->placement == PLACEMENT_SPREAD)
		place.engine = least_busy(uploads, place.engine);
	order->sink = sink_of(order->to);
	return order->sink->begin(&place, order, producer, err);
}

static void
pump(void *arg, struct order *order)
{
	(void)arg;
	order->sink->pump(order);
}

static bool
link_order(void *arg, const struct order *order, struct order_link *link, struct error *err)
{
	(void)arg;
	return order->sink->link(order, link, err);
}

static struct asking *
ask(void *arg, const struct question *question, void (*on_answer)(void *arg, struct app_answer *answer),
	void *whose)
{
	struct per_worker *mine = arg;

	return ask_begin(&mine->engine, question, on_answer, whose);
}

static void
stop_asking(void *arg, struct asking *asking)
{
	(void)arg;
	ask_stop(asking);
}

static void
cut(void *arg)
{
	struct per_worker *mine = arg;

	engine_cut_guests(&mine->engine, clock_after(loop_now_ms(mine->engine.loop), CUT_MS));
}

struct uploads *
uploads_new(
	enum placement placement, struct pool *pool, struct loop *const *loops, size_t n_loops, struct error *err)
{
	struct uploads *uploads = mem_zalloc(sizeof *uploads + n_loops * sizeof uploads->workers[0]);

	if (uploads == NULL) {
		error_nomem(err);
		return NULL;
	}
	uploads->placement = placement;
	uploads->pool = pool;
	for (size_t i = 0; i < n_loops; i++) {
		struct per_worker *worker = &uploads->workers[i];

		worker->uploads = uploads;
		worker->sinks = (struct sinks){ .arg = worker,
			.cost = cost,
			.open = open_order,
			.pump = pump,
			.link = link_order,
			.ask = ask,
			.ask_stop = stop_asking,
			.cut = cut };
		if (!engine_init(&worker->engine, loops[i], err))
			goto fail;
		uploads->n_workers++;
	}
	uploads->disk = disk_new(pool, err);
	if (uploads->disk != NULL)
		return uploads;
fail:
	uploads_free(uploads);
	return NULL;
}

const struct sinks *
uploads_sinks(struct uploads *uploads, size_t worker)
{
	return &uploads->workers[worker].sinks;
}

bool
uploads_worker_is_idle(const struct uploads *uploads, size_t worker)
{
	return counter_read(&uploads->workers[worker].engine.transfers) == 0;
}

struct loop *
uploads_disk_loop(struct uploads *uploads)
{
	return disk_loop(uploads->disk);
}

void
uploads_free(struct uploads *uploads)
{
	if (uploads == NULL)
		return;
	disk_free(uploads->disk);
	for (size_t i = 0; i < uploads->n_workers; i++)
		engine_fini(&uploads->workers[i].engine);
	mem_free(uploads);
}
