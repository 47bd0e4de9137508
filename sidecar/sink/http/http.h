// SPDX-License-Identifier: MIT
/* http.h - one transfer to an http destination: the consumer of one channel (channel.h), on the thread of
 * its engine. Its life is drawn in upload.h. */
#ifndef PENSTOCK_HTTP_H
#define PENSTOCK_HTTP_H

#include "sink/engine.h"
#include "sink/order.h"

struct http;

/* [producer] Makes the transfer and its channel; nothing runs before CHANNEL_START. */
bool http_open(struct engine *engine, struct pool *pool, struct order *order, const struct channel_side *producer,
	struct error *err);

/* [producer] There is something in the channel. */
void http_pump(struct order *order);

/* [engine] What engine.c calls. */
void http_on_done(void *http, CURLcode code);
void http_on_unwatched(struct http *http);        /* its socket cannot be watched; libcurl may be on the stack */
void http_resume_deferred(struct engine *engine); /* lets the first of engine->deferred run again */

#endif
