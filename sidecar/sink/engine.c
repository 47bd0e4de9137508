// SPDX-License-Identifier: MIT
/* engine.c - see engine.h. */
#include "sink/engine.h"

#include "base/container_of.h"
#include "base/must.h"

#include <sys/epoll.h>

#define UPLOAD_BUFFER_LEAST 16384L /* libcurl's limit */
/* Before 8.1.0 (curl's issue 11101) a handle that is used again still points at the header that it has read last, which was freed:
 * an answer whose first line is folded would be written there. */
#define REUSE_FROM 0x080100u
/* Before 8.4.0 an address that has failed is closed, and the next one is tried when libcurl is called next: which nobody does, where none
 * of its timers is set for a time before that of connecting at all is over. */
#define GOES_ON_FROM 0x080400u
#define AGAIN_MAX 8 /* reads of one transfer that follow one another: the first sends of a stream are small */
#define COPIES_FROM 0x080700u /* chunks are made in a buffer of their own, and sent from another one */

/* -- libcurl's two wishes: sockets to watch, a time to be called ------------------------------------- */

static void
act(struct engine *engine, curl_socket_t fd, int events)
{
	int running;

	must(!engine->is_running);
	engine->is_running = true;
	curl_multi_socket_action(engine->multi, fd, events, &running);
	engine->is_running = false;
}

static void
tell_done(struct engine *engine)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(engine->multi, &left)) != NULL) {
		CURLcode code = msg->data.result;
		struct engine_user *user = NULL;

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &user);
		user->done(user, code);
	}
}

/* -- who has read ------------------------------------------------------------------------------------- */

void
engine_note_read(struct engine *engine, struct engine_user *user)
{
	if (user->is_reader || user->n_reads == AGAIN_MAX)
		return;
	user->is_reader = true;
	user->next_reader = engine->readers;
	engine->readers = user;
}

static void
forget_reader(struct engine *engine, struct engine_user *user)
{
	struct engine_user **at = &engine->readers;

	while (user->is_reader && *at != user)
		at = &(*at)->next_reader;
	if (user->is_reader)
		*at = user->next_reader;
	user->is_reader = false;
}

/* libcurl reads once for each event. Whoever had something to read may have more, or nothing, in which case it pauses: to find out
 * costs less than another turn of the loop, and a chunk that leaves in small sends comes back in this one. Each time libcurl looks for an
 * answer first: a store that refuses early may close then, and what is sent after that takes its answer away. An event that was none
 * does no harm, also where the socket is meanwhile another's, or nobody's. */
static void
act_on(struct engine *engine, curl_socket_t fd, int events)
{
	struct engine_user *user;

	act(engine, fd, events);
	while ((user = engine->readers) != NULL) {
		forget_reader(engine, user);
		user->n_reads++;
		act(engine, user->fd, CURL_CSELECT_IN | CURL_CSELECT_OUT);
		if (!user->is_reader)
			user->n_reads = 0;
	}
}

/* -- after libcurl has returned ------------------------------------------------------------------------- */

static void
call_first_deferred(struct engine *engine)
{
	struct engine_user *user = engine->deferred;

	engine->deferred = user->next_deferred;
	user->is_deferred = false;
	if (user->is_unwatched)
		user->done(user, CURLE_UNRECOVERABLE_POLL);
	else
		user->resume(user);
}

/* Unpausing is not allowed in libcurl's header callback, so it waits until here. */
static void
run_deferred(struct engine *engine)
{
	while (engine->deferred != NULL) {
		call_first_deferred(engine);
		act_on(engine, CURL_SOCKET_TIMEOUT, 0);
	}
}

/* Never tells libcurl of a failure: it would give up all transfers of its multi, and forget their sockets. */
static void
unwatched(struct engine *engine, struct engine_user *user)
{
	if (user == NULL)
		return;
	user->is_unwatched = true;
	engine_defer(engine, user);
}

static void
watch_anew(struct engine *engine)
{
	struct engine_socket *failed;

	while ((failed = engine_sockets_settle(&engine->sockets)) != NULL)
		unwatched(engine, failed->user);
}

static void
run(struct engine *engine, curl_socket_t fd, int events)
{
	act_on(engine, fd, events);
	do {
		run_deferred(engine);
		watch_anew(engine);
	} while (engine->deferred != NULL);
	tell_done(engine);
}

void
engine_run(struct engine *engine)
{
	run(engine, CURL_SOCKET_TIMEOUT, 0);
}

static void
on_socket_ready(struct watch *watch, uint32_t events)
{
	struct engine_socket *socket = container_of(watch, struct engine_socket, watch);
	struct engine *engine = socket->owner;
	int bits = 0;

	if (engine_sockets_ignores(&engine->sockets, socket))
		return;
	if (events & EPOLLIN)
		bits |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		bits |= CURL_CSELECT_OUT;
	if (events & (EPOLLERR | EPOLLHUP))
		bits |= CURL_CSELECT_ERR;
	run(engine, watch->fd, bits); /* may free it */
}

