// SPDX-License-Identifier: MIT
/* syncer.c - see syncer.h. The caller is one of those who take jobs, so without helpers it does them all. */
#include "sink/directory/syncer.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#define HELPERS 7 /* with the caller eight: more gained nothing */
#define STACK_BYTES (128u * 1024)

struct syncer {
	pthread_t helpers[HELPERS];
	size_t n_helpers;
	bool tried_to_start;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t work;  /* there are jobs that nobody has taken, or it is the end */
	pthread_cond_t done;  /* n_left is 0 */
	struct sync_job *jobs;
	size_t n, n_taken, n_left; /* n_left: those that are not done */
	bool is_ending;
};

/* The first error counts: fsync() need not know of what has failed before. */
static void
do_one(struct sync_job *job)
{
	if (fsync(job->fd) != 0 && job->error == 0)
		job->error = errno;
}

static void
do_alone(struct sync_job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		do_one(&jobs[i]);
}

/* With the lock, which is given back meanwhile. */
static void
take_one(struct syncer *syncer)
{
	struct sync_job *job = &syncer->jobs[syncer->n_taken++];

	pthread_mutex_unlock(&syncer->lock);
	do_one(job);
	pthread_mutex_lock(&syncer->lock);
	if (--syncer->n_left == 0)
		pthread_cond_signal(&syncer->done);
}

static void *
help(void *arg)
{
	struct syncer *syncer = arg;

	pthread_setname_np(pthread_self(), "sync");
	pthread_mutex_lock(&syncer->lock);
	while (!syncer->is_ending) {
		if (syncer->n_taken < syncer->n)
			take_one(syncer);
		else
			pthread_cond_wait(&syncer->work, &syncer->lock);
	}
	pthread_mutex_unlock(&syncer->lock);
	return NULL;
}

static void
start_helpers(struct syncer *syncer)
{
	pthread_attr_t small;

	syncer->tried_to_start = true;
	if (pthread_attr_init(&small) != 0)
		return;
	pthread_attr_setstacksize(&small, STACK_BYTES);
	while (syncer->n_helpers < HELPERS &&
		pthread_create(&syncer->helpers[syncer->n_helpers], &small, help, syncer) == 0)
		syncer->n_helpers++;
	pthread_attr_destroy(&small);
}

/* Bytes that could not be written are told to whoever has begun to write them, and some file systems then have them no more. */
static bool
is_loss(int error)
{
	return error == EIO || error == ENOSPC || error == EDQUOT;
}

/* The bytes begin their way to the disk together; fsync() alone would send those of one file, and wait, before the next. What
 * cannot be begun like that (a folder, a file system without it) waits for its fsync(). */
static void
begin_all(struct sync_job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sync_file_range(jobs[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE) != 0 && is_loss(errno))
			jobs[i].error = errno;
}

void
syncer_run(struct syncer *syncer, struct sync_job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		jobs[i].error = 0;
	if (syncer == NULL || n <= 1) {
		do_alone(jobs, n);
		return;
	}
	begin_all(jobs, n);
	if (!syncer->tried_to_start)
		start_helpers(syncer);
	pthread_mutex_lock(&syncer->lock);
	syncer->jobs = jobs;
	syncer->n = syncer->n_left = n;
	syncer->n_taken = 0;
	pthread_cond_broadcast(&syncer->work);
	while (syncer->n_taken < syncer->n)
		take_one(syncer);
	while (syncer->n_left > 0)
		pthread_cond_wait(&syncer->done, &syncer->lock);
	syncer->jobs = NULL;
	syncer->n = syncer->n_taken = 0;
	pthread_mutex_unlock(&syncer->lock);
}

struct syncer *
syncer_new(struct error *err)
{
	struct syncer *syncer = mem_zalloc(sizeof *syncer);

	if (syncer == NULL) {
		error_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&syncer->lock, NULL);
	pthread_cond_init(&syncer->work, NULL);
	pthread_cond_init(&syncer->done, NULL);
	return syncer;
}

void
syncer_free(struct syncer *syncer)
{
	if (syncer == NULL)
		return;
	pthread_mutex_lock(&syncer->lock);
	syncer->is_ending = true;
	pthread_cond_broadcast(&syncer->work);
	pthread_mutex_unlock(&syncer->lock);
	while (syncer->n_helpers > 0)
		pthread_join(syncer->helpers[--syncer->n_helpers], NULL);
	pthread_cond_destroy(&syncer->work);
	pthread_cond_destroy(&syncer->done);
	pthread_mutex_destroy(&syncer->lock);
	mem_free(syncer);
}
