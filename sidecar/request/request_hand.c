// SPDX-License-Identifier: MIT
/* request_hand.c - hands a form over to the application of its route (`app`), and hears what it says of it.
 *
 *   READY ─the goal is reached, the journal is told▶ TELLING ─it knows▶ ASKED ─▶ YES or NO
 *
 * The goal is that everything is visible, with `when: committed`, or that nothing is yet but everything could be. The application is asked
 * once. A form of which it says no, or says nothing, is given up. If it may believe in a form that is given up, the journal of commits owes
 * it word of that (txn_owe_failed()). With `undo_on: none` nothing that it says or does not say takes back what is there. */
#include "request/room_priv.h"

#include "base/must.h"
#include "config/app_says.h"
#include "part/location.h"
#include "reply/app_form.h"

static const struct app *
app_of(const struct request *request)
{
	return &request->asked.decision.route->app;
}

/* Whatever it says, and if it says nothing: what is there stays. */
static bool
keeps_all(const struct request *request)
{
	return app_of(request)->when == APP_COMMITTED && app_never_takes_back(app_of(request));
}

/* Of parts that are committed one by one the journal is told nothing, for none of them is ever taken back. */
static bool
is_journaled(const struct request *request)
{
	return request->asked.decision.route->commit == COMMIT_ALL;
}

/* The form is given up; the objects of one that was asked about are there. */
static void
say_no(struct request *request)
{
	if (app_of(request)->when == APP_COMMITTED && request->hand.state == HAND_ASKED)
		metrics_add(request->intake->setup.metrics, METRIC_FORMS_TAKEN_BACK, 1);
	request->hand.state = HAND_NO;
}

/* -- what can be said beforehand -------------------------------------------------------------------------- */

static bool
fill(const struct request *request, const struct template *t, struct buf *out, struct error *err)
{
	return t == NULL || location_of_question(&request->form.naming, t, out, err);
}

static bool
make_targets(struct request *request, struct error *err)
{
	const struct app *app = app_of(request);
	struct hand *hand = &request->hand;

	return location_of_form(&request->form.naming, app, &hand->target, err) &&
		fill(request, app->failed, &hand->failed, err) && fill(request, app->resolve, &hand->resolve, err);
}

static bool
make_text(struct request *request, struct error *err)
{
	const struct asked *asked = &request->asked;
	const struct app *app = app_of(request);
	struct hand *hand = &request->hand;

	buf_add_str(&hand->method, app_method(app, asked->head.method));
	question_text_add_passed(&hand->text, &asked->head, &app->pass);
	question_text_add_forwarded(&hand->text, &asked->head, &asked->identity, asked->decision.route->id);
	return (question_text_end(&hand->text) && !hand->method.failed) || error_nomem(err);
}

bool
hand_get_ready(struct request *request, struct error *err)
{
	const struct route *route = request->asked.decision.route;
	struct hand *hand = &request->hand;

	if (!route->app.is_said)
		return true;
	must(request->client != NULL);
	if (!make_targets(request, err) || !make_text(request, err))
		return false;
	hand->app = (struct txn_app){
		.destination = route->app.to->name,
		.route = route->id,
		.failed = hand->failed.data,
		.resolve = hand->resolve.data,
		.is_held = route->app.when == APP_HELD,
		.stays = keeps_all(request),
	};
	if (is_journaled(request))
		txn_set_app(request->form.txn, &hand->app);
	hand->state = HAND_READY;
	return true;
}

enum txn_goal
hand_goal(const struct request *request)
{
	if (request->hand.state == HAND_NOT || request->hand.state == HAND_YES)
		return TXN_END;
	return app_of(request)->when == APP_HELD ? TXN_PREPARE : TXN_COMMIT;
}

/* -- the question -------------------------------------------------------------------------------------------- */

