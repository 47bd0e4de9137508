// SPDX-License-Identifier: MIT
/* questions.c - who may ask an application now, and who waits for that: `client.questions` bounds the questions of this worker, and
 * `client.questions_each` those of one client (trust_counted()). Whoever waits does so in the order of arrival; only who has too many questions of his
 * own is overtaken. While memory is short no question goes out: whoever was let in needs some to hand his form over. request_authorize.c
 * asks. */
#include "request/room_priv.h"

#include "base/mem.h"
#include "base/must.h"

#include <stdio.h>
#include <string.h>

#define FULL_MAX 8 /* clients that are remembered to have too many, while the line is looked through */

static bool
is_same_client(const struct request *a, const struct request *b)
{
	return strcmp(a->asked.identity.counted, b->asked.identity.counted) == 0;
}

/* Among those of its client (route/clients.h). */
static enum clients_answer
take_place(struct request *request)
{
	struct intake *intake = request->intake;
	struct clients_key key = { CLIENT_QUESTIONS, intake->questions.name, request->asked.identity.counted };

	enum clients_answer answer = clients_take(intake->setup.clients, &key,
		request->table->config->client.questions_each, loop_now_ms(intake->setup.loop),
		&request->asks.place);

	if (answer == CLIENTS_FULL) /* others make room, of whom nothing is heard here */
		intake->questions.has_room = true;
	return answer;
}

/* Each worker has its share; none has nothing. */
static bool
is_full(const struct intake *intake)
{
	uint64_t workers = intake->setup.n_workers > 0 ? intake->setup.n_workers : 1;

	return intake->questions.n >= (intake->table->config->client.questions + workers - 1) / workers;
}

/* Armed, the waiter wakes this worker's loop, which then looks through the line. Once more after that, because chunks may have come back
 * in between. */
static bool
is_short(struct intake *intake)
{
	struct pool *pool = intake->setup.pool;

	intake->questions.is_short = pool_shortage(pool) > 0;
	if (intake->questions.is_short) {
		pool_wait(pool, &intake->pool_waiter);
		intake->questions.is_short = pool_shortage(pool) > 0;
	}
	return intake->questions.is_short;
}

/* Those in the line come first. */
static bool
may_begin(struct request *request)
{
	struct intake *intake = request->intake;

	return !is_full(intake) && !intake->questions.is_short && !is_short(intake) &&
		take_place(request) == CLIENTS_TAKEN;
}

static void
take_out(struct request *request)
{
	struct asks *asks = &request->asks;

	*asks->link = asks->next;
	if (asks->next != NULL)
		asks->next->asks.link = asks->link;
	else if (request->intake->questions.end == &asks->next)
		request->intake->questions.end = asks->link;
}

static void
begin(struct request *request)
{
	request->asks.state = ASKS_NOW;
	request->asks.began_ms = loop_now_ms(request->intake->setup.loop);
	request->intake->questions.n++;
}

bool
questions_enter(struct request *request)
{
	struct questions *questions = &request->intake->questions;

	must(request->asks.state == ASKS_NOT);
	if (may_begin(request)) {
		begin(request);
		return true;
	}
	request->asks.state = ASKS_WAITS;
	request->asks.next = NULL;
	request->asks.link = questions->end;
	*questions->end = request;
	questions->end = &request->asks.next;
	questions->has_room = questions->has_room || questions->is_short;
	return false;
}

/* Its answer does not come any more, and what it pointed to goes. */
static void
stop(struct request *request)
{
	const struct sinks *sinks = request->intake->setup.sinks;
	struct asks *asks = &request->asks;

	if (asks->asking != NULL) {
		sinks->ask_stop(sinks->arg, asks->asking);
		metrics_add(request->intake->setup.metrics, METRIC_QUESTIONS_STOPPED, 1);
	}
	asks->asking = NULL;
	buf_free(&asks->target);
	question_text_free(&asks->text);
}

void
questions_leave(struct request *request)
{
	struct questions *questions = &request->intake->questions;

	if (request->asks.state == ASKS_NOT)
		return;
	stop(request);
	if (request->asks.state == ASKS_WAITS) {
		take_out(request);
	} else {
		clients_give(request->intake->setup.clients, request->asks.place,
			loop_now_ms(request->intake->setup.loop));
		questions->n--;
		questions->has_room = true;
	}
	request->asks.state = ASKS_NOT;
}

struct full {
	const struct request *of[FULL_MAX];
	size_t n;
};

static bool
is_known_full(const struct full *full, const struct request *request)
{
	for (size_t i = 0; i < full->n; i++)
		if (is_same_client(full->of[i], request))
			return true;
	return false;
}

struct request *
questions_next(struct intake *intake)
{
	struct questions *questions = &intake->questions;
	struct full full = { .n = 0 };

	if (questions->first == NULL)
		questions->is_short = false;
	if (questions->first == NULL || !questions->has_room || is_full(intake) || is_short(intake))
		return NULL;
	for (struct request *r = questions->first; r != NULL; r = r->asks.next) {
		enum clients_answer answer = is_known_full(&full, r) ? CLIENTS_TOO_MANY : take_place(r);

		if (answer == CLIENTS_TAKEN) {
			take_out(r);
			begin(r);
			return r;
		}
		if (answer == CLIENTS_FULL)
			return NULL;
		if (full.n < FULL_MAX && !is_known_full(&full, r))
			full.of[full.n++] = r;
	}
	questions->has_room = false;
	return NULL;
}

void
questions_start(struct intake *intake)
{
	intake->questions.first = NULL;
	intake->questions.end = &intake->questions.first;
	snprintf(intake->questions.name, sizeof intake->questions.name, "%p", (void *)intake);
}
