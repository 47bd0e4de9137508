// SPDX-License-Identifier: MIT
/* request_authorize.c - asks the application whether an upload may come in, before a byte of it is read and before 100 is said.
 *
 * HEAD ─▶ AUTHORIZING: the client is paused; the question waits for its turn (questions.c), goes out, and its answer comes. 2xx:
 * what it grants is taken, and the request goes on as one that is not asked about (request_admit.c). Any other answer is the client's,
 * and none is 502 or 504. Whatever else ends the request stops the question (request_state.c). */
#include "request/room_priv.h"

#include "base/mem.h"
#include "config/app_says.h"
#include "part/location.h"
#include "route/body_limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX (64u * 1024) /* bytes of an answer that may become the client's */

/* -- what is asked -------------------------------------------------------------------------------------- */

static void
add_lines(struct question_text *to, const struct request *request)
{
	const struct asked *asked = &request->asked;
	const struct route *route = asked->decision.route;
	char length[24];

	question_text_add_passed(to, &asked->head, &route->authorize.pass);
	question_text_add_forwarded(to, &asked->head, &asked->identity, route->id);
	if (asked->decision.length == LENGTH_UNKNOWN)
		return;
	snprintf(length, sizeof length, "%" PRIu64, asked->decision.length);
	question_text_add(to, "X-Penstock-Length", str_of(length));
}

static const char *const wanted[] = { "content-type", "location", "set-cookie", "www-authenticate", "retry-after",
	"cache-control", "penstock-grant-*", "penstock-limit-*", NULL };

static void
make_question(struct request *request)
{
	const struct authorize *authorize = &request->asked.decision.route->authorize;
	const struct identity *identity = &request->asked.identity;
	struct question_text *text = &request->asks.text;
	uint64_t now = loop_now_ms(request->intake->setup.loop);

	request->asks.question = (struct question){
		.to = authorize->to,
		.method = authorize_method(authorize),
		.target = request->asks.target.data,
		.purpose = "authorize",
		.for_signature = authorize_sign(request->asked.decision.route),
		.request_id = identity->id,
		.traceparent = identity->traceparent[0] != '\0' ? identity->traceparent : NULL,
		.lines = text->lines,
		.n_lines = text->n_lines,
		.timeout_ms = request->asks.until_ms > now ? request->asks.until_ms - now : 0,
		.answer_max = ANSWER_MAX,
		.wanted = wanted,
		.blocks = request->intake->blocks,
	};
}

static bool
write_text(struct request *request, struct error *err)
{
	const struct route *route = request->asked.decision.route;
	struct question_text *text = &request->asks.text;

	if (!location_of_question(&request->form.naming, route->authorize.target, &request->asks.target, err))
		return false;
	add_lines(text, request);
	return question_text_end(text) || error_nomem(err);
}

/* -- the answer ---------------------------------------------------------------------------------------- */

static void
count(const struct request *request, const struct app_answer *answer)
{
	struct metrics *metrics = request->intake->setup.metrics;
	uint64_t took = loop_now_ms(request->intake->setup.loop) - request->asks.began_ms;
	enum metric result = METRIC_QUESTIONS_NO;

	if (answer->error.kind == ERR_UPSTREAM_TIMEOUT)
		result = METRIC_QUESTIONS_LATE;
	else if (error_is_set(&answer->error))
		result = METRIC_QUESTIONS_FAILED;
	else if (answer->status < 300)
		result = METRIC_QUESTIONS_YES;
	metrics_add(metrics, result, 1);
	metrics_add(metrics, METRIC_QUESTION_MS, took);
}

/* The client gets the answer as it is. */
static void
refuse(struct request *request, struct app_answer *answer, struct error *err)
{
	enum error_kind kind = answer->status >= 500 ? ERR_UPSTREAM : ERR_REFUSED;

	error_set(err, kind, "the application has answered %u", answer->status);
	app_answer_take(&request->asks.refusal, answer);
}

static bool
take_grants(struct request *request, const struct app_answer *answer, struct error *err)
{
	const struct asked *asked = &request->asked;
	struct grants *grants = &request->asks.grants;
	uint64_t most;

	if (!grants_take(grants, asked->decision.route, answer, err))
		return false;
	most = grants_body(grants, asked->decision.route);
	if (asked->decision.length == LENGTH_UNKNOWN || asked->decision.length <= most)
		return true;
	body_limit_refuse(most, err);
	grants_name_limit(grants, asked->decision.route, err);
	return false;
}

static void
on_answer(void *arg, struct app_answer *answer)
{
	struct request *request = arg;
	struct error error = answer->error;

	request->asks.asking = NULL;
	count(request, answer);
	if (!error_is_set(&error) && answer->status >= 300)
		refuse(request, answer, &error);
	if (!error_is_set(&error) && take_grants(request, answer, &error)) {
		request_admit(request);
		if (request->state != REQ_WAITING)
			request_resume(request);
		deadlines_set(request);
	} else {
		request_fail(request, &error);
	}
	request_free_if_over(request);
}

/* -- asking -------------------------------------------------------------------------------------------- */

static void
ask(struct request *request)
{
	const struct sinks *sinks = request->intake->setup.sinks;
	struct error error = { 0 };

	if (write_text(request, &error)) {
		make_question(request);
		request->asks.asking = sinks->ask(sinks->arg, &request->asks.question, on_answer, request);
		if (request->asks.asking != NULL) {
			metrics_add(request->intake->setup.metrics, METRIC_QUESTIONS_ASKED, 1);
			return;
		}
		error_no_room(&error, "to ask the application");
	}
	request_fail(request, &error);
}

void
request_authorize(struct request *request)
{
	const struct authorize *authorize = &request->asked.decision.route->authorize;
	uint64_t now = loop_now_ms(request->intake->setup.loop);

	if (!naming_check(&request->form.naming, request->asked.decision.route, &request->error)) {
		request_move(request, REQ_SETTLED);
		return;
	}
	request->asks.until_ms = clock_after(now, authorize->timeout_ms);
	request_move(request, REQ_AUTHORIZING);
	if (questions_enter(request))
		ask(request);
}

void
request_fail_for_turn(struct request *request)
{
	struct error error = { 0 };

	error_set(&error, ERR_BUSY, "too many questions to applications are under way; try again later");
	error_name_limit(&error, "questions");
	request_fail(request, &error);
}

void
authorize_next(struct intake *intake)
{
	struct request *request;

	while ((request = questions_next(intake)) != NULL) {
		ask(request);
		request_free_if_over(request);
	}
}
