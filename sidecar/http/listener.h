// SPDX-License-Identifier: MIT
/* listener.h - the sockets that penstock listens on.
 *
 * TCP: every worker has a socket of its own for each address (SO_REUSEPORT), so the kernel spreads the
 * connections. Unix: all workers share one socket. penstock accepts itself and hands the connection to
 * libmicrohttpd, so that it can bound, stop and resume accepting.
 *
 * An address on which somebody listens already, this penstock's or another user's or program's, is refused: connections
 * would be dealt out to both, or go to one that nobody meant. Whoever replaces a running penstock says so (take over).
 */
#ifndef PENSTOCK_LISTENER_H
#define PENSTOCK_LISTENER_H

#include "base/error.h"
#include "config/route.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct listeners {
	size_t n_workers, n_listen;
	int *fds;                    /* [worker * n_listen + listen]; -1 once taken or closed */
	const struct listen *listen; /* borrowed while they are opened */
	struct bound *bounds;        /* [listen] where each is bound */
};

/* [main] Before the first listeners_open(): a penstock of the same user that listens on an address is no error from now on.
 * New connections go to both on TCP, until the other one ends, and to us alone on a unix socket. */
void listeners_take_over(void);

/* [main] Binds the `n` addresses of `listen`, for each worker. A stale unix socket (nobody answers on it) is
 * replaced. False: nothing is left open. */
bool listeners_open(
	struct listeners *listeners, const struct listen *listen, size_t n, size_t n_workers, struct error *err);

/* [main] Closes what is left and removes the unix sockets that it made from the file system. */
void listeners_close(struct listeners *listeners);

/* The i-th address as it is really bound ("127.0.0.1:40123" for port 0), or "unix:" and its path. Valid until
 * listeners_close(). */
const char *listeners_name(const struct listeners *listeners, size_t i);

#endif
