// SPDX-License-Identifier: MIT
/* proxy_handshake.c - a connection on a listener with proxy_protocol, from its accept to the end of its PROXY header: then
 * arrival.c has it. Whoever sends something else is closed without a word. It counts as a connection all the while.
 *
 * Two questions of trust, and both must be answered with yes before a forwarded header is believed. Is the one who
 * connects in trust.proxies? Else the address in his PROXY header is not believed and his own stands. Is the address
 * that then stands in trust.proxies? That is asked of each request (request/identity.c): a PROXY header most often comes from
 * a proxy that does not look into what it passes on, so the headers are the client's. One whom a trusted proxy does not
 * know is nobody, whom nobody trusts; only where it speaks for itself (LOCAL) its own address stands. */
#include "http/http_priv.h"
#include "http/proxy_header.h"

#include "base/container_of.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct handshake {
	struct worker *worker;
	struct watch watch;
	struct timer deadline;  /* at head_until_ms */
	uint64_t head_until_ms; /* client.timeout.head after its accept */
	struct sockaddr_storage peer;
	socklen_t peer_len;
	unsigned char data[PROXY_HEADER_MAX];
	size_t have;
	struct handshake *next, **link;
};

/* `fd` is closed unless the connection goes on. */
static void
handshake_free(struct handshake *handshake, bool close_fd)
{
	struct worker *worker = handshake->worker;

	loop_unwatch(worker->loop, &handshake->watch);
	loop_clear_timer(worker->loop, &handshake->deadline);
	if (close_fd)
		close(handshake->watch.fd);
	*handshake->link = handshake->next;
	if (handshake->next != NULL)
		handshake->next->link = handshake->link;
	mem_free(handshake);
	lanes_count_down(worker);
}

static void
go_on(struct handshake *handshake)
{
	struct worker *worker = handshake->worker;
	struct sockaddr_storage peer = handshake->peer;
	socklen_t len = handshake->peer_len;
	uint64_t head_until_ms = handshake->head_until_ms;
	int fd = handshake->watch.fd;

	handshake_free(handshake, false);
	arrival_new(worker, fd, (const struct sockaddr *)&peer, len, head_until_ms);
}

static void
take_client(struct handshake *handshake, const struct sockaddr_storage *client, socklen_t len)
{
	const struct sockaddr *sender = (const struct sockaddr *)&handshake->peer;

	if (trust_has(&intake_config(handshake->worker->intake)->trust, sender)) {
		handshake->peer = *client;
		handshake->peer_len = len;
		return;
	}
	log_event(LOG_INFO, "http", "PROXY header of one who is not in trust.proxies: not believed", NULL, 0);
}

static void
go_by_header(struct handshake *handshake)
{
	static const struct sockaddr_storage nobody = { .ss_family = AF_UNSPEC };
	struct sockaddr_storage client;
	socklen_t len;

	switch (proxy_header_read(handshake->data, handshake->have, &client, &len)) {
	case PROXY_MORE:
		break;
	case PROXY_DONE:
		take_client(handshake, &client, len);
		go_on(handshake);
		break;
	case PROXY_UNKNOWN: /* not the proxy's own, so what follows is not its word */
		take_client(handshake, &nobody, sizeof(struct sockaddr));
		go_on(handshake);
		break;
	case PROXY_LOCAL: /* the address of the proxy itself stands */
		go_on(handshake);
		break;
	case PROXY_BAD:
		log_event(LOG_INFO, "http", "connection without a PROXY header", NULL, 0);
		handshake_free(handshake, true);
		break;
	}
}

/* Looks first, then takes exactly what belongs to the header. */
static void
on_ready(struct watch *watch, uint32_t events)
{
	struct handshake *handshake = container_of(watch, struct handshake, watch);
	unsigned char next[PROXY_HEADER_MAX];
	ssize_t n = recv(watch->fd, next, sizeof next, MSG_PEEK | MSG_DONTWAIT);
	size_t takes;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		handshake_free(handshake, true);
		return;
	}
	takes = proxy_header_takes(handshake->data, handshake->have, next, (size_t)n);
	if (takes > 0)
		n = recv(watch->fd, handshake->data + handshake->have, takes, MSG_DONTWAIT);
	if (takes == 0 || n < 0) { /* nothing of it can belong to a header */
		handshake->data[0] = '\0';
		handshake->have = 1;
	} else {
		handshake->have += (size_t)n;
	}
	go_by_header(handshake);
}

static void
on_deadline(struct timer *timer)
{
	handshake_free(container_of(timer, struct handshake, deadline), true);
}

void
handshake_new(
	struct worker *worker, int fd, const struct sockaddr_storage *peer, socklen_t len, uint64_t head_until_ms)
{
	struct handshake *handshake = mem_zalloc(sizeof *handshake);
	struct loop *loop = worker->loop;
	struct error err = { 0 };

	if (handshake == NULL) {
		close(fd);
		return;
	}
	handshake->worker = worker;
	handshake->watch = (struct watch){ .fd = fd, .ready = on_ready };
	handshake->deadline.fire = on_deadline;
	handshake->head_until_ms = head_until_ms;
	handshake->peer = *peer;
	handshake->peer_len = len;
	handshake->next = worker->handshakes;
	handshake->link = &worker->handshakes;
	if (handshake->next != NULL)
		handshake->next->link = &handshake->next;
	worker->handshakes = handshake;
	lanes_count_up(worker);
	if (!loop_watch(loop, &handshake->watch, EPOLLIN, &err) ||
		!loop_set_timer(loop, &handshake->deadline, head_until_ms))
		handshake_free(handshake, true);
}

void
handshake_close_all(struct worker *worker)
{
	while (worker->handshakes != NULL)
		handshake_free(worker->handshakes, true);
}
