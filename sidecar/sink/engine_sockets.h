// SPDX-License-Identifier: MIT
/* engine_sockets.h - the sockets of one libcurl multi in its loop. On the engine's thread; may be called from within libcurl.
 *
 *   made ─▶ LOOSE ─wanted▶ in use ─unwanted▶ LOOSE (waits to be used again) ─wanted▶ ...     closed: gone
 *
 * libcurl stops watching a socket when a request has ended, and watches it again for the next one. Two changes of epoll a request
 * are a twentieth of what a small one costs. So a loose socket stays watched as it is. If something happens on it then, libcurl is not
 * told (it looks by itself before it uses a connection again), and the socket is no longer watched until it is wanted.
 *
 * Only sockets that were made and are closed by way of here are watched so: a resolver closes its own without a word, and
 * their numbers would soon be others'. Those are known while they are in use, and not one moment longer; and so are those of which libcurl 7.88
 * gives up the connecting, which it closes by itself. */
#ifndef PENSTOCK_ENGINE_SOCKETS_H
#define PENSTOCK_ENGINE_SOCKETS_H

#include "loop/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct engine_socket {
	struct watch watch;
	struct engine_socket *next;                 /* while it is loose */
	void *owner;                                /* whoever set `ready` */
	void *user;                                 /* the owner's: whom it is used for */
	uint32_t events, wanted;                    /* that it is watched for, if it is, and that it is to be */
	struct engine_socket *next_changed, **link; /* in sockets->changed; link NULL: not */
	int own_port;                               /* of a loose one; 0: it has none, -1: nobody has asked yet */
	bool is_made_here, is_loose;
};

struct engine_sockets {
	struct loop *loop;
	struct engine_socket *loose;
	struct engine_socket *changed; /* to be watched for something else */
};

/* It was made just now. False: out of memory, it must not be used. */
bool engine_sockets_made(struct engine_sockets *sockets, int fd);

/* It is about to be closed, and not in use. Unknown: nothing. */
void engine_sockets_close(struct engine_sockets *sockets, int fd);

/* In use from here on: the one that is loose, or a new one. Not watched yet, if it is new. NULL: out of memory. */
struct engine_socket *engine_sockets_take(struct engine_sockets *sockets, int fd);

/* It is to be watched for these: a new one at once (false: it could not be), any other from engine_sockets_settle() on, which is to be
 * called before the loop goes on. A transfer that is unpaused, has sent its bytes and pauses again wants to hear of its socket, and
 * then not any more: the kernel need not be told of either. */
bool engine_sockets_watch(struct engine_sockets *sockets, struct engine_socket *socket, uint32_t epoll_events);

/* Returns one that could not be watched anew, and is to be called again then; NULL: all are. */
struct engine_socket *engine_sockets_settle(struct engine_sockets *sockets);

/* Nobody wants it any longer, and nobody may touch it. */
void engine_sockets_give(struct engine_sockets *sockets, struct engine_socket *socket);

/* Something happened on a socket: true, if it is loose, and so nobody is to be told. */
bool engine_sockets_ignores(struct engine_sockets *sockets, struct engine_socket *socket);

/* A loose one with this port of ours (of a unix socket: none, 0 or less): has something come over it, though nobody asked? And its
 * number; -1: there is none. Of two to different servers with the same port either is meant. */
int engine_sockets_find(const struct engine_sockets *sockets, int own_port);
bool engine_sockets_has_stray(const struct engine_sockets *sockets, int own_port);

void engine_sockets_fini(struct engine_sockets *sockets); /* none is in use */

#endif