static bool
make_body(struct request *request, struct error *err)
{
	struct app_form_of of = { request->asked.decision.route, request->form.parts,
		str_of(request->asked.identity.id) };
	struct hand *hand = &request->hand;
	size_t most = app_form_most(&of);

	if (!blocks_charge(request->intake->blocks, most))
		return error_no_room(err, "to tell the application of the form");
	app_form_make(&of, &hand->body);
	hand->charge = hand->body.cap < most ? hand->body.cap : most;
	blocks_discharge(request->intake->blocks, most - hand->charge);
	return !hand->body.failed || error_nomem(err);
}

static const char *const wanted[] = { "content-type", "location", "set-cookie", "www-authenticate", "retry-after",
	"cache-control", "etag", "link", "hx-*", "turbo-*", NULL };

static struct question
question_of(const struct request *request)
{
	const struct app *app = app_of(request);
	const struct identity *identity = &request->asked.identity;
	const struct hand *hand = &request->hand;

	return (struct question){
		.to = app->to,
		.method = hand->method.data,
		.target = hand->target.data,
		.purpose = "form",
		.for_signature = &app->sign,
		.request_id = identity->id,
		.traceparent = identity->traceparent[0] != '\0' ? identity->traceparent : NULL,
		.lines = hand->text.lines,
		.n_lines = hand->text.n_lines,
		.type = app_form_type(app->form),
		.body = hand->body.len > 0 ? buf_str(&hand->body) : STR(""),
		.timeout_ms = app->timeout_ms,
		.answer_max = app->answer,
		.wanted = wanted,
		.blocks = request->intake->blocks,
	};
}

/* What the question needed goes as soon as there is an answer. */
static void
forget_question(struct request *request)
{
	struct hand *hand = &request->hand;

	blocks_discharge(request->intake->blocks, hand->charge);
	hand->charge = 0;
	buf_free(&hand->body);
	buf_free(&hand->method);
	buf_free(&hand->target);
	question_text_free(&hand->text);
}

/* -- the answer ------------------------------------------------------------------------------------------------ */

static void
count(const struct request *request, enum metric result)
{
	struct metrics *metrics = request->intake->setup.metrics;

	metrics_add(metrics, result, 1);
	metrics_add(metrics, METRIC_HANDOVER_MS, loop_now_ms(request->intake->setup.loop) - request->hand.began_ms);
}

static void
log_answer(const struct request *request, const struct app_answer *answer)
{
	log_line(error_is_set(&answer->error) ? LOG_ERROR : LOG_INFO, "request", "application",
		LOG_TEXTVAL("id", request->asked.identity.id),
		LOG_TEXTVAL("destination", app_of(request)->to->name), LOG_NUM("status", answer->status),
		LOG_NUM("ms", loop_now_ms(request->intake->setup.loop) - request->hand.began_ms),
		LOG_TEXTVAL("form", request->hand.state == HAND_YES ? "stands" : "is given up"),
		LOG_TEXTVAL("why", error_is_set(&answer->error) ? answer->error.message : NULL));
}

/* Its answer did not come, or nobody can tell what it is. */
static void
take_silence(struct request *request, const struct app_answer *answer)
{
	error_keep_first(&request->error, &answer->error);
	if (keeps_all(request)) {
		request->hand.state = HAND_YES;
		return;
	}
	say_no(request);
	if (answer->may_have_arrived)
		txn_owe_failed(request->form.txn);
}

static void
take_answer(struct request *request, struct app_answer *answer)
{
	const struct route *route = request->asked.decision.route;
	unsigned status = answer->status;
	bool is_yes = app_says_yes(status);
	bool stands = route->app.when == APP_HELD ? is_yes : !app_takes_back(&route->app, status);

	if (stands)
		request->hand.state = HAND_YES;
	else
		say_no(request);
	if (!stands)
		error_set(&request->error, status >= 500 ? ERR_UPSTREAM : ERR_REFUSED,
			"the application has answered %u", status);
	if (!is_yes || !stands || route->response.from == RESPONSE_APP)
		app_answer_take(&request->hand.answer, answer);
}

