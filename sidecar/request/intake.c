// SPDX-License-Identifier: MIT
/* intake.c - see intake.h: what is told to all requests of one worker. The lists in which they stand are in intake_lists.c; who waits
 * for the memory of its route is in request_wait.c, who is read next in read_scheduler.c, who is given up in stalled.c. */
#include "request/room_priv.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"

#define CUT_MS 1000u /* after an abort: how long stores are waited for that owe an answer */

/* -- waiting for chunks ------------------------------------------------------------------------------ */

static void
empty_list_of_chunks(struct intake *intake)
{
	intake->wants_chunks = NULL;
	intake->wants_chunks_end = &intake->wants_chunks;
}

/* Thousands may wait, and a chunk is of use to one: so only those go on for whom there is something. The first of them does in any
 * case, and to the end of the list if it found too little: so none waits behind it for ever. */
static void
wake_some(struct intake *intake)
{
	size_t left = pool_available(intake->setup.pool), wanted;
	struct request *first = intake->wants_chunks;

	do {
		wanted = parts_wanted(first->form.parts);
		left -= wanted < left ? wanted : left;
		request_on_chunks(first); /* takes it out of the list */
		first = intake->wants_chunks;
	} while (first != NULL && parts_wanted(first->form.parts) <= left);
}

/* Asked once more after arming, because chunks may have come back in between. */
static void
on_pool_mail(struct mail *mail, unsigned bits)
{
	struct intake *intake = container_of(mail, struct intake, pool_mail);
	const struct pool *pool = intake->setup.pool;

	(void)bits;
	waits_look_again(intake);
	while (intake->wants_chunks != NULL) {
		wake_some(intake);
		if (intake->wants_chunks == NULL)
			return;
		pool_wait(intake->setup.pool, &intake->pool_waiter);
		if (parts_wanted(intake->wants_chunks->form.parts) > pool_available(pool))
			return;
	}
}

/* -- news -------------------------------------------------------------------------------------------- */

void
intake_before_reading(struct intake *intake)
{
	while (intake->changed != NULL) {
		struct request *request = intake->changed;

		intake->changed = request->changed.next;
		request->changed.is_in = false;
		request_on_news(request);
	}
	authorize_next(intake);
}

void
intake_after_reading(struct intake *intake)
{
	struct request *next = scheduler_pass_on(&intake->scheduler);

	if (next != NULL)
		request_resume(next);
	authorize_next(intake);
}

/* -- draining ---------------------------------------------------------------------------------------- */

/* Their bodies have not been asked for: they wait for memory, or for an application. */
static void
refuse_who_waits(struct intake *intake)
{
	struct request *next;

	for (struct request *r = intake->requests; r != NULL; r = next) {
		next = r->next;
		if (r->state != REQ_AUTHORIZING && r->state != REQ_WAITING)
			continue;
		request_failf(r, ERR_DRAINING, "shutting down");
		request_free_if_over(r);
	}
}

void
intake_drain(struct intake *intake)
{
	if (intake->is_draining)
		return;
	intake->is_draining = true;
	refuse_who_waits(intake);
}

static void
on_cut(struct timer *timer)
{
	struct intake *intake = container_of(timer, struct intake, cut);
	struct request *next;

	intake->is_cutting = true;
	for (struct request *r = intake->requests; r != NULL; r = next) {
		next = r->next;
		request_step(r);
		request_free_if_over(r);
	}
}

static void
close_if_answered(struct request *request)
{
	if (request->client == NULL || request->state != REQ_ANSWERED)
		return;
	request->client->ops->shut(request->client);
	request_resume(request);
}

void
intake_abort(struct intake *intake)
{
	struct loop *loop = intake->setup.loop;
	struct request *next;

	intake->is_aborting = true;
	for (struct request *r = intake->requests; r != NULL; r = next) {
		next = r->next;
		request_failf(r, ERR_DRAINING, "shutting down");
		request_free_if_over(r);
	}
	for (struct request *r = intake->requests; r != NULL; r = r->next)
		close_if_answered(r);
	if (!loop_set_timer(loop, &intake->cut, clock_after(loop_now_ms(loop), CUT_MS)))
		on_cut(&intake->cut);
}

/* -- begin and end ----------------------------------------------------------------------------------- */

const struct config *
intake_config(const struct intake *intake)
{
	return intake->table->config;
}

void
intake_set_table(struct intake *intake, struct table *table)
{
	struct error err = { 0 };

	table_release(intake->table);
	intake->table = table;
	if (!stage_tools_open(&intake->tools, table->config, &err)) /* though the reload has tried whether it can */
		log_line(LOG_ERROR, "request", "parts that need it are refused", LOG_TEXTVAL("why", err.message));
}

struct intake *
intake_new(const struct intake_setup *setup, struct error *err)
{
	struct intake *intake = mem_zalloc(sizeof *intake);

	if (intake == NULL) {
		error_nomem(err);
		return NULL;
	}
	intake->blocks = blocks_new(setup->pool);
	if (intake->blocks == NULL)
		error_nomem(err);
	if (intake->blocks == NULL || !stage_tools_open(&intake->tools, setup->table->config, err)) {
		blocks_free(intake->blocks);
		mem_free(intake);
		return NULL;
	}
	intake->setup = *setup;
	intake->table = table_acquire(setup->table);
	intake->cut.fire = on_cut;
	empty_list_of_chunks(intake);
	scheduler_init(&intake->scheduler);
	stalled_start(intake);
	waits_start(intake);
	questions_start(intake);
	mail_init(&intake->pool_mail, on_pool_mail);
	intake->pool_waiter = (struct pool_waiter){ .box = loop_mailbox(setup->loop), .mail = &intake->pool_mail };
	pool_add_waiter(setup->pool, &intake->pool_waiter);
	return intake;
}

void
intake_free(struct intake *intake)
{
	if (intake == NULL)
		return;
	must(intake->requests == NULL);
	loop_clear_timer(intake->setup.loop, &intake->cut);
	stalled_stop(intake);
	blocks_free(intake->blocks);
	stage_tools_close(&intake->tools);
	table_release(intake->table);
	mem_free(intake);
}
