// SPDX-License-Identifier: MIT
/* acceptor.h - takes new connections off listening sockets, in a loop, for whoever knows what to do with them.
 *
 * Where its owner has no room for more, it is paused: the kernel's backlog then holds the next ones back. Out of descriptors, it
 * pauses itself and tries again a little later instead of spinning. All on the loop's thread, or before that runs. */
#ifndef PENSTOCK_ACCEPTOR_H
#define PENSTOCK_ACCEPTOR_H

#include "loop/loop.h"

#include <sys/socket.h>

struct acceptor;

struct acceptor_setup {
	struct loop *loop;
	const char *room; /* who logs that it cannot accept; borrowed for the acceptor's life */
	const int *fds;   /* n of them, listening and non-blocking; copied */
	size_t n_fds;
	bool owns_fds; /* closes them with acceptor_free(), and if acceptor_new() fails; else the owner does, later */
	bool is_shared; /* other threads accept from them, too: only one of these is woken for a connection */
	unsigned batch; /* most connections of one socket in one turn of the loop */
	void *arg;

	/* A connection waits on socket `i` of fds. False: it is to wait on, and the acceptor pauses. NULL: it never is. */
	bool (*has_room)(void *arg);

	/* Here it is; `fd` is the callee's, non-blocking. May pause the acceptor, not free it. */
	void (*take)(void *arg, size_t i, int fd, const struct sockaddr_storage *addr, socklen_t len);
};

/* Accepts from the next turn on. NULL: err says why. */
struct acceptor *acceptor_new(const struct acceptor_setup *setup, struct error *err);
void acceptor_free(struct acceptor *acceptor); /* NULL is fine */

/* Both idempotent; NULL is fine. Paused by its owner, it waits for its owner, also where it had run out of descriptors. */
void acceptor_pause(struct acceptor *acceptor);
void acceptor_resume(struct acceptor *acceptor);

#endif
