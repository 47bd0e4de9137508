// SPDX-License-Identifier: MIT
/* fake_client.c - see fake_client.h. */
#include "lib/fake_client.h"

#include "base/container_of.h"
#include "channel/pool.h"
#include "channel/queue.h"
#include "lib/routes.h"
#include "sink/sink.h"
#include "sink/sinks.h"
#include "source/source.h"

#include <stdio.h>
#include <stdlib.h>

static struct fake_world world;
struct fake_world *const fake_world = &world;

static struct engine engine;
static struct queue *queue;
static struct hook hook;
static size_t chunks_before;
static struct fake_client *clients;
static bool (*is_enough)(const void *arg);
static const void *is_enough_arg;

/* -- the worker's part --------------------------------------------------------------------------------- */

static bool
open_order(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct sink_place place = { .engine = &engine, .pool = world.pool };

	(void)arg;
	order->sink = world.sink != NULL ? world.sink : sink_of(order->to);
	return order->sink->begin(&place, order, producer, err);
}

static size_t
cost(void *arg, const struct order *order)
{
	(void)arg;
	(void)order;
	return 0;
}

static void
pump(void *arg, struct order *order)
{
	(void)arg;
	order->sink->pump(order);
}

static struct asking *
ask(void *arg, const struct question *question, void (*on_answer)(void *arg, struct app_answer *answer),
	void *whose)
{
	struct asking *asking = world.is_deaf ? NULL : calloc(1, sizeof *asking);

	(void)arg;
	if (asking == NULL)
		return NULL;
	*asking = (struct asking){ question, on_answer, whose, world.asked };
	world.asked = asking;
	return asking;
}

static void
ask_stop(void *arg, struct asking *asking)
{
	struct asking **at = &world.asked;

	(void)arg;
	while (*at != asking)
		at = &(*at)->next;
	*at = asking->next;
	free(asking);
}

static const struct sinks sinks = {
	.cost = cost, .open = open_order, .pump = pump, .ask = ask, .ask_stop = ask_stop
};

static void
tell(struct app_answer *answer)
{
	struct asking asking = *world.asked;

	ask_stop(NULL, world.asked);
	asking.on_answer(asking.arg, answer);
	app_answer_free(answer);
}

void
fake_answer(unsigned status, const char *const *lines, const char *body)
{
	struct app_answer answer = { .status = status };
	size_t n = 0;

	while (lines != NULL && lines[n] != NULL)
		n++;
	answer.lines = calloc(n + 1, sizeof *answer.lines);
	for (size_t i = 0; i < n; i++) {
		buf_addf(&answer.text, "%s", lines[i]);
		buf_add_char(&answer.text, '\0');
	}
	for (char *at = answer.text.data; answer.n_lines < n; answer.n_lines++) {
		char *colon = strchr(at, ':');

		*colon = '\0';
		answer.lines[answer.n_lines] = (struct question_line){ at, colon + 2 };
		at = colon + strlen(colon + 1) + 2;
	}
	buf_add_text(&answer.body, body);
	tell(&answer);
}

void
fake_answer_not(enum error_kind error, bool may_have_arrived)
{
	struct app_answer answer = { .may_have_arrived = may_have_arrived };

	error_set(&answer.error, error, "destination \"app\": no");
	tell(&answer);
}

static uint64_t
on_turn(struct hook *at, uint64_t now_ms)
{
	(void)at;
	(void)now_ms;
	intake_before_reading(world.intake);
	intake_after_reading(world.intake);
	if (is_enough != NULL && is_enough(is_enough_arg))
		loop_stop(world.loop);
	return CLOCK_NEVER;
}

void
fake_until(bool (*is_so)(const void *arg), const void *arg)
{
	is_enough = is_so;
	is_enough_arg = arg;
	if (!is_so(arg))
		loop_run(world.loop);
	is_enough = NULL;
}

static void
on_state_turn(struct mail *mail, unsigned bits)
{
	(void)mail;
	(void)bits;
	loop_stop(state_loop(world.state));
}

void
fake_turn_state(void)
{
	static struct mail mail;

	mail_init(&mail, on_state_turn);
	mailbox_post(loop_mailbox(state_loop(world.state)), &mail, 1);
	loop_run(state_loop(world.state));
}

void
fake_turn(void)
{
	loop_deliver_rest(world.loop);
	on_turn(&hook, 0);
}

