// SPDX-License-Identifier: MIT
/* loop_thread.h - a thread that runs a loop and does nothing else. [main] Zeroed: not started. */
#ifndef PENSTOCK_LOOP_THREAD_H
#define PENSTOCK_LOOP_THREAD_H

#include "loop/loop.h"

#include <pthread.h>

struct loop_thread {
	struct loop *loop;
	const char *name; /* as tools show it, at most 15 bytes */
	pthread_t thread;
	bool is_started;
};

/* `name` is borrowed for the thread's life. False: err says why. */
bool loop_thread_start(struct loop_thread *thread, struct loop *loop, const char *name, struct error *err);

/* Waits until the loop, which was told to stop, has ended. Not started: nothing. */
void loop_thread_join(struct loop_thread *thread);

/* The same, but waits for `ms` at most. False: the thread runs on by itself, and everything that it uses must stay. To be called
 * once. */
bool loop_thread_join_within(struct loop_thread *thread, unsigned ms);

#endif
