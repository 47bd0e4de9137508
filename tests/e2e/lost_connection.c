// SPDX-License-Identifier: MIT
/* lost_connection.c - LD_PRELOAD: while the file $LOSE is there libmicrohttpd cannot put a connection back into its epoll
 * set: it then drops it without a word about the request on it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

int
epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
	int (*real)(int, int, int, struct epoll_event *) = (int (*)(int, int, int, struct epoll_event *))dlsym(
		RTLD_NEXT, "epoll_ctl");
	const char *lose = getenv("LOSE");
	Dl_info who;

	if (op == EPOLL_CTL_ADD && lose != NULL && access(lose, F_OK) == 0 &&
		dladdr(__builtin_return_address(0), &who) != 0 && strstr(who.dli_fname, "libmicrohttpd") != NULL) {
		errno = ENOMEM;
		return -1;
	}
	return real(set, op, fd, event);
}
