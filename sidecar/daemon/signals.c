// SPDX-License-Identifier: MIT
/* signals.c - what the main loop does when it is told something: SIGHUP reads the route files again, the first SIGTERM
 * or SIGINT begins the end, the second gives up what still runs.
 *
 *   SERVING ─SIGTERM▶ LEAVING ─shutdown.delay▶ DRAINING ─shutdown.drain▶ ABORTING ─ABORT_GRACE_MS▶ (ends hard)
 *                        └──────SIGTERM─────────────┴──────SIGTERM───────▶ ┘
 *      all workers have stopped: the loop ends, in any phase
 *
 * While LEAVING, the process takes uploads as before and only says that it is not ready, so that gateways go elsewhere before
 * it refuses the first one. */
#include "daemon/running.h"

#include "base/container_of.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Time between giving up what runs, which waits a second for stores that have not answered, and the hard end. */
#define ABORT_GRACE_MS 2000u

static void
set_phase_deadline(struct sidecar *sidecar, uint64_t in_ms)
{
	loop_set_timer(sidecar->loop, &sidecar->deadline, clock_after(clock_now_ms(), in_ms));
}

static void
drain(struct sidecar *sidecar)
{
	const struct config *config = config_of(sidecar);

	sidecar->phase = PHASE_DRAINING;
	/* With a delay the gateway has gone elsewhere by /readyz, and may ask this agent about uploads for other penstocks. */
	if (config->delay_ms == 0)
		counter_add(&sidecar->draining, 1);
	log_line(LOG_INFO, "daemon", "draining", LOG_NUM("at_most_ms", config->drain_ms));
	worker_threads_drain(sidecar);
	set_phase_deadline(sidecar, config->drain_ms);
}

static void
leave(struct sidecar *sidecar)
{
	const struct config *config = config_of(sidecar);

	reload_end(&sidecar->reload);
	sidecar->phase = PHASE_LEAVING;
	counter_add(&sidecar->leaving, 1);
	sd_notify_stopping(sidecar->sd_notify, "draining: running uploads may finish");
	if (config->delay_ms == 0) {
		drain(sidecar);
		return;
	}
	log_line(LOG_INFO, "daemon", "leaving: not ready, and taking uploads", LOG_NUM("for_ms", config->delay_ms));
	set_phase_deadline(sidecar, config->delay_ms);
}

static void
give_up(struct sidecar *sidecar)
{
	sidecar->phase = PHASE_ABORTING;
	log_event(LOG_WARN, "daemon", "giving up what still runs", NULL, 0);
	for (size_t i = 0; i < sidecar->n_workers; i++)
		worker_abort(sidecar->workers[i].worker);
	set_phase_deadline(sidecar, ABORT_GRACE_MS);
}

static void
end_hard(struct sidecar *sidecar)
{
	log_event(LOG_ERROR, "daemon", "ending although something still runs", NULL, 0);
	sidecar->ended_hard = true;
	loop_stop(sidecar->loop);
}

static void
next_phase(struct sidecar *sidecar)
{
	if (sidecar->phase == PHASE_SERVING)
		leave(sidecar);
	else if (sidecar->phase != PHASE_ABORTING)
		give_up(sidecar);
}

static void
on_signal(struct watch *watch, uint32_t events)
{
	struct sidecar *sidecar = container_of(watch, struct sidecar, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo == SIGHUP)
			reload_now(&sidecar->reload);
		else
			next_phase(sidecar);
}

static void
on_deadline(struct timer *timer)
{
	struct sidecar *sidecar = container_of(timer, struct sidecar, deadline);

	if (sidecar->phase == PHASE_LEAVING)
		drain(sidecar);
	else if (sidecar->phase == PHASE_DRAINING)
		give_up(sidecar);
	else
		end_hard(sidecar);
}

/* Without route files (`penstock try`) there is nothing to read again, and SIGHUP ends it as it ends most programs. */
static sigset_t
our_signals(const struct sidecar *sidecar)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sidecar->reload.n_paths > 0)
		sigaddset(&set, SIGHUP);
	return set;
}

bool
signals_watch(struct sidecar *sidecar, struct error *err)
{
	sigset_t set = our_signals(sidecar);

	sidecar->deadline.fire = on_deadline;
	sidecar->signals.ready = on_signal;
	sidecar->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sidecar->signals.fd < 0)
		return error_set(err, ERR_SYSTEM, "signalfd: %s", strerror(errno));
	return loop_watch(sidecar->loop, &sidecar->signals, EPOLLIN, err);
}

void
signals_block(const struct sidecar *sidecar)
{
	sigset_t set = our_signals(sidecar);

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of write(), not the end */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void
signals_unwatch(struct sidecar *sidecar)
{
	if (sidecar->loop == NULL || sidecar->signals.fd <= 0)
		return;
	loop_unwatch(sidecar->loop, &sidecar->signals);
	loop_clear_timer(sidecar->loop, &sidecar->deadline);
	close(sidecar->signals.fd);
}
