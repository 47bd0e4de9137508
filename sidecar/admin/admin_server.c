// SPDX-License-Identifier: MIT
/* admin_server.c - see admin_server.h. */
#include "admin/admin_server.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "http/small_server.h"
#include "loop/loop_thread.h"
#include "sink/probe.h"
#include "sink/settle.h"
#include "sink/sinks.h"

#include <string.h>

struct admin_server {
	struct admin_setup setup;
	struct table *table;      /* whose destinations are probed; held */
	struct table *next_table; /* belongs to the main thread until the mail that brings it is delivered */
	struct loop *loop;
	struct watchdog *watchdog;
	struct probe *probe; /* NULL: there was no memory for another */
	struct small_server *http;
	struct mail stop, table_mail;
	struct loop_thread thread;
};

/* -- what it answers ------------------------------------------------------------------------------- */

static bool
is_alive(const struct admin_server *server, struct buf *why)
{
	return watchdog_is_good(server->watchdog, why);
}

static bool
is_ready(const struct admin_server *server, struct buf *why)
{
	bool ready = is_alive(server, why);

	if (counter_read(server->setup.gauges.draining) > 0) {
		buf_add_text(why, "draining: send nothing new here\n");
		ready = false;
	}
	if (pool_is_used_up(server->setup.gauges.pool)) {
		buf_add_text(why, "memory: the budget is used up\n");
		ready = false;
	}
	ready = sinks_are_good(server->table, why) && ready;
	if (server->setup.settle != NULL) {
		ready = state_is_good(server->setup.gauges.state, why) && ready;
		ready = settle_is_good(server->setup.settle, why) && ready;
	}
	if (server->probe != NULL)
		return probe_is_good(server->probe, why) && ready;
	buf_add_text(why, "destinations: out of memory\n");
	return false;
}

static void
answer_state(const struct admin_server *server, struct small_answer *answer, const char *good,
	bool (*is_good)(const struct admin_server *server, struct buf *why))
{
	answer->type = "text/plain; charset=utf-8";
	answer->status = 503;
	if (!is_good(server, &answer->body))
		return;
	answer->status = 200;
	buf_add_text(&answer->body, good);
}

static void
answer_live(const struct admin_server *server, struct small_answer *answer)
{
	answer_state(server, answer, "alive\n", is_alive);
}

static void
answer_ready(const struct admin_server *server, struct small_answer *answer)
{
	answer_state(server, answer, "ready\n", is_ready);
}

static void
answer_version(const struct admin_server *server, struct small_answer *answer)
{
	(void)server;
	answer->type = "application/json";
	answer->status = 200;
	buf_add_text(&answer->body, "{\"name\":\"penstock\",\"version\":\"" PENSTOCK_VERSION "\"}\n");
}

static void
answer_metrics(const struct admin_server *server, struct small_answer *answer)
{
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	answer->status = 200;
	gauges_write(&server->setup.gauges, server->table, server->probe, &answer->body);
}

static const struct {
	const char *path;
	void (*answer)(const struct admin_server *server, struct small_answer *answer);
} pages[] = {
	{ "/livez", answer_live },
	{ "/readyz", answer_ready },
	{ "/version", answer_version },
	{ "/metrics", answer_metrics },
};

static void
refuse(struct small_answer *answer, unsigned status, const char *sentence)
{
	answer->status = status;
	answer->type = "text/plain; charset=utf-8";
	buf_add_text(&answer->body, sentence);
}

static void
on_question(void *arg, const char *method, const char *path, struct small_answer *answer)
{
	const struct admin_server *server = arg;

	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		if (strcmp(path, pages[i].path) != 0)
			continue;
		if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
			pages[i].answer(server, answer);
			return;
		}
		answer->allow = "GET, HEAD";
		refuse(answer, 405, "this page takes GET and HEAD\n");
		return;
	}
	refuse(answer, 404, "no such page; there are /livez, /readyz, /version and /metrics\n");
}

/* -- its thread ------------------------------------------------------------------------------------ */

static void
on_stop(struct mail *mail, unsigned bits)
{
	struct admin_server *server = container_of(mail, struct admin_server, stop);

	(void)bits;
	watchdog_stop(server->watchdog);
	loop_stop(server->loop);
}

static void
on_table(struct mail *mail, unsigned bits)
{
	struct admin_server *server = container_of(mail, struct admin_server, table_mail);
	struct error err = { 0 };
	struct probe *probe = probe_new(server->next_table->config, server->probe, server->loop, &err);

	(void)bits;
	if (probe == NULL)
		log_line(LOG_ERROR, "admin", "cannot try the destinations", LOG_TEXTVAL("why", err.message));
	probe_free(server->probe);
	server->probe = probe;
	table_release(server->table);
	server->table = server->next_table;
	server->next_table = NULL;
	server->setup.on_table(server->setup.on_table_arg);
}

void
admin_server_set_table(struct admin_server *server, struct table *table)
{
	must(server->next_table == NULL);
	server->next_table = table;
	mailbox_post(loop_mailbox(server->loop), &server->table_mail, 1);
}

static bool
furnish(struct admin_server *server, struct error *err)
{
	const struct admin *listen = &server->table->config->admin;
	struct small_handler handler = { .arg = server, .answer = on_question };

	server->loop = loop_new(err);
	if (server->loop == NULL)
		return false;
	server->watchdog = watchdog_new(server->loop, server->setup.targets, server->setup.n_targets, err);
	if (server->watchdog == NULL)
		return false;
	server->probe = probe_new(server->table->config, NULL, server->loop, err);
	if (server->probe == NULL)
		return false;
	server->http = small_server_new(server->loop, "admin", listen->listen, listen->n_listen, &handler, err);
	return server->http != NULL;
}

struct admin_server *
admin_server_new(const struct admin_setup *setup, struct error *err)
{
	struct admin_server *server = mem_zalloc(sizeof *server);

	if (server == NULL) {
		error_nomem(err);
		return NULL;
	}
	server->setup = *setup;
	server->table = table_acquire(setup->table);
	mail_init(&server->stop, on_stop);
	mail_init(&server->table_mail, on_table);
	if (furnish(server, err) && loop_thread_start(&server->thread, server->loop, "admin", err))
		return server;
	error_wrap(err, "admin");
	admin_server_free(server);
	return NULL;
}

struct loop *
admin_server_loop(struct admin_server *server)
{
	return server->loop;
}

void
admin_server_stop(struct admin_server *server)
{
	if (server == NULL || !server->thread.is_started)
		return;
	mailbox_post(loop_mailbox(server->loop), &server->stop, 1);
	loop_thread_join(&server->thread);
}

void
admin_server_free(struct admin_server *server)
{
	if (server == NULL)
		return;
	admin_server_stop(server);
	if (server->loop != NULL)
		loop_deliver_rest(server->loop); /* a table may be among it */
	small_server_free(server->http);
	probe_free(server->probe);
	watchdog_free(server->watchdog);
	loop_free(server->loop);
	table_release(server->table);
	mem_free(server);
}
