// SPDX-License-Identifier: MIT
/* loop_thread.c - see loop_thread.h. */
#include "loop/loop_thread.h"

#include <string.h>
#include <time.h>

static void *
run(void *arg)
{
	const struct loop_thread *thread = arg;

	pthread_setname_np(pthread_self(), thread->name);
	loop_run(thread->loop);
	return NULL;
}

bool
loop_thread_start(struct loop_thread *thread, struct loop *loop, const char *name, struct error *err)
{
	int rc;

	*thread = (struct loop_thread){ .loop = loop, .name = name };
	rc = pthread_create(&thread->thread, NULL, run, thread);
	thread->is_started = rc == 0;
	return rc == 0 ? true : error_set(err, ERR_SYSTEM, "cannot start a thread: %s", strerror(rc));
}

void
loop_thread_join(struct loop_thread *thread)
{
	if (thread->is_started)
		pthread_join(thread->thread, NULL);
	thread->is_started = false;
}

bool
loop_thread_join_within(struct loop_thread *thread, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (thread->is_started && pthread_timedjoin_np(thread->thread, NULL, &until) != 0) {
		pthread_detach(thread->thread);
		return false;
	}
	thread->is_started = false;
	return true;
}
