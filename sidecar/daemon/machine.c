// SPDX-License-Identifier: MIT
/* machine.c - see machine.h. */
#include "daemon/machine.h"

#include <sched.h>
#include <sys/resource.h>

#define KEEP_ALIVE_SHARE 8u        /* idle connections may hold an eighth of `memory` beside the pool ... */
#define KEEP_ALIVE_LEAST 524288u   /* ... and so much of a small one */
#define LARGE_SHARE (1u * 1048576) /* one connection may be read in large pieces for so much of `memory` */

static size_t
count_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

size_t
machine_workers(const struct config *config)
{
	return config->workers > 0 ? config->workers : count_cpus();
}

/* An upload takes two descriptors: the client's and the destination's. The rest is for sockets and files that stay open. */
uint64_t
machine_max_connections(const struct config *config, size_t n_workers)
{
	struct rlimit limit = { 1024, 1024 };
	uint64_t fits;

	getrlimit(RLIMIT_NOFILE, &limit);
	fits = limit.rlim_cur > 128 ? (limit.rlim_cur - 64) / 2 : 32;
	if (fits > 65536)
		fits = 65536;
	if (config->client.connections > 0 && config->client.connections < fits)
		fits = config->client.connections;
	return (fits + n_workers - 1) / n_workers;
}

uint64_t
machine_kept_memory(const struct config *config, size_t n_workers)
{
	uint64_t n = config->memory / KEEP_ALIVE_SHARE / n_workers;

	return n > KEEP_ALIVE_LEAST ? n : KEEP_ALIVE_LEAST;
}

uint64_t
machine_max_large(const struct config *config, size_t n_workers)
{
	uint64_t n = config->memory / LARGE_SHARE / n_workers;

	return n > 1 ? n : 1;
}

void
machine_raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
