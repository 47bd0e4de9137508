// SPDX-License-Identifier: MIT
/* arrival.c - a connection before libmicrohttpd has it, until its first bytes have come.
 *
 * What they say of the length of the first body is a guess at what this client brings, and decides which lane the connection is for
 * (lanes.c). They are only looked at: libmicrohttpd reads them, and judges them. It counts as a connection all the while.
 *
 *   ARRIVING ─first bytes▶ HANDED ─libmicrohttpd begins with it, or its daemon has run▶ freed
 *      └─client.timeout.head▶ closed
 *
 * libmicrohttpd may begin with a connection at once, or in its next run. What its head has left of its time waits here until then. */
#include "http/http_priv.h"

#include "base/container_of.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MAX 4096 /* bytes; in a longer head the length may be too far behind to be found */

struct arrival {
	struct worker *worker;
	struct watch watch;
	struct timer deadline;  /* at head_until_ms */
	uint64_t head_until_ms; /* client.timeout.head after its accept */
	struct sockaddr_storage peer;
	socklen_t peer_len;
	struct arrival *next, **link;
};

static struct str
take_line(struct str *text)
{
	const char *end = memchr(text->data, '\n', text->len);
	struct str line = { text->data, end != NULL ? (size_t)(end - text->data) : text->len };
	size_t taken = line.len + (end != NULL);

	text->data += taken;
	text->len -= taken;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

uint64_t
arrival_length(struct str value)
{
	uint64_t length;

	return str_to_u64(str_trim(value), &length) ? length : LENGTH_UNKNOWN;
}

static uint64_t
body_after(struct str head)
{
	static const struct str name = { "content-length:", 15 };
	struct str line = take_line(&head);

	while (line.len > 0 && !str_starts_nocase(line, name.data))
		line = take_line(&head);
	if (line.len == 0)
		return LENGTH_UNKNOWN;
	return arrival_length((struct str){ line.data + name.len, line.len - name.len });
}

/* A head that goes on behind what can be seen may be too long for the least memory. */
static uint64_t
body_with_head(struct str seen)
{
	uint64_t body = body_after(seen);

	if (body <= LANES_LEAST_BODY && memmem(seen.data, seen.len, "\r\n\r\n", 4) == NULL)
		return LANES_LEAST_BODY + 1;
	return body;
}

/* False: nothing has come. Of one that has failed or ended the length is unknown, and libmicrohttpd sees what it is. */
static bool
look(int fd, uint64_t *body)
{
	char text[LOOK_MAX];
	ssize_t n = recv(fd, text, sizeof text, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	*body = n > 0 ? body_with_head((struct str){ text, (size_t)n }) : LENGTH_UNKNOWN;
	return true;
}

static void
enter(struct arrival *arrival, struct arrival **list)
{
	arrival->next = *list;
	arrival->link = list;
	if (arrival->next != NULL)
		arrival->next->link = &arrival->next;
	*list = arrival;
}

/* Neither watched nor timed, and in no list any more. */
static void
take_out(struct arrival *arrival)
{
	struct loop *loop = arrival->worker->loop;

	loop_unwatch(loop, &arrival->watch);
	loop_clear_timer(loop, &arrival->deadline);
	*arrival->link = arrival->next;
	if (arrival->next != NULL)
		arrival->next->link = arrival->link;
}

static void
forget(struct arrival *arrival)
{
	struct worker *worker = arrival->worker;

	take_out(arrival);
	mem_free(arrival);
	lanes_count_down(worker);
}

/* libmicrohttpd may begin with it before lanes_take() returns. */
static void
go_on(struct arrival *arrival, uint64_t body)
{
	struct arrival known = *arrival;

	take_out(arrival);
	enter(arrival, &known.worker->handed);
	lanes_take(known.worker, known.watch.fd, (const struct sockaddr *)&known.peer, known.peer_len, body);
}

static void
on_ready(struct watch *watch, uint32_t events)
{
	struct arrival *arrival = container_of(watch, struct arrival, watch);
	uint64_t body;

	(void)events;
	if (look(watch->fd, &body))
		go_on(arrival, body);
}

static void
on_deadline(struct timer *timer)
{
	struct arrival *arrival = container_of(timer, struct arrival, deadline);
	int fd = arrival->watch.fd;

	forget(arrival);
	close(fd);
}

static bool
start(struct arrival *arrival)
{
	struct loop *loop = arrival->worker->loop;
	struct error err = { 0 };

	return loop_watch(loop, &arrival->watch, EPOLLIN, &err) &&
		loop_set_timer(loop, &arrival->deadline, arrival->head_until_ms);
}

static void
await(struct arrival *arrival)
{
	uint64_t body = LENGTH_UNKNOWN;

	enter(arrival, &arrival->worker->arrivals);
	lanes_count_up(arrival->worker);
	if (look(arrival->watch.fd, &body) || !start(arrival))
		go_on(arrival, body);
}

/* Without memory its head has a time of its own, from when libmicrohttpd begins with it. */
void
arrival_new(struct worker *worker, int fd, const struct sockaddr *peer, socklen_t len, uint64_t head_until_ms)
{
	struct arrival *arrival = mem_zalloc(sizeof *arrival);

	if (arrival == NULL) {
		lanes_take(worker, fd, peer, len, LENGTH_UNKNOWN);
		return;
	}
	arrival->worker = worker;
	arrival->watch = (struct watch){ .fd = fd, .ready = on_ready };
	arrival->deadline.fire = on_deadline;
	arrival->head_until_ms = head_until_ms;
	memcpy(&arrival->peer, peer, len);
	arrival->peer_len = len;
	await(arrival);
}

void
arrival_take_all(struct worker *worker)
{
	while (worker->arrivals != NULL)
		go_on(worker->arrivals, LENGTH_UNKNOWN);
}

uint64_t
arrival_known_until(struct worker *worker, int fd)
{
	struct arrival *arrival = worker->handed;
	uint64_t until_ms;

	while (arrival != NULL && arrival->watch.fd != fd)
		arrival = arrival->next;
	if (arrival == NULL)
		return CLOCK_NEVER;
	until_ms = arrival->head_until_ms;
	forget(arrival);
	return until_ms;
}

void
arrival_forget_handed(struct worker *worker)
{
	while (worker->handed != NULL)
		forget(worker->handed);
}
