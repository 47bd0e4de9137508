// SPDX-License-Identifier: MIT
/* engine.h - one libcurl multi in one loop, a worker's or the probe's. Everything here belongs to that loop's thread
 * (before the loop runs and after it has ended, to the thread that calls init and fini). `transfers` alone may be read and
 * counted by any thread: with `placement: spread` another worker may open a transfer here.
 *
 * libcurl is driven by curl_multi_socket_action(): its sockets are watches of the loop, its one timer is a
 * timer of the loop. No function here may be called from within a callback of libcurl. */
#ifndef PENSTOCK_ENGINE_H
#define PENSTOCK_ENGINE_H

#include "base/counter.h"
#include "base/error.h"
#include "loop/loop.h"

#include <curl/curl.h>

#define ENGINE_IDLE_HANDLES 64 /* easy handles that wait to be used again */

/* A transfer that outlives its order, so that no producer can tell it to end. */
struct engine_guest {
	struct engine_guest *next;
	void (*cut)(struct engine_guest *guest); /* it has until cut_ms of its engine; may end it */
};

struct engine {
	struct loop *loop;
	CURLM *multi;
	struct timer timer;
	CURL *idle[ENGINE_IDLE_HANDLES];
	size_t n_idle;
	struct counter
		transfers; /* [any] opened here and not freed yet; read to choose the engine of the next one */
	struct exchange *deferred; /* to be unpaused as soon as libcurl has returned */
	bool is_running;           /* libcurl is on the stack */
	struct engine_guest *guests;
	size_t n_guests;
	uint64_t cut_ms; /* when guests must have ended; CLOCK_NEVER: nobody is in a hurry */
};

/* CURLOPT_PRIVATE of each handle is its exchange. */
bool engine_init(struct engine *engine, struct loop *loop, struct error *err);
void engine_fini(struct engine *engine); /* nothing may be left on it */

CURL *engine_take_handle(struct engine *engine);            /* NULL: out of memory */
void engine_give_handle(struct engine *engine, CURL *easy); /* not added to the multi any more; NULL is fine */

/* Lets libcurl do what is due now, and tells the transfers that are done. */
void engine_run(struct engine *engine);

void engine_add_guest(struct engine *engine, struct engine_guest *guest);
void engine_remove_guest(struct engine *engine, struct engine_guest *guest);

/* Guests, also those to come, must have ended by then. */
void engine_cut_guests(struct engine *engine, uint64_t by_ms);

#endif