static uint32_t
epoll_events(int what)
{
	return (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
}

static struct engine_socket *
use_socket(struct engine *engine, curl_socket_t fd)
{
	struct engine_socket *socket = engine_sockets_take(&engine->sockets, fd);

	if (socket == NULL)
		return NULL;
	socket->owner = engine;
	socket->watch.ready = on_socket_ready;
	curl_multi_assign(engine->multi, fd, socket);
	return socket;
}

static void
go_on_connecting(struct engine *engine, const struct engine_socket *socket, struct engine_user *user)
{
	if (engine->may_stall && socket != NULL && socket->wanted == EPOLLOUT && user != NULL &&
		!user->is_connected)
		engine_defer(engine, user);
}

static void
drop_socket(struct engine *engine, curl_socket_t fd, struct engine_socket *socket)
{
	curl_multi_assign(engine->multi, fd, NULL);
	if (socket != NULL)
		engine_sockets_give(&engine->sockets, socket);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct engine *engine = arg;
	struct engine_socket *socket = known;
	struct engine_user *user = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &user);
	if (what == CURL_POLL_REMOVE) {
		go_on_connecting(engine, socket, user);
		drop_socket(engine, fd, socket);
		return 0;
	}
	if (user != NULL)
		user->fd = fd;
	if (socket == NULL)
		socket = use_socket(engine, fd);
	if (socket != NULL)
		socket->user = user;
	if (socket == NULL || !engine_sockets_watch(&engine->sockets, socket, epoll_events(what)))
		unwatched(engine, user);
	return 0;
}

/* The timer is always set, if only for never: moving it needs no memory, and libcurl takes a failure here for the
 * end of all transfers. */
static int
on_timeout_wish(CURLM *multi, long in_ms, void *arg)
{
	struct engine *engine = arg;
	uint64_t at_ms = in_ms < 0 ? CLOCK_NEVER : clock_after(clock_now_ms(), (uint64_t)in_ms);

	(void)multi;
	return loop_set_timer(engine->loop, &engine->timer, at_ms) ? 0 : -1;
}

static void
on_timer(struct timer *timer)
{
	struct engine *engine = container_of(timer, struct engine, timer);

	loop_set_timer(engine->loop, &engine->timer, CLOCK_NEVER); /* firing took it out, so there is room */
	engine_run(engine);
}

/* -- life --------------------------------------------------------------------------------------------- */

bool
engine_bears_reuse(unsigned libcurl)
{
	return libcurl >= REUSE_FROM;
}

bool
engine_may_stall(unsigned libcurl)
{
	return libcurl < GOES_ON_FROM;
}

size_t
engine_copies_of(unsigned libcurl)
{
	return libcurl >= COPIES_FROM ? 2 : 1;
}

bool
engine_init(struct engine *engine, struct loop *loop, struct error *err)
{
	unsigned libcurl = curl_version_info(CURLVERSION_NOW)->version_num;

	*engine = (struct engine){ .loop = loop,
		.sockets.loop = loop,
		.timer.fire = on_timer,
		.guest_ms = ENGINE_GUEST_MS,
		.cut_ms = CLOCK_NEVER,
		.may_reuse = engine_bears_reuse(libcurl),
		.may_stall = engine_may_stall(libcurl),
		.n_copies = engine_copies_of(libcurl) };
	engine->multi = curl_multi_init();
	if (engine->multi == NULL || !loop_set_timer(loop, &engine->timer, CLOCK_NEVER)) {
		curl_multi_cleanup(engine->multi);
		engine->multi = NULL;
		return error_set(err, ERR_NOMEM, "libcurl: out of memory");
	}
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wish);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, (long)ENGINE_KEPT_MAX);
	curl_multi_setopt(engine->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return true;
}

void
engine_fini(struct engine *engine)
{
	if (engine->multi == NULL)
		return;
	must(counter_read(&engine->transfers) == 0);
	for (size_t i = 0; i < engine->n_idle; i++)
		curl_easy_cleanup(engine->idle[i]);
	curl_multi_cleanup(engine->multi); /* closes its connections */
	engine_sockets_fini(&engine->sockets);
	loop_clear_timer(engine->loop, &engine->timer);
	engine->multi = NULL;
}

CURL *
engine_take_handle(struct engine *engine)
{
	return engine->n_idle > 0 ? engine->idle[--engine->n_idle] : curl_easy_init();
}

void
engine_give_handle(struct engine *engine, CURL *easy)
{
	if (easy == NULL)
		return;
	if (!engine->may_reuse || engine->n_idle == ENGINE_IDLE_HANDLES) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	/* Before 8.7.0 this drops the buffer that it has sent from; a later one keeps it until a transfer begins with another size. */
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_LEAST);
	engine->idle[engine->n_idle++] = easy;
}

void
engine_defer(struct engine *engine, struct engine_user *user)
{
	if (user->is_deferred)
		return;
	user->is_deferred = true;
	user->next_deferred = engine->deferred;
	engine->deferred = user;
}

void
engine_forget(struct engine *engine, struct engine_user *user)
{
	struct engine_user **at = &engine->deferred;

	while (*at != NULL && *at != user)
		at = &(*at)->next_deferred;
	if (*at != NULL)
		*at = user->next_deferred;
	user->is_deferred = user->is_unwatched = false;
	forget_reader(engine, user);
}
