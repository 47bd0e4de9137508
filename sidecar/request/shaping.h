// SPDX-License-Identifier: MIT
/* shaping.h - how a request is held back by the rates of its route and its client, and by its own: see request_shape.c. request_client.c writes whose rates
 * these are. All on the worker's thread. */
#ifndef PENSTOCK_SHAPING_H
#define PENSTOCK_SHAPING_H

#include "loop/loop.h"
#include "route/bucket.h"
#include "route/clients.h"

struct request;

enum { SHAPE_ROUTE, SHAPE_CLIENT, SHAPE_UPLOAD, N_SHAPE_RATES };

struct shape_rate {
	uint64_t per_second;        /* bytes; 0: there is no such rate */
	struct client_share *share; /* NULL: nobody shares it ... */
	struct bucket own;          /* ... and this is its bucket */
};

struct shaping {
	struct shape_rate rates[N_SHAPE_RATES];
	size_t booked;  /* bytes that it may take ... */
	uint64_t at_ms; /* ... from then on */
	bool is_held;   /* its client is paused until then */
	struct timer timer;
};

/* How many of `len` bytes it may take now. 0: `fire` comes when it may. */
size_t shape_allow(struct request *request, size_t len, void (*fire)(struct timer *timer));
void shape_took(struct request *request, size_t len); /* of those that it might */
void shape_leave(struct request *request);            /* it takes no more: what was booked is given back */

#endif
