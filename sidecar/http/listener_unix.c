// SPDX-License-Identifier: MIT
/* listener_unix.c - see listener_priv.h. */
#include "http/listener_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 100 /* for another penstock that is just starting, 10 ms apart */

static void
fill_unix(struct sockaddr_un *addr, const struct listen *listen)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(addr->sun_path, sizeof addr->sun_path, "%s", listen->unix_socket);
}

/* Does somebody listen on it? Who may not ask, or finds his queue full, must not take it away either. */
static bool
is_live(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool live = fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 ||
		(errno != ECONNREFUSED && errno != ENOENT);

	if (fd >= 0)
		close(fd);
	return live;
}

/* 0: it is not a socket, or not there. */
ino_t
listener_inode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

/* Of two that start at once, each might take the other's socket for a stale one. Whoever holds the folder's lock for long is
 * no penstock, and not waited for. -1: it is not locked. */
static int
lock_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[sizeof((struct sockaddr_un *)NULL)->sun_path + 1];
	struct timespec pause = { .tv_nsec = 10000000 };
	int fd;

	snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
		slash != NULL ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK; i++)
		nanosleep(&pause, NULL);
	return fd;
}

static int
bind_unix(const struct sockaddr_un *addr)
{
	int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || (bind(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 && listener_begin(fd) == 0))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Under another name first, so that whoever connects meanwhile finds one of the two. */
static int
bind_in_place_of(const struct sockaddr_un *addr)
{
	struct sockaddr_un beside = { .sun_family = AF_UNIX };
	int fd, n = snprintf(beside.sun_path, sizeof beside.sun_path, "%s.new", addr->sun_path);

	if (n >= (int)sizeof beside.sun_path) {
		unlink(addr->sun_path);
		return bind_unix(addr);
	}
	unlink(beside.sun_path); /* of one that was killed just here: we hold the folder's lock */
	fd = bind_unix(&beside);
	if (fd < 0 || rename(beside.sun_path, addr->sun_path) == 0)
		return fd;
	n = errno;
	unlink(beside.sun_path);
	close(fd);
	errno = n;
	return -1;
}

static int
open_unix_locked(const struct listen *listen, struct error *err)
{
	struct sockaddr_un addr;
	bool is_there, is_taken;
	int fd;

	fill_unix(&addr, listen);
	is_there = listener_inode_of(addr.sun_path) != 0;
	is_taken = is_there && is_live(&addr);
	if (is_taken && !listener_is_taking_over())
		return listener_fail_in_use(-1, err, listen);
	fd = is_there ? bind_in_place_of(&addr) : bind_unix(&addr);
	if (fd < 0)
		listener_fail_close(-1, err, listen,
			errno == EADDRINUSE ? "a file that is no socket has this name" : strerror(errno), "");
	return fd;
}

int
listener_open_unix(const struct listen *listen, struct error *err)
{
	int lock = lock_folder(listen->unix_socket), fd = open_unix_locked(listen, err);

	if (lock >= 0)
		close(lock);
	return fd;
}
