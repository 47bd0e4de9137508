// SPDX-License-Identifier: MIT
/* proxy_handshake.c - a connection on a listener with proxy_protocol, from its accept to the end of its PROXY header: then it
 * is libmicrohttpd's. Whoever sends something else is closed without a word. It counts as a connection all the while.
 *
 * Two questions of trust, and both must be answered with yes before a forwarded header is believed. Is the one who
 * connects in trust.proxies? Else the address in his PROXY header is not believed and his own stands. Is the address
 * that then stands in trust.proxies? That is asked of each request (identity.c): a PROXY header most often comes from
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

struct greeting {
	struct worker *worker;
	struct watch watch;
	struct timer deadline; /* client.timeout.head */
	struct sockaddr_storage peer;
	socklen_t peer_len;
	unsigned char data[PROXY_HEADER_MAX];
	size_t have;
	struct greeting *next, **link;
};

/* `fd` is closed unless it went on to libmicrohttpd. */
static void
greeting_free(struct greeting *greeting, bool close_fd)
{
	struct worker *worker = greeting->worker;

	loop_unwatch(worker->setup.loop, &greeting->watch);
	loop_clear_timer(worker->setup.loop, &greeting->deadline);
	if (close_fd)
		close(greeting->watch.fd);
	*greeting->link = greeting->next;
	if (greeting->next != NULL)
		greeting->next->link = greeting->link;
	mem_free(greeting);
	worker->n_connections--;
	acceptor_resume(worker);
}

static void
go_on(struct greeting *greeting)
{
	struct worker *worker = greeting->worker;
	struct sockaddr_storage peer = greeting->peer;
	socklen_t len = greeting->peer_len;
	int fd = greeting->watch.fd;

	greeting_free(greeting, false);
	acceptor_hand_over(worker, fd, (const struct sockaddr *)&peer, len);
}

static void
take_client(struct greeting *greeting, const struct sockaddr_storage *client, socklen_t len)
{
	const struct sockaddr *sender = (const struct sockaddr *)&greeting->peer;

	if (trust_has(&greeting->worker->table->config->trust, sender)) {
		greeting->peer = *client;
		greeting->peer_len = len;
		return;
	}
	log_event(LOG_INFO, "intake", "PROXY header of one who is not in trust.proxies: not believed", NULL, 0);
}

static void
judge(struct greeting *greeting)
{
	static const struct sockaddr_storage nobody = { .ss_family = AF_UNSPEC };
	struct sockaddr_storage client;
	socklen_t len;

	switch (proxy_header_read(greeting->data, greeting->have, &client, &len)) {
	case PROXY_MORE:
		break;
	case PROXY_DONE:
		take_client(greeting, &client, len);
		go_on(greeting);
		break;
	case PROXY_UNKNOWN: /* not the proxy's own, so what follows is not its word */
		take_client(greeting, &nobody, sizeof(struct sockaddr));
		go_on(greeting);
		break;
	case PROXY_LOCAL: /* the address of the proxy itself stands */
		go_on(greeting);
		break;
	case PROXY_BAD:
		log_event(LOG_INFO, "intake", "connection without a PROXY header", NULL, 0);
		greeting_free(greeting, true);
		break;
	}
}

/* Looks first, then takes exactly what belongs to the header. */
static void
on_ready(struct watch *watch, uint32_t events)
{
	struct greeting *greeting = container_of(watch, struct greeting, watch);
	unsigned char next[PROXY_HEADER_MAX];
	ssize_t n = recv(watch->fd, next, sizeof next, MSG_PEEK | MSG_DONTWAIT);
	size_t takes;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		greeting_free(greeting, true);
		return;
	}
	takes = proxy_header_takes(greeting->data, greeting->have, next, (size_t)n);
	if (takes > 0)
		n = recv(watch->fd, greeting->data + greeting->have, takes, MSG_DONTWAIT);
	if (takes == 0 || n < 0) { /* nothing of it can belong to a header */
		greeting->data[0] = '\0';
		greeting->have = 1;
	} else {
		greeting->have += (size_t)n;
	}
	judge(greeting);
}

static void
on_deadline(struct timer *timer)
{
	greeting_free(container_of(timer, struct greeting, deadline), true);
}

void
greeting_new(struct worker *worker, int fd, const struct sockaddr_storage *peer, socklen_t len)
{
	struct greeting *greeting = mem_zalloc(sizeof *greeting);
	struct loop *loop = worker->setup.loop;
	struct error err = { 0 };

	if (greeting == NULL) {
		close(fd);
		return;
	}
	greeting->worker = worker;
	greeting->watch = (struct watch){ .fd = fd, .ready = on_ready };
	greeting->deadline.fire = on_deadline;
	greeting->peer = *peer;
	greeting->peer_len = len;
	greeting->next = worker->greetings;
	greeting->link = &worker->greetings;
	if (greeting->next != NULL)
		greeting->next->link = &greeting->next;
	worker->greetings = greeting;
	worker->n_connections++;
	if (!loop_watch(loop, &greeting->watch, EPOLLIN, &err) ||
		!loop_set_timer(loop, &greeting->deadline,
			clock_after(loop_now_ms(loop), worker->table->config->client.head_ms)))
		greeting_free(greeting, true);
}

void
greeting_close_all(struct worker *worker)
{
	while (worker->greetings != NULL)
		greeting_free(worker->greetings, true);
}
