// SPDX-License-Identifier: MIT
/* peer.c - one connection of HAProxy: bytes in, frames out of them, answers out; its time limits and its end. See the
 * drawing in peer_priv.h; what a frame says is in peer_frames.c.
 *
 * Each frame goes out with one send(): HAProxy 3.2 resets a connection whose HELLO comes in pieces. While one does
 * not fit into the socket nothing more is read, so a peer that does not take its answers costs one of them. */
#include "spoa/peer_priv.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_FIRST 4096u   /* bytes; grows to the frame that is coming, never over max_frame */
#define FRAMES_A_TURN 64 /* so that one peer that asks without end leaves time for the others */
#define CLOSING_MS 1000u
#define HANDSHAKE_MS 10000u /* HAProxy says HELLO at once; who does not is not kept as long as one that talks */

static const unsigned may_become[] = {
	[PEER_HANDSHAKE] = BIT(PEER_TALKING) | BIT(PEER_CLOSING),
	[PEER_TALKING] = BIT(PEER_CLOSING),
	[PEER_CLOSING] = 0,
};

void
peer_move(struct peer *peer, enum peer_state to)
{
	must(state_may_become(may_become, (int)peer->state, (int)to));
	peer->state = to;
}

static void
peer_free(struct peer *peer)
{
	struct agent *agent = peer->agent;

	agent->n_talking -= peer->state == PEER_TALKING;
	loop_clear_timer(agent->loop, &peer->timer);
	loop_unwatch(agent->loop, &peer->watch);
	close(peer->watch.fd);
	*peer->link = peer->next;
	if (peer->next != NULL)
		peer->next->link = peer->link;
	mem_free(peer->in);
	mem_free(peer);
	agent_on_peer_gone(agent);
}

/* -- out ------------------------------------------------------------------------------------------ */

static void
add_disconnect(struct peer *peer, enum spop_status status)
{
	struct spop_writer w;

	must(peer->out_len == 0);
	spop_write_begin(&w, peer->out, sizeof peer->out, SPOP_AGENT_DISCONNECT, 0, 0);
	spop_write_string(&w, STR("status-code"));
	spop_write_uint32(&w, status);
	spop_write_string(&w, STR("message"));
	spop_write_text(&w, str_of(spop_status_text(status)));
	must(spop_write_end(&w));
	peer->out_len = w.len;
}

/* False: the peer is gone. */
static bool
send_out(struct peer *peer)
{
	while (peer->out_sent < peer->out_len) {
		ssize_t n = send(peer->watch.fd, peer->out + peer->out_sent, peer->out_len - peer->out_sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0)
			return false;
		peer->out_sent += (size_t)n;
	}
	peer->out_len = peer->out_sent = 0;
	return true;
}

/* False: the peer is gone. */
static bool
flush(struct peer *peer)
{
	if (!send_out(peer))
		return false;
	if (peer->out_len == 0 && peer->owes_farewell) {
		peer->owes_farewell = false;
		add_disconnect(peer, peer->farewell);
		if (!send_out(peer))
			return false;
	}
	if (peer->out_len == 0 && peer->state == PEER_CLOSING)
		shutdown(peer->watch.fd, SHUT_WR);
	return true;
}

void
peer_begin_closing(struct peer *peer)
{
	struct loop *loop = peer->agent->loop;

	peer->agent->n_talking -= peer->state == PEER_TALKING;
	peer_move(peer, PEER_CLOSING);
	if (!loop_set_timer(loop, &peer->timer, clock_after(loop_now_ms(loop), CLOSING_MS)))
		shutdown(peer->watch.fd, SHUT_RDWR); /* no deadline can be had, so it ends now */
}

void
peer_disconnect(struct peer *peer, enum spop_status status)
{
	if (peer->state == PEER_CLOSING)
		return;
	if (status != SPOP_OK)
		log_line(LOG_WARN, "spoa", "connection ended", LOG_TEXTVAL("why", spop_status_text(status)));
	peer_begin_closing(peer);
	peer->owes_farewell = true;
	peer->farewell = status;
}

/* -- in ------------------------------------------------------------------------------------------- */

/* Bytes of the frame at the front with its length; 0: not enough of it is there to know. */
static size_t
wanted(const struct peer *peer)
{
	if (peer->in_len < SPOP_LENGTH_SIZE)
		return 0;
	return SPOP_LENGTH_SIZE + (size_t)spop_read_length((const unsigned char *)peer->in);
}

/* Looked at before a byte is allocated for it. */
static bool
is_bad_length(struct peer *peer, size_t want)
{
	if (want == 0 ||
		(want >= SPOP_LENGTH_SIZE + SPOP_FRAME_LEAST && want - SPOP_LENGTH_SIZE <= peer->max_frame))
		return false;
	peer_disconnect(peer, want < SPOP_LENGTH_SIZE + SPOP_FRAME_LEAST ? SPOP_INVALID : SPOP_TOO_BIG);
	return true;
}

/* Takes whole frames off the front while answers go out at once. False: the peer is gone. */
static bool
take_frames(struct peer *peer, int *budget)
{
	size_t at = 0;

	while (peer->state != PEER_CLOSING && peer->out_len == 0 && *budget > 0) {
		size_t left = peer->in_len - at, len;
		const unsigned char *p = (const unsigned char *)peer->in + at;

		len = left < SPOP_LENGTH_SIZE ? 0 : SPOP_LENGTH_SIZE + (size_t)spop_read_length(p);
		if (is_bad_length(peer, len) || len == 0 || left < len)
			break;
		peer_on_frame(peer, (struct str){ (const char *)p + SPOP_LENGTH_SIZE, len - SPOP_LENGTH_SIZE });
		at += len;
		(*budget)--;
		if (!flush(peer))
			return false;
	}
	if (at > 0)
		memmove(peer->in, peer->in + at, peer->in_len - at);
	peer->in_len -= at;
	return flush(peer);
}