void
fake_world_start_with(const char *routes, uint64_t memory, struct state *state)
{
	struct error err = { 0 };
	struct intake_setup setup = { .sinks = &sinks };
	struct table *table;

	assert_true(sources_start(&err));
	world = (struct fake_world){ .loop = loop_new(&err), .pool = pool_new(memory, &err), .state = state };
	queue = queue_new(world.pool, &err);
	world.clients = clients_new(FAKE_CLIENTS, &err);
	table = table_new(routes_of(routes), NULL, &sinks_opener, NULL, &err);
	assert_non_null(table);
	engine = (struct engine){ .loop = world.loop };
	setup.table = table;
	setup.loop = world.loop;
	setup.pool = world.pool;
	setup.queue = queue;
	setup.clients = world.clients;
	setup.state = state;
	setup.requests = &world.requests;
	setup.busy = &world.busy;
	setup.metrics = &world.metrics;
	world.intake = intake_new(&setup, &err);
	assert_non_null(world.intake);
	table_release(table);
	hook = (struct hook){ .turn = on_turn };
	loop_add_hook(world.loop, &hook);
	chunks_before = pool_available(world.pool);
}

void
fake_world_start(const char *routes, uint64_t memory)
{
	fake_world_start_with(routes, memory, NULL);
}

static bool
is_all_over(const void *arg)
{
	(void)arg;
	return counter_read(&world.requests) == 0 && counter_read(&engine.transfers) == 0;
}

void
fake_world_stop(void)
{
	while (clients != NULL)
		fake_leave(clients);
	fake_until(is_all_over, NULL);
	loop_deliver_rest(world.loop);
	assert_int_equal(counter_read(&world.busy), 0);
	intake_free(world.intake);
	assert_int_equal(pool_available(world.pool), chunks_before);
	clients_free(world.clients);
	queue_free(queue);
	pool_free(world.pool);
	loop_free(world.loop);
	sources_stop();
}

int
fake_world_tear_down(void **state)
{
	(void)state;
	fake_world_stop();
	return 0;
}

void
fake_fill_clients(struct client_share *shares[FAKE_CLIENTS])
{
	for (size_t i = 0; i < FAKE_CLIENTS; i++) {
		char who[] = { 'c', (char)('0' + (char)i), '\0' };
		struct clients_key key = { CLIENT_UPLOADS, "up", who };

		assert_int_equal(clients_take(world.clients, &key, 1, 0, &shares[i]), CLIENTS_TAKEN);
	}
}

void
fake_empty_clients(struct client_share *shares[FAKE_CLIENTS])
{
	for (size_t i = 0; i < FAKE_CLIENTS; i++)
		clients_give(world.clients, shares[i], 0);
}

/* -- what its request asks of it ----------------------------------------------------------------------- */

static struct fake_client *
owner(struct client *client)
{
	return container_of(client, struct fake_client, client);
}

static const struct fake_client *
seen(const struct client *client)
{
	return (const void *)((const char *)client - offsetof(struct fake_client, client));
}

static size_t
piece(const struct client *client)
{
	return seen(client)->piece;
}

static size_t
behind_head(const struct client *client)
{
	return 2 * seen(client)->piece;
}

static bool
unread(const struct client *client, uint64_t *bytes)
{
	*bytes = seen(client)->unread;
	return true;
}

static bool
has_hung_up(const struct client *client)
{
	return seen(client)->hung_up;
}

static bool
is_due(const struct client *client)
{
	return seen(client)->due;
}

static void
pause_reading(struct client *client)
{
	assert_false(owner(client)->is_paused);
	owner(client)->is_paused = true;
	owner(client)->n_pauses++;
}

static void
resume_reading(struct client *client)
{
	assert_true(owner(client)->is_paused);
	owner(client)->is_paused = false;
}

static void
shut(struct client *client)
{
	owner(client)->is_shut = true;
}

static struct str
keep_header(const struct reply *reply, const char *name, char keep[64])
{
	for (size_t i = 0; i < reply->n_headers; i++)
		if (strcmp(reply->headers[i].name, name) == 0) {
			snprintf(keep, 64, "%.63s", reply->headers[i].value);
			return str_of(keep);
		}
	return STR_NONE;
}

static void
note_answer(struct fake_client *client, struct reply *reply)
{
	assert_int_equal(client->status, 0); /* there is one answer */
	client->status = reply->status;
	client->retry_after = keep_header(reply, "Retry-After", client->headers[0]);
	client->allow = keep_header(reply, "Allow", client->headers[1]);
	client->body = reply->body;
	reply->body = (struct buf){ 0 };
}

static bool
answer(struct client *client, struct reply *reply)
{
	note_answer(owner(client), reply);
	return true;
}

static void
answer_now(struct client *client, struct reply *reply, bool without_body)
{
	note_answer(owner(client), reply);
	owner(client)->is_early = true;
	owner(client)->without_body = without_body;
	owner(client)->has_more = owner(client)->is_slow_reader;
	if (!owner(client)->has_more)
		request_on_told(owner(client)->request);
}

static bool
is_told(const struct client *client)
{
	return !seen(client)->has_more;
}

