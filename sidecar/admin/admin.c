// SPDX-License-Identifier: MIT
/* admin.c - see admin.h. */
#include "admin/admin.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "intake/small_server.h"
#include "loop/loop_thread.h"
#include "sink/probe.h"
#include "sink/settle.h"
#include "sink/sinks.h"

#include <string.h>

struct desk {
	struct desk_setup setup;
	struct table *table;      /* whose destinations are probed; held */
	struct table *next_table; /* main's until the mail that brings it is delivered */
	struct loop *loop;
	struct pulse *pulse;
	struct probe *probe; /* NULL: there was no memory for another */
	struct small_server *server;
	struct mail stop, table_mail;
	struct loop_thread thread;
};

/* -- what it answers ------------------------------------------------------------------------------- */

static bool
is_alive(const struct desk *desk, struct buf *why)
{
	return pulse_is_good(desk->pulse, why);
}

static bool
is_ready(const struct desk *desk, struct buf *why)
{
	bool ready = is_alive(desk, why);

	if (counter_read(desk->setup.figures.draining) > 0) {
		buf_add_text(why, "draining: send nothing new here\n");
		ready = false;
	}
	if (pool_is_used_up(desk->setup.figures.pool)) {
		buf_add_text(why, "memory: the budget is used up\n");
		ready = false;
	}
	ready = sinks_are_good(desk->table, why) && ready;
	if (desk->setup.settle != NULL) {
		ready = state_is_good(desk->setup.figures.state, why) && ready;
		ready = settle_is_good(desk->setup.settle, why) && ready;
	}
	if (desk->probe != NULL)
		return probe_is_good(desk->probe, why) && ready;
	buf_add_text(why, "destinations: out of memory\n");
	return false;
}

static void
answer_state(const struct desk *desk, struct small_answer *answer, const char *good,
	bool (*is_good)(const struct desk *desk, struct buf *why))
{
	answer->type = "text/plain; charset=utf-8";
	answer->status = 503;
	if (!is_good(desk, &answer->body))
		return;
	answer->status = 200;
	buf_add_text(&answer->body, good);
}

static void
answer_live(const struct desk *desk, struct small_answer *answer)
{
	answer_state(desk, answer, "alive\n", is_alive);
}

static void
answer_ready(const struct desk *desk, struct small_answer *answer)
{
	answer_state(desk, answer, "ready\n", is_ready);
}

static void
answer_version(const struct desk *desk, struct small_answer *answer)
{
	(void)desk;
	answer->type = "application/json";
	answer->status = 200;
	buf_add_text(&answer->body, "{\"name\":\"penstock\",\"version\":\"" PENSTOCK_VERSION "\"}\n");
}

static void
answer_metrics(const struct desk *desk, struct small_answer *answer)
{
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	answer->status = 200;
	figures_write(&desk->setup.figures, desk->table, desk->probe, &answer->body);
}

static const struct {
	const char *path;
	void (*answer)(const struct desk *desk, struct small_answer *answer);
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
	const struct desk *desk = arg;

	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		if (strcmp(path, pages[i].path) != 0)
			continue;
		if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
			pages[i].answer(desk, answer);
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
	struct desk *desk = container_of(mail, struct desk, stop);

	(void)bits;
	pulse_stop(desk->pulse);
	loop_stop(desk->loop);
}

static void
on_table(struct mail *mail, unsigned bits)
{
	struct desk *desk = container_of(mail, struct desk, table_mail);
	struct error err = { 0 };
	struct probe *probe = probe_new(desk->next_table->config, desk->probe, desk->loop, &err);

	(void)bits;
	if (probe == NULL)
		log_line(LOG_ERROR, "admin", "cannot try the destinations", LOG_TEXTVAL("why", err.message));
	probe_free(desk->probe);
	desk->probe = probe;
	table_release(desk->table);
	desk->table = desk->next_table;
	desk->next_table = NULL;
	desk->setup.on_table(desk->setup.on_table_arg);
}

void
desk_set_table(struct desk *desk, struct table *table)
{
	must(desk->next_table == NULL);
	desk->next_table = table;
	mailbox_post(loop_mailbox(desk->loop), &desk->table_mail, 1);
}

static bool
furnish(struct desk *desk, struct error *err)
{
	const struct admin *admin = &desk->table->config->admin;
	struct small_handler handler = { .arg = desk, .answer = on_question };

	desk->loop = loop_new(err);
	if (desk->loop == NULL)
		return false;
	desk->pulse = pulse_new(desk->loop, desk->setup.targets, desk->setup.n_targets, err);
	if (desk->pulse == NULL)
		return false;
	desk->probe = probe_new(desk->table->config, NULL, desk->loop, err);
	if (desk->probe == NULL)
		return false;
	desk->server = small_server_new(desk->loop, "admin", admin->listen, admin->n_listen, &handler, err);
	return desk->server != NULL;
}

struct desk *
desk_new(const struct desk_setup *setup, struct error *err)
{
	struct desk *desk = mem_zalloc(sizeof *desk);

	if (desk == NULL) {
		error_nomem(err);
		return NULL;
	}
	desk->setup = *setup;
	desk->table = table_acquire(setup->table);
	mail_init(&desk->stop, on_stop);
	mail_init(&desk->table_mail, on_table);
	if (furnish(desk, err) && loop_thread_start(&desk->thread, desk->loop, "admin", err))
		return desk;
	error_wrap(err, "admin");
	desk_free(desk);
	return NULL;
}

struct loop *
desk_loop(struct desk *desk)
{
	return desk->loop;
}

void
desk_stop(struct desk *desk)
{
	if (desk == NULL || !desk->thread.is_started)
		return;
	mailbox_post(loop_mailbox(desk->loop), &desk->stop, 1);
	loop_thread_join(&desk->thread);
}

void
desk_free(struct desk *desk)
{
	if (desk == NULL)
		return;
	desk_stop(desk);
	if (desk->loop != NULL)
		loop_deliver_rest(desk->loop); /* a table may be among it */
	small_server_free(desk->server);
	probe_free(desk->probe);
	pulse_free(desk->pulse);
	loop_free(desk->loop);
	table_release(desk->table);
	mem_free(desk);
}
