// SPDX-License-Identifier: MIT
/* survey.c - see survey.h. Signals are read by the loop, so that none interrupts what removes things again. */
#include "sink/survey.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "config/kind.h"
#include "sink/sink.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const unsigned may_become[] = {
	[SURVEY_TRYING] = BIT(SURVEY_CLEANING),
	[SURVEY_CLEANING] = BIT(SURVEY_LEAVING),
	[SURVEY_LEAVING] = 0,
};

static void
survey_move(struct survey *survey, enum survey_state to)
{
	must(state_may_become(may_become, (int)survey->state, (int)to));
	survey->state = to;
}

/* -- signals ------------------------------------------------------------------------------------------ */

/* Whoever waits for something in the loop looks again. */
static void
on_signal(struct watch *watch, uint32_t events)
{
	struct survey *survey = container_of(watch, struct survey, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info)
		if (survey->state != SURVEY_LEAVING)
			survey_move(survey, survey->state + 1);
	loop_stop(survey->loop);
}

static sigset_t
ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

static bool
watch_signals(struct survey *survey, struct error *err)
{
	sigset_t set = ending_signals();

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error of write(), not the end */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	survey->signals.ready = on_signal;
	survey->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (survey->signals.fd < 0)
		return error_set(err, ERR_SYSTEM, "signalfd: %s", strerror(errno));
	return loop_watch(survey->loop, &survey->signals, EPOLLIN, err);
}

static void
unwatch_signals(struct survey *survey)
{
	loop_unwatch(survey->loop, &survey->signals);
	if (survey->signals.fd >= 0)
		close(survey->signals.fd);
}

/* -- all destinations --------------------------------------------------------------------------------- */

static void
survey_one(struct survey *survey, const struct destination *to)
{
	const struct sink *sink = sink_of(to);

	survey->findings = (struct survey_findings){ .to = to, .type = to->kind->word };
	if (sink->survey != NULL)
		sink->survey(survey, to);
	on_signal(&survey->signals, 0); /* those that came while the loop did not turn */
}

static void
survey_all(struct survey *survey, const struct survey_listener *listener, bool *was_ended)
{
	for (size_t i = 0; i < survey->config->n_destinations; i++) {
		if (!survey_is_over(survey)) {
			survey_one(survey, &survey->config->destinations[i]);
			listener->on_destination(listener->arg, &survey->findings);
		}
	}
	*was_ended = survey_is_over(survey);
}

static bool
survey_on_loop(struct survey *survey, const struct survey_listener *listener, bool *was_ended, struct error *err)
{
	if (!engine_init(&survey->engine, survey->loop, err))
		return false;
	if (watch_signals(survey, err)) {
		survey_all(survey, listener, was_ended);
		unwatch_signals(survey);
	}
	engine_fini(&survey->engine);
	return !error_is_set(err);
}

bool
survey_run(const struct config *config, uint64_t hold_ms, const struct survey_listener *listener, bool *was_ended,
	struct error *err)
{
	struct survey *survey = mem_zalloc(sizeof *survey);
	bool ok;

	if (survey == NULL)
		return error_nomem(err);
	survey->config = config;
	survey->hold_ms = hold_ms;
	survey->loop = loop_new(err);
	ok = survey->loop != NULL && survey_on_loop(survey, listener, was_ended, err);
	loop_free(survey->loop);
	mem_free(survey);
	return ok;
}
