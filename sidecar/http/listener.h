// SPDX-License-Identifier: MIT
/* listener.h - the sockets that penstock listens on.
 *
 * TCP: every worker has a socket of its own for each address (SO_REUSEPORT), so the kernel spreads the
 * connections. Unix: all workers share one socket. penstock accepts itself and hands the connection to
 * libmicrohttpd, so that it can bound, stop and resume accepting.
 *
 * An address on which a process listens already is refused, whether that is a penstock, and whatever its user: the kernel would
 * deal the connections out to both, or give them to the wrong one. To replace a running penstock there is listeners_take_over().
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

/* [main] To be called before the first listeners_open(): from now on it is no error if a penstock of the same user listens on an
 * address. On TCP new connections go to both until the other one ends, on a unix socket to this process alone. */
void listeners_take_over(void);

/* [main] Binds the `n` addresses of `listen`, for each worker. A stale unix socket (no process listens on it) is
 * replaced. False: nothing is left open. */
bool listeners_open(
	struct listeners *listeners, const struct listen *listen, size_t n, size_t n_workers, struct error *err);

/* [main] Closes what is left and removes the unix sockets that it made from the file system. */
void listeners_close(struct listeners *listeners);

/* The i-th address as it is really bound ("127.0.0.1:40123" for port 0), or "unix:" and its path. Valid until
 * listeners_close(). */
const char *listeners_name(const struct listeners *listeners, size_t i);

#endif
