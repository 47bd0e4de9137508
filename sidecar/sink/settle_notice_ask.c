// SPDX-License-Identifier: MIT
/* settle_notice_ask.c - what an application is told or asked of one form, and what its answer means. */
#include "config/kind.h"
#include "sink/app/ask.h"
#include "sink/settle_notice_priv.h"

#include <string.h>

#define SAY_AGAIN_MS 60000u      /* between two lines that something was not answered */
#define ANSWER_MAX (64u * 1024u) /* bytes; nobody reads them */

/* -- what is said --------------------------------------------------------------------------------------- */

static void
leave(struct notice *notice, const char *why)
{
	notice_move(notice, NOTICE_LEFT);
	if (notice->left != why)
		notice_say(LOG_ERROR, notice,
			notice->owed->is_question
				? "nobody can say whether a form that was cut short stands: it is let be"
				: "an application cannot be told that a form does not stand: it is kept in mind",
			why);
	notice->left = why;
}

/* One line a minute for all of them: an application that is down may have thousands. */
static void
say_later(struct notice *notice, const char *why)
{
	struct notices *notices = &notice->settle->notices;
	uint64_t now = loop_now_ms(notice->settle->engine.loop);

	notice->has_failed = true;
	if (now < notices->say_at_ms)
		return;
	notices->say_at_ms = clock_after(now, SAY_AGAIN_MS);
	notice_say(LOG_WARN, notice,
		notice->owed->is_question
			? "an application has not said yet whether a form that was cut short stands; it is asked again"
			: "an application has not answered yet that a form does not stand; it is told again",
		why);
}

static void
later(struct notice *notice, const char *why)
{
	uint64_t now = loop_now_ms(notice->settle->engine.loop);

	say_later(notice, why);
	notice_move(notice, NOTICE_WAITING);
	notice->due_ms = clock_after(now, notice->pause_ms);
	notice->pause_ms = notice->pause_ms * 2 < NOTICE_PAUSE_MAX_MS ? notice->pause_ms * 2 : NOTICE_PAUSE_MAX_MS;
}

/* -- what is asked -------------------------------------------------------------------------------------- */

static const struct route *
find_route(const struct config *config, const char *id)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (strcmp(config->routes[i].id, id) == 0 && config->routes[i].app.is_said)
			return &config->routes[i];
	return NULL;
}

static const struct destination *
find_destination(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_destinations; i++)
		if (strcmp(config->destinations[i].name, name) == 0 &&
			kind_has(config->destinations[i].kind, KIND_APPLICATION))
			return &config->destinations[i];
	return NULL;
}

/* A path that is the same for all forms can be said later. */
static const char *
resolve_of(const struct record_app *app, const struct route *route)
{
	const struct template *said = route->app.resolve;

	if (app->resolve != NULL)
		return app->resolve;
	return said != NULL && said->n_pieces == 1 && said->pieces[0].kind == TEMPLATE_TEXT ? said->pieces[0].text
											    : NULL;
}

/* NULL: it can be asked; else why it cannot, a constant. */
static const char *
prepare(struct notice *notice)
{
	const struct config *config = notice->settle->table->config;
	const struct record_app *app = &notice->owed->app;
	const struct route *route = find_route(config, app->route);
	const struct destination *to = find_destination(config, app->destination);
	bool asks = notice->owed->is_question;

	if (to == NULL)
		return "its destination is not in the route file any more";
	if (route == NULL)
		return "its route is not in the route file any more, or has no application";
	notice->route = (struct question_line){ "X-Penstock-Route", route->id };
	notice->question = (struct question){ .to = to,
		.method = "POST",
		.target = asks ? resolve_of(app, route) : app->failed,
		.purpose = asks ? "resolve" : "failed",
		.for_signature = &route->app.sign,
		.request_id = app->request_id,
		.lines = &notice->route,
		.n_lines = 1,
		.timeout_ms = route->app.timeout_ms,
		.answer_max = ANSWER_MAX,
		.blocks = notice->settle->notices.blocks };
	return notice->question.target != NULL ? NULL : "its route says nowhere to ask: it had no `resolve`";
}

/* -- what is answered ----------------------------------------------------------------------------------- */

static bool
is_good(const struct app_answer *answer)
{
	return !error_is_set(&answer->error) && answer->status >= 200 && answer->status < 300;
}

static bool
is_unknown_there(const struct app_answer *answer)
{
	return !error_is_set(&answer->error) && answer->status == 404;
}

static void
note_told(struct notice *notice)
{
	notice_say(LOG_INFO, notice, "told an application that a form does not stand", NULL);
	state_owed_told(notice->settle->setup.state, notice->owed);
	notice->owed = NULL;
	notice_end(notice);
}

static void
note_resolved(struct notice *notice, bool stands)
{
	struct settle *settle = notice->settle;
	struct state_owed *owed = notice->owed;

	notice_say(LOG_INFO, notice,
		stands ? "an application has said that a form which was cut short stands"
		       : "an application does not know a form that was cut short: it is taken back",
		NULL);
	if (!state_owed_answered(settle->setup.state, owed, stands)) {
		later(notice, "its answer cannot be written to the journal of commits");
		return;
	}
	notice_end(notice);
	if (!stands)
		settle_take_all(settle);
}

static const char *
why_not(const struct app_answer *answer)
{
	return error_is_set(&answer->error) ? answer->error.message : "its answer is none that means so";
}

static void
on_answer(void *arg, struct app_answer *answer)
{
	struct notice *notice = arg;
	struct settle *settle = notice->settle;
	bool asks = notice->owed->is_question;

	notice_let_go(notice);
	if (is_good(answer) && !asks)
		note_told(notice);
	else if (is_good(answer) || (asks && is_unknown_there(answer)))
		note_resolved(notice, is_good(answer));
	else
		later(notice, why_not(answer));
	notices_ask_soon(settle);
}

void
notice_ask(struct notice *notice)
{
	struct settle *settle = notice->settle;
	const char *why = prepare(notice);

	if (why != NULL) {
		leave(notice, why);
		return;
	}
	notice->table = table_acquire(settle->table);
	notice_move(notice, NOTICE_ASKING);
	notice->asking = ask_begin(&settle->engine, &notice->question, on_answer, notice);
	if (notice->asking != NULL)
		return;
	notice_let_go(notice);
	later(notice, "no memory is left to ask");
}