static bool
make_room(struct peer *peer)
{
	size_t want = wanted(peer) > IN_FIRST ? wanted(peer) : IN_FIRST;
	char *grown;

	if (want <= peer->in_cap)
		return true;
	grown = mem_resize(peer->in, want, 1);
	if (grown == NULL) {
		peer_disconnect(peer, SPOP_RESOURCES);
		return false;
	}
	peer->in = grown;
	peer->in_cap = want;
	return true;
}

/* False: the peer has closed, or reset, which means the same. */
static bool
read_some(struct peer *peer)
{
	char scratch[IN_FIRST], *to = scratch;
	size_t cap = sizeof scratch;
	ssize_t n;

	if (peer->state != PEER_CLOSING && !make_room(peer))
		return true;
	if (peer->state != PEER_CLOSING) {
		to = peer->in + peer->in_len;
		cap = peer->in_cap - peer->in_len;
	}
	n = recv(peer->watch.fd, to, cap, MSG_DONTWAIT);
	peer->can_read = n > 0 || errno != EAGAIN;
	if (n > 0 && to != scratch)
		peer->in_len += (size_t)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* False: the peer is gone. */
static bool
turn(struct peer *peer, bool *has_more)
{
	int budget = FRAMES_A_TURN;

	if (!flush(peer))
		return false;
	while (peer->can_read && peer->out_len == 0 && budget > 0) {
		if (!take_frames(peer, &budget))
			return false;
		if (peer->out_len == 0 && budget > 0 && !read_some(peer))
			return false;
		budget -= peer->state == PEER_CLOSING;
	}
	*has_more = budget <= 0;
	return take_frames(peer, &budget);
}

/* Frames that are here already make no event, but a socket that takes bytes does. */
static bool
watch_again(struct peer *peer, bool has_more)
{
	uint32_t wants = peer->out_len > 0 ? EPOLLOUT : has_more ? EPOLLIN | EPOLLOUT : EPOLLIN;

	return loop_rewatch(peer->agent->loop, &peer->watch, wants);
}

static void
on_ready(struct watch *watch, uint32_t events)
{
	struct peer *peer = container_of(watch, struct peer, watch);

	bool has_more = false;

	(void)events; /* an error shows in recv() */
	peer->can_read = true;
	if (!turn(peer, &has_more) || !watch_again(peer, has_more))
		peer_free(peer);
}

/* -- life ----------------------------------------------------------------------------------------- */

/* Bytes that make no frame keep nobody alive, nor does one who never says HELLO. */
static uint64_t
idle_at(const struct peer *peer)
{
	uint64_t idle_ms = peer->agent->table->config->spoa.idle_ms;

	if (peer->state == PEER_HANDSHAKE && idle_ms > HANDSHAKE_MS)
		idle_ms = HANDSHAKE_MS;
	return clock_after(peer->active_ms, idle_ms);
}

static void
on_timer(struct timer *timer)
{
	struct peer *peer = container_of(timer, struct peer, timer);
	struct loop *loop = peer->agent->loop;
	uint64_t at = idle_at(peer);

	if (peer->state == PEER_CLOSING) {
		peer_free(peer);
		return;
	}
	if (at > loop_now_ms(loop) && loop_set_timer(loop, &peer->timer, at))
		return; /* set lazily: each frame moves it further away */
	peer_disconnect(peer, peer->state == PEER_HANDSHAKE ? SPOP_TIMEOUT : SPOP_OK);
	if (!flush(peer) || !watch_again(peer, false))
		peer_free(peer);
}

static void
link_peer(struct agent *agent, struct peer *peer)
{
	peer->next = agent->peers;
	peer->link = &agent->peers;
	if (peer->next != NULL)
		peer->next->link = &peer->next;
	agent->peers = peer;
	agent->n_peers++;
}

void
peer_new(struct agent *agent, int fd)
{
	struct peer *peer = mem_zalloc(sizeof *peer);
	struct error err = { 0 };

	if (peer == NULL) {
		close(fd);
		return;
	}
	peer->agent = agent;
	peer->watch = (struct watch){ .fd = fd, .ready = on_ready };
	peer->timer.fire = on_timer;
	peer->max_frame = (uint32_t)agent->table->config->spoa.max_frame;
	peer->active_ms = loop_now_ms(agent->loop);
	link_peer(agent, peer);
	if (!loop_watch(agent->loop, &peer->watch, EPOLLIN, &err) ||
		!loop_set_timer(agent->loop, &peer->timer, idle_at(peer)))
		peer_free(peer);
}

/* New ones stand at the front. */
bool
peer_drop_silent(struct agent *agent)
{
	struct peer *oldest = NULL;

	for (struct peer *peer = agent->peers; peer != NULL; peer = peer->next)
		if (peer->state == PEER_HANDSHAKE)
			oldest = peer;
	if (oldest == NULL)
		return false;
	log_event(LOG_INFO, "spoa", "connection without a HELLO dropped: others want its place", NULL, 0);
	peer_free(oldest);
	return true;
}

/* What has been asked already is answered first. */
void
peer_disconnect_all(struct agent *agent)
{
	struct peer *next;

	for (struct peer *peer = agent->peers; peer != NULL; peer = next) {
		bool has_more = false;

		next = peer->next;
		peer->can_read = true;
		if (!turn(peer, &has_more)) {
			peer_free(peer);
			continue;
		}
		peer_disconnect(peer, SPOP_OK);
		if (!flush(peer) || !watch_again(peer, false))
			peer_free(peer);
	}
}
