// SPDX-License-Identifier: MIT
/* small_server.h - a small HTTP server in a loop, for questions without a body: each is answered at once by a
 * handler, and its connection closed. For admin/, which may not know libmicrohttpd; uploads do not come in here.
 *
 * It bounds what strangers can cost: the number of connections at once, and the time of each from accept to close.
 * Everything belongs to the loop's thread; before that runs and after it has ended, to the thread of new and free. */
#ifndef PENSTOCK_SMALL_SERVER_H
#define PENSTOCK_SMALL_SERVER_H

#include "base/error.h"
#include "base/str.h"
#include "config/route.h"
#include "loop/loop.h"

#define SMALL_SERVER_CONNECTIONS 64u /* at once; more wait to be accepted */
#define SMALL_SERVER_MS 10000u       /* from accept to close */

struct small_answer { /* zeroed when the handler is called */
	unsigned status;
	const char *type;  /* Content-Type */
	const char *allow; /* Allow, or NULL */
	struct buf body;   /* the server frees it; a HEAD gets its length alone */
};

struct small_handler {
	void *arg;
	/* `path` is decoded and without its query. */
	void (*answer)(void *arg, const char *method, const char *path, struct small_answer *answer);
};

struct small_server;

/* Binds the addresses, each of which it logs as `room`. NULL: err says why. */
struct small_server *small_server_new(struct loop *loop, const char *room, const struct listen *listen, size_t n,
	const struct small_handler *handler, struct error *err);
void small_server_free(struct small_server *server); /* NULL is fine */

#endif
