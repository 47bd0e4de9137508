// SPDX-License-Identifier: MIT
/* log_queue.c - see log_queue.h.
 *
 * A descriptor may be a pipe, a terminal, a file or a socket, and others may hold it too: setting O_NONBLOCK would change it for
 * them, and poll(2) promises nothing where others write as well. So the thread writes as if it had time, and may be stuck; the
 * lock is never held meanwhile. At most WRITE_MOST bytes of whole lines go out at once, for a pipe takes so many undivided.
 *
 *   OFF ─start▶ RUNNING ─stop▶ STOPPING ─all is written▶ OFF
 *                                  └─most_ms▶ STUCK: the thread is left in its write(2), lines are dropped
 */
#include "base/log_queue.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WRITE_MOST PIPE_BUF

enum queue_state { QUEUE_OFF, QUEUE_RUNNING, QUEUE_STOPPING, QUEUE_STUCK };

static struct {
	pthread_mutex_t lock; /* held to look and to copy, never to write */
	pthread_cond_t filled, emptied;
	enum queue_state state;
	size_t head, len; /* bytes[head] is the oldest of len bytes */
	size_t lost;      /* since the last line that had room; > 0: all that comes is lost */
	pthread_t thread;
	void (*make_lost_line)(struct buf *line, size_t n);
	struct metrics *metrics;
	char bytes[LOG_QUEUE_BYTES];
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER };

static int queue_fd = STDERR_FILENO;

void
log_queue_to(int fd)
{
	queue_fd = fd;
}

/* Somebody else may have made it non-blocking. False: the rest cannot be written. */
static bool
write_all(const char *data, size_t len)
{
	while (len > 0) {
		struct pollfd room = { .fd = queue_fd, .events = POLLOUT };
		ssize_t n = write(queue_fd, data, len);

		if (n < 0 && errno == EAGAIN)
			poll(&room, 1, -1);
		else if (n < 0 && errno != EINTR)
			return false;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* -- with the lock ------------------------------------------------------------------------------------ */

static void
copy_in(struct str line)
{
	size_t at = (queue.head + queue.len) % LOG_QUEUE_BYTES;
	size_t first = LOG_QUEUE_BYTES - at < line.len ? LOG_QUEUE_BYTES - at : line.len;

	memcpy(queue.bytes + at, line.data, first);
	memcpy(queue.bytes, line.data + first, line.len - first);
	queue.len += line.len;
}

static void
copy_out(char *to, size_t n)
{
	size_t first = LOG_QUEUE_BYTES - queue.head < n ? LOG_QUEUE_BYTES - queue.head : n;

	memcpy(to, queue.bytes + queue.head, first);
	memcpy(to + first, queue.bytes, n - first);
}

static void
drop_oldest(size_t n)
{
	queue.len -= n;
	queue.head = queue.len == 0 ? 0
				    : (queue.head + n) % LOG_QUEUE_BYTES; /* so that few pages are ever touched */
}

static void
lose(size_t n)
{
	queue.lost += n;
	metrics_add(queue.metrics, METRIC_LOG_LINES_LOST, n);
}

/* Bytes of the oldest lines that fit into `most`; of a longer line, as many of its bytes. */
static size_t
whole_lines(size_t most)
{
	size_t n = queue.len < most ? queue.len : most;

	for (size_t i = n; i > 0; i--)
		if (queue.bytes[(queue.head + i - 1) % LOG_QUEUE_BYTES] == '\n')
			return i;
	return n;
}

/* -- the thread --------------------------------------------------------------------------------------- */

static void
write_oldest(void)
{
	char piece[WRITE_MOST];
	size_t n = whole_lines(sizeof piece);
	bool ok;

	copy_out(piece, n);
	pthread_mutex_unlock(&queue.lock);
	ok = write_all(piece, n);
	pthread_mutex_lock(&queue.lock);
	drop_oldest(n);
	if (!ok)
		metrics_add(queue.metrics, METRIC_LOG_LINES_LOST, str_count((struct str){ piece, n }, '\n'));
}

/* All that was put before them has been written. */
static void
tell_lost(void)
{
	struct buf line = { 0 };
	size_t n = queue.lost;

	queue.lost = 0;
	pthread_mutex_unlock(&queue.lock);
	queue.make_lost_line(&line, n);
	if (!line.failed)
		write_all(line.data, line.len); /* before anything that came meanwhile: nobody else writes */
	buf_free(&line);
	pthread_mutex_lock(&queue.lock);
}

static void *
run(void *arg)
{
	(void)arg;
	pthread_setname_np(pthread_self(), "log");
	pthread_mutex_lock(&queue.lock);
	for (;;) {
		if (queue.len > 0)
			write_oldest();
		else if (queue.lost > 0)
			tell_lost();
		else if (queue.state == QUEUE_RUNNING)
			pthread_cond_wait(&queue.filled, &queue.lock);
		else
			break;
	}
	if (queue.state == QUEUE_STOPPING)
		queue.state = QUEUE_OFF;
	pthread_cond_signal(&queue.emptied);
	pthread_mutex_unlock(&queue.lock);
	return NULL;
}

/* -- begin, end, and what comes in between ------------------------------------------------------------ */

static void
init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

bool
log_queue_start(void (*make_lost_line)(struct buf *line, size_t n), struct metrics *metrics, struct error *err)
{
	sigset_t all, before;
	int rc;

	init_condition(&queue.filled);
	init_condition(&queue.emptied);
	queue.make_lost_line = make_lost_line;
	queue.metrics = metrics;
	queue.state = QUEUE_RUNNING;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&queue.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		return true;
	queue.state = QUEUE_OFF;
	return error_set(err, ERR_SYSTEM, "cannot start a thread: %s", strerror(rc));
}

/* False: time is up. */
static bool
wait_until_off(uint64_t most_ms)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(most_ms / 1000);
	until.tv_nsec += (long)(most_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (queue.state != QUEUE_OFF && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&queue.emptied, &queue.lock, &until);
	return queue.state == QUEUE_OFF;
}

void
log_queue_stop(uint64_t most_ms)
{
	bool is_off;

	pthread_mutex_lock(&queue.lock);
	if (queue.state != QUEUE_RUNNING) {
		pthread_mutex_unlock(&queue.lock);
		return;
	}
	queue.state = QUEUE_STOPPING;
	pthread_cond_signal(&queue.filled);
	is_off = wait_until_off(most_ms);
	if (!is_off)
		queue.state = QUEUE_STUCK;
	queue.metrics = NULL;
	pthread_mutex_unlock(&queue.lock);
	if (is_off)
		pthread_join(queue.thread, NULL);
	else
		pthread_detach(queue.thread);
}

void
log_queue_put(struct str line)
{
	bool is_off;

	pthread_mutex_lock(&queue.lock);
	is_off = queue.state == QUEUE_OFF;
	if (!is_off && (queue.state == QUEUE_STUCK || queue.lost > 0 || line.len > LOG_QUEUE_BYTES - queue.len))
		lose(1);
	else if (!is_off)
		copy_in(line);
	pthread_cond_signal(&queue.filled);
	pthread_mutex_unlock(&queue.lock);
	if (is_off)
		write_all(line.data, line.len);
}