static void
on_answer(void *arg, struct app_answer *answer)
{
	struct request *request = arg;
	unsigned status = answer->status;

	must(request->hand.state == HAND_ASKED);
	request->hand.asking = NULL;
	if (error_is_set(&answer->error)) {
		take_silence(request, answer);
		count(request,
			answer->error.kind == ERR_UPSTREAM_TIMEOUT ? METRIC_HANDOVERS_LATE
								   : METRIC_HANDOVERS_FAILED);
		log_answer(request, answer);
	} else {
		struct app_answer told = { .status = status };

		take_answer(request, answer);
		count(request, app_says_yes(status) ? METRIC_HANDOVERS_YES : METRIC_HANDOVERS_NO);
		log_answer(request, &told);
	}
	forget_question(request);
	request->hand.on_answer(request);
}

/* -- from one state to the next ---------------------------------------------------------------------------------- */

static bool
ask(struct request *request, struct error *err)
{
	const struct sinks *sinks = request->intake->setup.sinks;
	struct hand *hand = &request->hand;

	hand->question = question_of(request);
	hand->began_ms = loop_now_ms(request->intake->setup.loop);
	hand->asking = sinks->ask(sinks->arg, &hand->question, on_answer, request);
	return hand->asking != NULL || error_no_room(err, "to ask the application");
}

/* Nothing of it has left, so nobody believes in the form. It is given up, with `undo_on: none`, too. */
static bool
fail(struct request *request)
{
	say_no(request);
	forget_question(request);
	return true;
}

/* The same; but with `undo_on: none` the journal says by now that the form stands. */
static bool
fail_to_ask(struct request *request)
{
	if (!keeps_all(request))
		return fail(request);
	request->hand.state = HAND_YES;
	forget_question(request);
	return true;
}

static bool
tell_and_ask(struct request *request, struct error *err)
{
	if (is_journaled(request) && !txn_asked(request->form.txn))
		return false;
	if (txn_failure(request->form.txn) != NULL) {
		error_keep_first(err, txn_failure(request->form.txn));
		return fail(request);
	}
	if (!ask(request, err))
		return fail_to_ask(request);
	request->hand.state = HAND_ASKED;
	return false;
}

bool
hand_go_on(struct request *request, void (*on_answer_)(struct request *request), struct error *err)
{
	struct hand *hand = &request->hand;

	switch (hand->state) {
	case HAND_READY:
		hand->on_answer = on_answer_;
		if (!make_body(request, err))
			return fail(request);
		hand->state = HAND_TELLING;
		return tell_and_ask(request, err);
	case HAND_TELLING:
		return tell_and_ask(request, err);
	case HAND_ASKED:
		return false;
	case HAND_NOT:
	case HAND_YES:
	case HAND_NO:
		break;
	}
	return true;
}

bool
hand_stop(struct request *request)
{
	const struct sinks *sinks = request->intake->setup.sinks;
	struct hand *hand = &request->hand;
	bool may_believe = hand->state == HAND_ASKED || hand->state == HAND_YES;

	if (hand->state == HAND_ASKED) {
		sinks->ask_stop(sinks->arg, hand->asking);
		hand->asking = NULL;
		count(request, METRIC_HANDOVERS_STOPPED);
		forget_question(request);
	}
	if (may_believe && keeps_all(request)) {
		hand->state = HAND_YES;
		return true;
	}
	if (hand->state != HAND_NOT)
		say_no(request);
	if (may_believe) {
		txn_owe_failed(request->form.txn);
		app_answer_free(&hand->answer); /* a yes, which came to nothing */
	}
	return false;
}

void
hand_free(struct request *request)
{
	struct hand *hand = &request->hand;

	must(hand->asking == NULL);
	forget_question(request);
	buf_free(&hand->failed);
	buf_free(&hand->resolve);
}
