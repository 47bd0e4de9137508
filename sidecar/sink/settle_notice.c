// SPDX-License-Identifier: MIT
/* settle_notice.c - the forms of which an application does not know yet what became of them: it is told that they do not stand, or asked
 * whether they do, until it has answered.
 *
 *   WAITING ─due, and nobody is asking there▶ ASKING ─answered▶ freed
 *      ▲ ▲                                      └─no answer, or another: later
 *      │ └──────────────────────────────────────────┘
 *      └─a reload─ LEFT: its route or destination is not in the route file, or nothing says where to ask; it is only logged
 *
 * An application gets one such question at a time, for one that is down would get thousands else. */
#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "sink/app/ask.h"
#include "sink/settle_notice_priv.h"

#include <string.h>

static const unsigned may_become[] = {
	[NOTICE_WAITING] = BIT(NOTICE_WAITING) | BIT(NOTICE_ASKING) | BIT(NOTICE_LEFT),
	[NOTICE_ASKING] = BIT(NOTICE_WAITING),
	[NOTICE_LEFT] = BIT(NOTICE_WAITING),
};

/* In the list of those that ask, in place of `was`. */
static void
put(struct notices *notices, const struct notice *was, struct notice *is)
{
	size_t i = 0;

	while (notices->asking[i] != was)
		must(++i < NOTICES_ASKING_MAX);
	notices->asking[i] = is;
}

void
notice_move(struct notice *notice, enum notice_state to)
{
	struct notices *notices = &notice->settle->notices;

	must(state_may_become(may_become, (int)notice->is, (int)to));
	if (to == NOTICE_ASKING)
		put(notices, NULL, notice);
	else if (notice->is == NOTICE_ASKING)
		put(notices, notice, NULL);
	notices->n_asking += to == NOTICE_ASKING;
	notices->n_asking -= notice->is == NOTICE_ASKING;
	notice->is = to;
}

void
notice_let_go(struct notice *notice)
{
	table_release(notice->table);
	notice->table = NULL;
	notice->asking = NULL;
}

static void
notice_free(struct notice *notice)
{
	if (notice->asking != NULL)
		ask_stop(notice->asking);
	notice_let_go(notice);
	mem_free(notice);
}

void
notice_end(struct notice *notice)
{
	struct notice **at = &notice->settle->notices.first;

	while (*at != notice)
		at = &(*at)->next;
	*at = notice->next;
	notice_move(notice, NOTICE_WAITING);
	notice_free(notice);
}

void
notice_say(enum log_level level, const struct notice *notice, const char *what, const char *why)
{
	const struct record_app *app = &notice->owed->app;

	log_line(level, "sink", what, LOG_TEXTVAL("commit", notice->owed->id),
		LOG_TEXTVAL("request_id", app->request_id), LOG_TEXTVAL("route", app->route),
		LOG_TEXTVAL("destination", app->destination), LOG_TEXTVAL("why", why));
}

/* -- whose turn it is ------------------------------------------------------------------------------------ */

static bool
is_busy(const struct notices *notices, const struct notice *notice)
{
	for (size_t i = 0; i < NOTICES_ASKING_MAX; i++)
		if (notices->asking[i] != NULL &&
			strcmp(notices->asking[i]->owed->app.destination, notice->owed->app.destination) == 0)
			return true;
	return false;
}

/* The one that is due for the longest time. What waits for another question has its turn when that is answered. */
static struct notice *
next_one(const struct settle *settle)
{
	struct notice *next = NULL;

	for (struct notice *n = settle->notices.first; n != NULL; n = n->next)
		if (n->is == NOTICE_WAITING && (next == NULL || n->due_ms < next->due_ms) &&
			!is_busy(&settle->notices, n))
			next = n;
	return next;
}

void
notices_ask_soon(struct settle *settle)
{
	loop_set_timer(settle->engine.loop, &settle->notices.due, loop_now_ms(settle->engine.loop));
}

static void
ask_all_that_are_due(struct settle *settle)
{
	struct notice *next = NULL;

	while (settle->notices.n_asking < NOTICES_ASKING_MAX && (next = next_one(settle)) != NULL &&
		next->due_ms <= loop_now_ms(settle->engine.loop))
		notice_ask(next);
	if (next != NULL && settle->notices.n_asking < NOTICES_ASKING_MAX)
		loop_set_timer(settle->engine.loop, &settle->notices.due, next->due_ms);
}

static void
on_due(struct timer *timer)
{
	struct settle *settle = container_of(timer, struct settle, notices.due);

	ask_all_that_are_due(settle);
	engine_run(&settle->engine);
}

/* Without memory the next look takes it. */
static bool
take_one(struct settle *settle)
{
	struct notice *notice = mem_zalloc(sizeof *notice);

	if (notice == NULL)
		return false;
	*notice = (struct notice){ .settle = settle,
		.owed = state_take_owed(settle->setup.state),
		.pause_ms = NOTICE_PAUSE_MIN_MS,
		.next = settle->notices.first };
	if (notice->owed == NULL) {
		mem_free(notice);
		return false;
	}
	settle->notices.first = notice;
	return true;
}

void
settle_notices_take(void *arg)
{
	struct settle *settle = arg;

	while (take_one(settle))
		continue;
	notices_ask_soon(settle); /* also those whose time could not be set, for lack of memory */
}

void
settle_notices_again(struct settle *settle)
{
	for (struct notice *n = settle->notices.first; n != NULL; n = n->next)
		if (n->is != NOTICE_ASKING) {
			notice_move(n, NOTICE_WAITING);
			n->due_ms = 0;
		}
	notices_ask_soon(settle);
}

/* -- begin and end --------------------------------------------------------------------------------------- */

bool
settle_notices_init(struct settle *settle)
{
	settle->notices.due.fire = on_due;
	settle->notices.blocks = blocks_new(settle->setup.pool);
	if (settle->notices.blocks == NULL)
		return false;
	state_on_owed(settle->setup.state, settle_notices_take, settle);
	return true;
}

void
settle_notices_fini(struct settle *settle)
{
	state_on_owed(settle->setup.state, NULL, NULL);
	while (settle->notices.first != NULL) {
		struct notice *next = settle->notices.first->next;

		notice_free(settle->notices.first);
		settle->notices.first = next;
	}
	loop_clear_timer(settle->engine.loop, &settle->notices.due);
	blocks_free(settle->notices.blocks);
}
