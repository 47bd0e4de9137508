// SPDX-License-Identifier: MIT
/* sweeper.c - see sweeper.h. A round is all that concerns one destination of the table; each table has rounds of its own. */
#include "sink/sweeper.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "loop/loop_thread.h"
#include "sink/sink.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
#define AGAIN_MIN_MS UINT64_C(1000)
#define AGAIN_MAX_MS (UINT64_C(3600) * 1000)
#define DOUBLED_MAX 12u

enum { MAIL_TABLE = 1, MAIL_STOP = 2 };

struct round {
	struct sweeper *sweeper;
	const struct destination *to;
	void *sweep; /* NULL: RESTING */
	struct timer due;
	unsigned n_failed; /* in a row */
	bool is_told;
};

struct sweeper {
	struct sweeper_setup setup;
	struct loop *loop; /* NULL: no table has wanted it so far */
	struct loop_thread thread;
	struct engine engine;
	bool has_engine;
	struct table *table;      /* held; NULL: none yet */
	struct table *next_table; /* main's until the mail that brings it is delivered */
	struct round *rounds;
	size_t n_rounds;
	struct mail mail;
	bool is_over;
};

uint64_t
sweeper_rest_ms(unsigned n_failed)
{
	uint64_t again_ms;

	if (n_failed == 0)
		return DAY_MS;
	again_ms = AGAIN_MIN_MS << (n_failed - 1 < DOUBLED_MAX ? n_failed - 1 : DOUBLED_MAX);
	return again_ms < AGAIN_MAX_MS ? again_ms : AGAIN_MAX_MS;
}

/* -- one destination ------------------------------------------------------------------------------------ */

static void
rest(struct round *round, bool is_good)
{
	struct loop *loop = round->sweeper->loop;

	round->n_failed = is_good ? 0 : round->n_failed + 1;
	loop_set_timer(loop, &round->due, clock_after(loop_now_ms(loop), sweeper_rest_ms(round->n_failed)));
}

static void
stop_sweep(struct round *round)
{
	if (round->sweep != NULL)
		sink_of(round->to)->sweep_end(round->sweep);
	round->sweep = NULL;
}

static void
on_end(void *arg, bool is_good)
{
	struct round *round = arg;

	stop_sweep(round);
	rest(round, is_good);
}

static void
on_due(struct timer *timer)
{
	struct round *round = container_of(timer, struct round, due);
	struct sweep_job job = {
		.to = round->to,
		.table = round->sweeper->table,
		.engine = &round->sweeper->engine,
		.is_told = &round->is_told,
		.on_end = on_end,
		.arg = round,
	};

	round->sweep = sink_of(round->to)->sweep_begin(&job);
	if (round->sweep == NULL)
		rest(round, false);
}

/* -- all of a table ------------------------------------------------------------------------------------- */

static bool
is_swept(const struct destination *to)
{
	const struct sink *sink = sink_of(to);

	return sink->sweeps != NULL && sink->sweeps(to);
}

static bool
wants(const struct table *table)
{
	for (size_t i = 0; i < table->config->n_destinations; i++)
		if (is_swept(&table->config->destinations[i]))
			return true;
	return false;
}

static void
end_rounds(struct sweeper *sweeper)
{
	for (size_t i = 0; i < sweeper->n_rounds; i++) {
		stop_sweep(&sweeper->rounds[i]);
		loop_clear_timer(sweeper->loop, &sweeper->rounds[i].due);
	}
	mem_free(sweeper->rounds);
	sweeper->rounds = NULL;
	sweeper->n_rounds = 0;
}

static bool
begin_rounds(struct sweeper *sweeper)
{
	const struct config *config = sweeper->table->config;

	sweeper->rounds = mem_array(config->n_destinations + 1, sizeof *sweeper->rounds);
	if (sweeper->rounds == NULL)
		return false;
	for (size_t i = 0; i < config->n_destinations; i++) {
		struct round *round = &sweeper->rounds[sweeper->n_rounds];

		if (!is_swept(&config->destinations[i]))
			continue;
		*round = (struct round){ .sweeper = sweeper, .to = &config->destinations[i], .due.fire = on_due };
		if (!loop_set_timer(sweeper->loop, &round->due, clock_now_ms()))
			return false;
		sweeper->n_rounds++;
	}
	return true;
}

