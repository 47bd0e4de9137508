// SPDX-License-Identifier: MIT
/* engine_kept.h - the sockets of one libcurl multi that wait to be used again, so that somebody can look at one before it is. On the
 * engine's thread; may be called from within libcurl. */
#ifndef PENSTOCK_ENGINE_KEPT_H
#define PENSTOCK_ENGINE_KEPT_H

#include <stdbool.h>
#include <stddef.h>

#define ENGINE_KEPT_MAX 64 /* as many as libcurl keeps (CURLMOPT_MAXCONNECTS) */

struct engine_kept {
	struct kept_socket {
		int fd, own_port;
	} sockets[ENGINE_KEPT_MAX];
	size_t n;
};

void engine_kept_add(struct engine_kept *kept, int fd);    /* nobody waits for it; a second time: nothing */
void engine_kept_remove(struct engine_kept *kept, int fd); /* it is used, or about to be closed; unknown: nothing */

/* Has something come, though nobody asked, over one with this port of ours (of a unix socket: none, 0 or less)? Of two to different
 * servers with the same port either is meant. */
bool engine_kept_has_stray(const struct engine_kept *kept, int own_port);

#endif
