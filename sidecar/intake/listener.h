// SPDX-License-Identifier: MIT
/* listener.h - the sockets that penstock listens on.
 *
 * TCP: every worker has a socket of its own for each address (SO_REUSEPORT), so the kernel spreads the
 * connections. Unix: all workers share one socket. penstock accepts itself and hands the connection to
 * libmicrohttpd, so that it can bound, stop and resume accepting.
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
	struct made_socket *made;    /* [listen] unix sockets that we made: only these are removed at the end */
};

/* [main] Binds the `n` addresses of `listen`, for each worker. A stale unix socket (nobody answers on it) is
 * replaced; a live one is an error. False: nothing is left open. */
bool listeners_open(
	struct listeners *listeners, const struct listen *listen, size_t n, size_t n_workers, struct error *err);

/* [main] Closes what is left and removes the unix sockets from the file system. */
void listeners_close(struct listeners *listeners);

/* The address as it is really bound ("127.0.0.1:40123" for port 0), or the unix path. */
void listener_name(int fd, const struct listen *listen, char *out, size_t size);

#endif
