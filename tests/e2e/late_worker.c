// SPDX-License-Identifier: MIT
/* late_worker.c - LD_PRELOAD: libmicrohttpd lets worker 1 wait each time before it looks at its connections, so that the
 * other workers have heard of a drain, and are done with it, before a request begins there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

struct MHD_Daemon;
int MHD_run(struct MHD_Daemon *daemon);

int
MHD_run(struct MHD_Daemon *daemon)
{
	int (*run)(struct MHD_Daemon *) = (int (*)(struct MHD_Daemon *))dlsym(RTLD_NEXT, "MHD_run");
	char name[16] = "";

	pthread_getname_np(pthread_self(), name, sizeof name);
	if (strcmp(name, "worker 1") == 0)
		usleep(100000);
	return run(daemon);
}
