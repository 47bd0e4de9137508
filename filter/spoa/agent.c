// SPDX-License-Identifier: MIT
/* agent.c - see agent.h: the agent's thread, its listening sockets, its end. */
#include "spoa/agent_priv.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "http/listener.h"
#include "loop/loop_thread.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define ACCEPT_AGAIN_MS 100
#define GUESTS_MAX                                                                                                 \
	16 /* connections beyond spoa.max_connections: health checks, and who is told that there is no room */

struct acceptor {
	struct watch watch;
	struct agent *agent;
};

struct agent_thread {
	struct listeners listeners;
	struct loop_thread runner;
};

/* -- accepting ------------------------------------------------------------------------------------ */

static size_t
n_acceptors(const struct agent *agent)
{
	return agent->acceptors != NULL ? agent->thread->listeners.n_listen : 0;
}

/* With max_connections talking, one more is still heard: a health check that found no room would make HAProxy think
 * that the agent is down, and anybody else is told so instead of waiting. Who says nothing keeps no place from them. */
static bool
has_room(const struct agent *agent)
{
	return agent->n_peers < agent->table->config->spoa.max_connections + GUESTS_MAX;
}

static void
pause_accepting(struct agent *agent)
{
	for (size_t i = 0; i < n_acceptors(agent); i++)
		loop_unwatch(agent->loop, &agent->acceptors[i].watch);
}

static void
accept_later(struct agent *agent)
{
	pause_accepting(agent);
	loop_set_timer(agent->loop, &agent->accept_again, clock_after(loop_now_ms(agent->loop), ACCEPT_AGAIN_MS));
}

static void
resume_accepting(struct agent *agent)
{
	struct error err = { 0 };

	if (agent->is_stopping || !has_room(agent))
		return;
	for (size_t i = 0; i < n_acceptors(agent); i++)
		if (!agent->acceptors[i].watch.is_watched &&
			!loop_watch(agent->loop, &agent->acceptors[i].watch, EPOLLIN, &err))
			accept_later(agent);
}

static void
on_accept_again(struct timer *timer)
{
	resume_accepting(container_of(timer, struct agent, accept_again));
}

/* One a turn: the watch is level-triggered, and those that are here already are asked in between, so who greets at once
 * is not taken for one who is silent. */
static void
on_connection(struct watch *watch, uint32_t events)
{
	struct acceptor *acceptor = container_of(watch, struct acceptor, watch);
	struct agent *agent = acceptor->agent;
	int on = 1, fd;

	(void)events;
	if (!has_room(agent) && !peer_drop_silent(agent)) {
		pause_accepting(agent);
		return;
	}
	fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			log_line(LOG_WARN, "spoa", "cannot accept", LOG_TEXTVAL("why", strerror(errno)));
			accept_later(agent);
		}
		return;
	}
	setsockopt(
		fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* fails on a unix socket, where it is not needed */
	peer_new(agent, fd);
}

static bool
start_accepting(struct agent *agent, struct error *err)
{
	struct listeners *listeners = &agent->thread->listeners;
	const struct spoa *spoa = &agent->table->config->spoa;

	if (!listeners_open(listeners, spoa->listen, spoa->n_listen, 1, err))
		return false;
	agent->acceptors = mem_array(spoa->n_listen, sizeof *agent->acceptors);
	if (agent->acceptors == NULL)
		return error_nomem(err);
	for (size_t i = 0; i < spoa->n_listen; i++) {
		agent->acceptors[i] = (struct acceptor){ { .fd = listeners->fds[i], .ready = on_connection },
			agent };
		if (!loop_watch(agent->loop, &agent->acceptors[i].watch, EPOLLIN, err))
			return false;
		log_line(LOG_INFO, "spoa", "listening", LOG_TEXTVAL("address", listeners_name(listeners, i)));
	}
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
	pause_accepting(agent);
	loop_clear_timer(agent->loop, &agent->accept_again);
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
	agent->accept_again.fire = on_accept_again;
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
	pause_accepting(agent);
	listeners_close(&agent->thread->listeners);
	loop_free(agent->loop);
	mem_free(agent->acceptors);
	table_release(agent->table);
	mem_free(agent->thread);
	mem_free(agent);
}
