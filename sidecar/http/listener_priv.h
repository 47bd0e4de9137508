// SPDX-License-Identifier: MIT
/* listener_priv.h - what listener.c and listener_unix.c share. [main] */
#ifndef PENSTOCK_LISTENER_PRIV_H
#define PENSTOCK_LISTENER_PRIV_H

#include "http/listener.h"

#include <sys/types.h>

bool listener_is_taking_over(void); /* listeners_take_over() was called */

int listener_begin(int fd); /* listen(2) */

/* -1: err says that the address could not be opened, and fd is closed (-1: there is none). */
int listener_fail_close(int fd, struct error *err, const struct listen *listen, const char *what, const char *why);
int listener_fail_in_use(int fd, struct error *err, const struct listen *listen);

/* A socket that listens on a path. -1: err says why. */
int listener_open_unix(const struct listen *listen, struct error *err);

/* 0: it is not a socket, or not there. */
ino_t listener_inode_of(const char *path);

#endif
