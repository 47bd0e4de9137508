// SPDX-License-Identifier: MIT
/* agent.c - see agent.h: the agent's thread, its listening sockets, its end. */
#include "spoa/agent_priv.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "http/listener.h"
#include "loop/acceptor.h"
#include "loop/loop_thread.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define GUESTS_MAX                                                                                                 \
	16 /* connections beyond spoa.max_connections: health checks, and who is told that there is no room */

struct agent_thread {
	struct listeners listeners;
	struct loop_thread runner;
};

/* -- accepting ------------------------------------------------------------------------------------ */

static bool
has_room(const struct agent *agent)
{
	return agent->n_peers < agent->table->config->spoa.max_connections + GUESTS_MAX;
}

/* With max_connections talking, some more are still heard: a health check that found no room would make HAProxy think that the
 * agent is down, and anybody else is told that there is none instead of waiting. Where even these places are taken, whoever has
 * connected and said nothing yet loses his. */
static bool
makes_room(void *agent)
{
	return has_room(agent) || peer_drop_silent(agent);
}

static void
take(void *agent, size_t i, int fd, const struct sockaddr_storage *addr, socklen_t len)
{
	int on = 1;

	(void)i;
	(void)len;
	if (addr->ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	peer_new(agent, fd);
}

static void
resume_accepting(struct agent *agent)
{
	if (!agent->is_stopping && has_room(agent))
		acceptor_resume(agent->acceptor);
}

/* One a turn: those that are here already are asked in between, so who says HELLO at once is not taken for one who is silent. */
static bool
start_accepting(struct agent *agent, struct error *err)
{
	struct listeners *listeners = &agent->thread->listeners;
	const struct spoa *spoa = &agent->table->config->spoa;
	struct acceptor_setup setup = {
		.loop = agent->loop,
		.room = "spoa",
		.n_fds = spoa->n_listen,
		.batch = 1,
		.arg = agent,
		.has_room = makes_room,
		.take = take,
	};

	if (!listeners_open(listeners, spoa->listen, spoa->n_listen, 1, err))
		return false;
	setup.fds = listeners->fds;
	agent->acceptor = acceptor_new(&setup, err);
	if (agent->acceptor == NULL)
		return false;
	for (size_t i = 0; i < spoa->n_listen; i++)
		log_line(LOG_INFO, "spoa", "listening", LOG_TEXTVAL("address", listeners_name(listeners, i)));
	return true;
}

/* -- the end -------------------------------------------------------------------------------------- */

static void
stop_if_done(struct agent *agent)
{
	if (agent->is_stopping && agent->peers == NULL)
		loop_stop(agent->loop);
}

void
agent_on_peer_gone(struct agent *agent)
{
	must(agent->n_peers > 0);
	agent->n_peers--;
	resume_accepting(agent);
	stop_if_done(agent);
}

static void
on_stop(struct mail *mail, unsigned bits)
{
	struct agent *agent = container_of(mail, struct agent, stop_mail);

	(void)bits;
	agent->is_stopping = true;
	acceptor_free(agent->acceptor);
	agent->acceptor = NULL;
	peer_disconnect_all(agent);
	stop_if_done(agent);
}

/* More connections may be allowed now. */
static void
on_table(struct mail *mail, unsigned bits)
{
	struct agent *agent = container_of(mail, struct agent, table_mail);

	(void)bits;
	table_release(agent->table);
	agent->table = agent->next_table;
	agent->next_table = NULL;
	agent->setup.on_table(agent->setup.on_table_arg);
	resume_accepting(agent);
}

void
agent_set_table(struct agent *agent, struct table *table)
{
	must(agent->next_table == NULL);
	agent->next_table = table;
	mailbox_post(loop_mailbox(agent->loop), &agent->table_mail, 1);
}

/* -- begin and end, on the main thread ------------------------------------------------------------ */

struct agent *
agent_new(const struct agent_setup *setup, struct error *err)
{
	struct agent *agent = mem_zalloc(sizeof *agent);

	if (agent == NULL || (agent->thread = mem_zalloc(sizeof *agent->thread)) == NULL) {
		mem_free(agent);
		error_nomem(err);
		return NULL;
	}
	agent->setup = *setup;
	agent->table = table_acquire(setup->table);
	mail_init(&agent->stop_mail, on_stop);
	mail_init(&agent->table_mail, on_table);
	agent->loop = loop_new(err);
	if (agent->loop == NULL || !start_accepting(agent, err) ||
		!loop_thread_start(&agent->thread->runner, agent->loop, "spoa", err)) {
		error_wrap(err, "spoa");
		agent_free(agent);
		return NULL;
	}
	return agent;
}

struct loop *
agent_loop(struct agent *agent)
{
	return agent->loop;
}

void
agent_free(struct agent *agent)
{
	if (agent == NULL)
		return;
	if (agent->thread->runner.is_started) {
		mailbox_post(loop_mailbox(agent->loop), &agent->stop_mail, 1);
		loop_thread_join(&agent->thread->runner);
		loop_deliver_rest(agent->loop);
	}
	acceptor_free(agent->acceptor);
	listeners_close(&agent->thread->listeners);
	loop_free(agent->loop);
	table_release(agent->table);
	mem_free(agent->thread);
	mem_free(agent);
}