static const struct client_ops ops = {
	.piece = piece,
	.behind_head = behind_head,
	.unread = unread,
	.has_hung_up = has_hung_up,
	.is_due = is_due,
	.pause = pause_reading,
	.resume = resume_reading,
	.shut = shut,
	.answer = answer,
	.answer_now = answer_now,
	.is_told = is_told,
};

/* -- what it sends ------------------------------------------------------------------------------------- */

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct fake_client *client = arg;

	assert_non_null(client->request); /* nobody may ask for them once the client has left */
	for (size_t i = 0; i < FAKE_LINES && client->lines[i].name != NULL; i++)
		if (str_equal_nocase(name, str_of(client->lines[i].name)) && nth-- == 0) {
			*value = str_of(client->lines[i].value);
			return true;
		}
	return false;
}

void
fake_add_line(struct fake_client *client, const char *name, const char *value)
{
	size_t n = 0;

	while (client->lines[n].name != NULL)
		n++;
	assert_true(n < FAKE_LINES);
	client->lines[n] = (struct fake_line){ name, value };
}

void
fake_client(struct fake_client *client, const char *target, const char *length)
{
	*client =
		(struct fake_client){ .client.ops = &ops, .method = "POST", .target = target, .piece = 64 * 1024 };
	fake_add_line(client, "host", "example.org");
	fake_add_line(client, "content-type", "multipart/form-data; boundary=B");
	if (length != NULL)
		fake_add_line(client, "content-length", length);
	else
		fake_add_line(client, "transfer-encoding", "chunked");
}

bool
fake_begin(struct fake_client *client)
{
	static const struct sockaddr peer = { .sa_family = AF_UNIX };
	struct request_head head = { .peer = &peer };
	struct error flaw = { 0 };

	client->request = request_new(world.intake, &client->client, client->target);
	if (client->request == NULL)
		return false;
	client->next = clients;
	clients = client;
	head.head = (struct head){
		.method = str_of(client->method),
		.target = request_target(client->request),
		.version = STR("HTTP/1.1"),
		.header = nth_header,
		.arg = client,
	};
	if (client->flaw != NULL) {
		error_set(&flaw, ERR_BAD_REQUEST, "%s", client->flaw);
		head.flaw = &flaw;
	}
	client->is_closed = !request_begin(client->request, &head);
	client->is_head_due = client->is_paused;
	return true;
}

bool
fake_is_resumed(const void *arg)
{
	const struct fake_client *client = arg;

	return !client->is_paused;
}

bool
fake_is_shut(const void *arg)
{
	const struct fake_client *client = arg;

	return client->is_shut;
}

bool
fake_is_answered(const void *arg)
{
	const struct fake_client *client = arg;

	return client->status != 0 || client->is_closed;
}

static bool
goes_on(const struct fake_client *client)
{
	return !client->is_closed && !client->is_shut;
}

static void
let_in(struct fake_client *client)
{
	if (!client->is_head_due)
		return;
	client->is_head_due = false;
	client->is_closed = !request_go_on(client->request);
}

size_t
fake_show(struct fake_client *client, const char *data, size_t len)
{
	size_t left = len < client->piece ? len : client->piece, shown = left;

	if (!client->is_paused)
		let_in(client);
	if (client->is_paused || !goes_on(client) || (client->status != 0 && !client->is_early))
		return 0;
	request_take_body(client->request, data, &left);
	return shown - left;
}

void
fake_send(struct fake_client *client, const char *data, size_t len)
{
	while (len > 0 && goes_on(client)) {
		size_t taken = fake_show(client, data, len);

		if (client->status != 0 && !client->is_early)
			return; /* refused before its body */
		data += taken;
		len -= taken;
		if (client->is_paused)
			fake_until(fake_is_resumed, client);
	}
}

void
fake_send_text(struct fake_client *client, const char *text)
{
	fake_send(client, text, strlen(text));
}

void
fake_end(struct fake_client *client)
{
	while (goes_on(client) && (client->status == 0 || client->is_early)) {
		if (client->is_paused)
			fake_until(fake_is_resumed, client);
		client->is_closed = !request_end(client->request);
	}
}

void
fake_read_answer(struct fake_client *client)
{
	client->has_more = false;
	request_on_told(client->request);
}

static void
leave_list(struct fake_client *client)
{
	struct fake_client **at = &clients;

	while (*at != NULL && *at != client)
		at = &(*at)->next;
	if (*at != NULL)
		*at = client->next;
}

void
fake_leave(struct fake_client *client)
{
	struct request *request = client->request;

	leave_list(client);

	client->request = NULL;
	client->is_paused = false;
	if (request != NULL)
		request_leave(request);
	if (!client->stays)
		request_forget_client(world.intake, &client->client);
	buf_free(&client->body);
}
