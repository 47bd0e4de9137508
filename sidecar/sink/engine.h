// SPDX-License-Identifier: MIT
/* engine.h - one libcurl multi in one loop, a worker's or the probe's. Everything here belongs to that loop's thread
 * (before the loop runs and after it has ended, to the thread that calls init and fini). `transfers` alone may be read and
 * counted by any thread: with `placement: spread` another worker may open a transfer here.
 *
 * libcurl is driven by curl_multi_socket_action(): its sockets are watches of the loop, its one timer is a
 * timer of the loop. No function here but engine_defer() and engine_note_read() may be called from within a callback of libcurl. */
#ifndef PENSTOCK_ENGINE_H
#define PENSTOCK_ENGINE_H

#include "base/counter.h"
#include "base/error.h"
#include "loop/loop.h"
#include "sink/engine_sockets.h"

#include <curl/curl.h>

#define ENGINE_KEPT_MAX 64     /* connections that libcurl keeps (CURLMOPT_MAXCONNECTS) */
#define ENGINE_IDLE_HANDLES 64 /* easy handles that wait to be used again */
#define ENGINE_GUEST_MS 60000u

/* A transfer that outlives its order, so that no producer can tell it to end. */
struct engine_guest {
	struct engine_guest *next;
	void (*cut)(struct engine_guest *guest); /* it has until cut_ms of its engine; may end it */
};

/* Whose handle is in an engine's multi: CURLOPT_PRIVATE of the handle points here. Zeroed but for its calls, both of which may take
 * the handle out of the multi, and free the struct. */
struct engine_user {
	void (*done)(struct engine_user *user, CURLcode code); /* libcurl has no more to do with the handle */
	void (*resume)(struct engine_user
			*user); /* after engine_defer(), or where libcurl has to be called to go on connecting */
	struct engine_user *next_deferred;
	struct engine_user *next_reader;
	curl_socket_t
		fd; /* the last that was opened for it, or that libcurl has told of; CURL_SOCKET_BAD: none yet */
	unsigned n_reads;  /* that engine_run() had follow one another */
	bool is_connected; /* its owner says so: to lose its socket is no reason any more to go on connecting */
	bool is_reader;    /* is in engine->readers */
	bool is_deferred;  /* is in engine->deferred */
	bool is_unwatched; /* its socket could not be watched: it would wait for ever, so it is done */
};

struct engine {
	struct loop *loop;
	CURLM *multi;
	struct timer timer;
	CURL *idle[ENGINE_IDLE_HANDLES];
	size_t n_idle;
	struct engine_sockets sockets;
	bool may_reuse;  /* this libcurl bears that a handle is used twice */
	bool may_stall;  /* this libcurl waits for nothing before it tries the next address of a server */
	size_t n_copies; /* how often it holds what it sends of a stream */
	struct counter
		transfers; /* [any] opened here and not freed yet; read to choose the engine of the next one */
	struct engine_user *deferred; /* to be called as soon as libcurl has returned */
	bool is_running;              /* libcurl is on the stack */
	bool is_crowded; /* the last socket that was made left few descriptors, or none was left for it */
	struct engine_user *readers; /* they have read bytes of their bodies since libcurl was called */
	struct engine_guest *guests;
	size_t n_guests;
	uint64_t guest_ms; /* how long one may take: ENGINE_GUEST_MS, unless a test says otherwise */
	uint64_t cut_ms;   /* when all must have ended; CLOCK_NEVER: nobody is in a hurry */
};

/* Is a handle of this libcurl (0xXXYYZZ, as LIBCURL_VERSION_NUM) good for more than one request? */
bool engine_bears_reuse(unsigned libcurl);

/* Must it be called to try the next address of a server? */
bool engine_may_stall(unsigned libcurl);

/* How often does it hold a byte of a stream that it sends? */
size_t engine_copies_of(unsigned libcurl);

bool engine_init(struct engine *engine, struct loop *loop, struct error *err);
void engine_fini(struct engine *engine); /* nothing may be left on it */

CURL *engine_take_handle(struct engine *engine);            /* NULL: out of memory */
void engine_give_handle(struct engine *engine, CURL *easy); /* not added to the multi any more; NULL is fine */

/* Lets libcurl do what is due now, and tells the transfers that are done. */
void engine_run(struct engine *engine);

/* [in libcurl's callback] It has read bytes of its body: it is asked at once whether it has more. */
void engine_note_read(struct engine *engine, struct engine_user *user);

/* Calls resume() when libcurl has returned. */
void engine_defer(struct engine *engine, struct engine_user *user);
void engine_forget(struct engine *engine, struct engine_user *user); /* its handle is not in the multi any more */

void engine_add_guest(struct engine *engine, struct engine_guest *guest);
void engine_remove_guest(struct engine *engine, struct engine_guest *guest);

/* Guests, also those to come, must have ended by then. */
void engine_cut_guests(struct engine *engine, uint64_t by_ms);

#endif
