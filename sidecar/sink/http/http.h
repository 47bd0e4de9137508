// SPDX-License-Identifier: MIT
/* http.h - one transfer to an http destination: the consumer of one channel (channel.h), on the thread of
 * its engine. Its life is drawn in upload.h. */
#ifndef PENSTOCK_HTTP_H
#define PENSTOCK_HTTP_H

#include "sink/engine.h"
#include "sink/order.h"

/* [producer] Makes the transfer and its channel; nothing runs before CHANNEL_START. */
bool http_open(struct engine *engine, struct pool *pool, struct order *order, const struct channel_side *producer,
	struct error *err);

/* [producer] There is something in the channel. */
void http_pump(struct order *order);

#endif