/* Takes the reference over. False: out of memory, and not all is swept. */
static bool
go_by(struct sweeper *sweeper, struct table *table)
{
	end_rounds(sweeper);
	table_release(sweeper->table);
	sweeper->table = table;
	return sweeper->is_over || begin_rounds(sweeper);
}

static void
take_next(struct sweeper *sweeper)
{
	struct table *next = sweeper->next_table;

	sweeper->next_table = NULL;
	if (!go_by(sweeper, next))
		log_event(LOG_ERROR, "sink", "out of memory: not all destinations are swept", NULL, 0);
	sweeper->setup.on_table(sweeper->setup.on_table_arg);
}

static void
on_mail(struct mail *mail, unsigned bits)
{
	struct sweeper *sweeper = container_of(mail, struct sweeper, mail);

	if (bits & MAIL_TABLE)
		take_next(sweeper);
	if (bits & MAIL_STOP) {
		sweeper->is_over = true;
		end_rounds(sweeper);
		loop_stop(sweeper->loop);
	}
}

/* -- begin and end -------------------------------------------------------------------------------------- */

static bool
make(struct sweeper *sweeper, struct error *err)
{
	sweeper->loop = loop_new(err);
	if (sweeper->loop == NULL)
		return false;
	sweeper->has_engine = true;
	return engine_init(&sweeper->engine, sweeper->loop, err);
}

static void
unmake(struct sweeper *sweeper)
{
	if (sweeper->loop == NULL)
		return;
	loop_deliver_rest(sweeper->loop); /* a table may be among it */
	end_rounds(sweeper);
	if (sweeper->has_engine)
		engine_fini(&sweeper->engine);
	table_release(sweeper->table);
	loop_free(sweeper->loop);
	sweeper->loop = NULL;
	sweeper->table = NULL;
	sweeper->has_engine = false;
}

/* By its first table, whose reference is taken over. False: err says why, and it is as before. */
static bool
start(struct sweeper *sweeper, struct table *table, struct error *err)
{
	if (!make(sweeper, err)) {
		unmake(sweeper);
		table_release(table);
		return false;
	}
	if (!go_by(sweeper, table))
		error_nomem(err);
	else if (loop_thread_start(&sweeper->thread, sweeper->loop, "sweeper", err))
		return true;
	unmake(sweeper);
	return false;
}

struct sweeper *
sweeper_new(const struct sweeper_setup *setup, struct error *err)
{
	struct sweeper *sweeper = mem_zalloc(sizeof *sweeper);

	if (sweeper == NULL) {
		error_nomem(err);
		return NULL;
	}
	sweeper->setup = *setup;
	mail_init(&sweeper->mail, on_mail);
	if (!wants(setup->table) || start(sweeper, table_acquire(setup->table), err))
		return sweeper;
	mem_free(sweeper);
	return NULL;
}

void
sweeper_set_table(struct sweeper *sweeper, struct table *table)
{
	struct error error = { 0 };

	must(sweeper->next_table == NULL);
	if (sweeper->loop != NULL) {
		sweeper->next_table = table;
		mailbox_post(loop_mailbox(sweeper->loop), &sweeper->mail, MAIL_TABLE);
		return;
	}
	if (!wants(table))
		table_release(table);
	else if (!start(sweeper, table, &error))
		log_line(LOG_ERROR, "sink", "no destination is swept", LOG_TEXTVAL("why", error.message));
	sweeper->setup.on_table(sweeper->setup.on_table_arg);
}

void
sweeper_free(struct sweeper *sweeper)
{
	if (sweeper == NULL)
		return;
	if (sweeper->loop != NULL) {
		mailbox_post(loop_mailbox(sweeper->loop), &sweeper->mail, MAIL_STOP);
		loop_thread_join(&sweeper->thread);
	}
	unmake(sweeper);
	mem_free(sweeper);
}
