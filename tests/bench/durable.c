// SPDX-License-Identifier: MIT
/* durable.c FOLDER THREADS FILES BYTES - the floor of what it costs to store a file for good: each thread writes FILES of them,
 * one after the other, under another name, fsyncs it, renames it, fsyncs the folder. Prints files per second. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int folder;
static unsigned files;
static size_t size;
static char *bytes;

static int
store(unsigned thread, unsigned i)
{
	char before[64], after[64];
	int fd, failed;

	snprintf(before, sizeof before, ".%u-%u", thread, i);
	snprintf(after, sizeof after, "%u-%u", thread, i);
	fd = openat(folder, before, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return 1;
	failed = write(fd, bytes, size) != (ssize_t)size || fsync(fd) != 0;
	close(fd);
	return failed || renameat(folder, before, folder, after) != 0 || fsync(folder) != 0;
}

static void *
run(void *arg)
{
	unsigned thread = (unsigned)(size_t)arg;

	for (unsigned i = 0; i < files; i++)
		if (store(thread, i) != 0) {
			perror("durable");
			exit(1);
		}
	return NULL;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	pthread_t threads[256];
	unsigned n = argc == 5 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	double start;

	if (n == 0 || n > 256)
		return 2;
	folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	files = (unsigned)strtoul(argv[3], NULL, 10);
	size = strtoul(argv[4], NULL, 10);
	bytes = calloc(1, size);
	if (folder < 0 || bytes == NULL)
		return 1;
	start = now();
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)(size_t)i) != 0)
			return 1;
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("%.1f\n", n * files / (now() - start));
	free(bytes);
	return 0;
}
