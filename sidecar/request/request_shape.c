// SPDX-License-Identifier: MIT
/* request_shape.c - a request takes its body as fast as `rate` of its route and of its client, and what an application has granted, let it, and no faster (route/bucket.h).
 *
 * What its client has sent is booked in pieces, with each of the rates; when the time of all has come, the piece is taken, and the next
 * one is booked behind those of the others that share a rate. Until then the client is paused, and the rest lies in the buffers of
 * http/ and in the socket, so that the client's own TCP slows it down. */
#include "request/room_priv.h"

static uint64_t
now(const struct request *request)
{
	return loop_now_ms(request->intake->setup.loop);
}

/* A part of what the narrowest rate gives in a second. 0: there is none. */
static size_t
piece_of(const struct shaping *shaping)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < N_SHAPE_RATES; i++)
		if (shaping->rates[i].per_second > 0 && shaping->rates[i].per_second < least)
			least = shaping->rates[i].per_second;
	return least != UINT64_MAX ? bucket_piece(least) : 0;
}

static uint64_t
book_with(struct request *request, struct shape_rate *rate, size_t n)
{
	if (rate->share == NULL)
		return bucket_book(&rate->own, rate->per_second, n, now(request));
	return clients_book(request->intake->setup.clients, rate->share, rate->per_second, n, now(request));
}

static void
book(struct request *request, size_t n)
{
	struct shaping *shaping = &request->shaping;

	shaping->booked = n;
	shaping->at_ms = now(request);
	for (size_t i = 0; i < N_SHAPE_RATES; i++) {
		struct shape_rate *rate = &shaping->rates[i];
		uint64_t at_ms = rate->per_second > 0 ? book_with(request, rate, n) : 0;

		if (at_ms > shaping->at_ms)
			shaping->at_ms = at_ms;
	}
	if (shaping->at_ms > now(request))
		metrics_add(request->intake->setup.metrics, METRIC_SHAPED_BYTES, n);
}

size_t
shape_allow(struct request *request, size_t len, void (*fire)(struct timer *timer))
{
	struct shaping *shaping = &request->shaping;
	size_t piece = piece_of(shaping);

	if (piece == 0 || len == 0)
		return len;
	if (shaping->booked == 0)
		book(request, len < piece ? len : piece);
	if (shaping->at_ms <= now(request))
		return len < shaping->booked ? len : shaping->booked;
	shaping->is_held = true;
	shaping->timer.fire = fire;
	loop_set_timer(request->intake->setup.loop, &shaping->timer, shaping->at_ms);
	return 0;
}

void
shape_took(struct request *request, size_t len)
{
	if (request->shaping.booked > 0)
		request->shaping.booked -= len;
}

void
shape_leave(struct request *request)
{
	struct shaping *shaping = &request->shaping;

	loop_clear_timer(request->intake->setup.loop, &shaping->timer);
	shaping->is_held = false;
	for (size_t i = 0; i < N_SHAPE_RATES && shaping->booked > 0; i++)
		if (shaping->rates[i].share != NULL)
			clients_give_back(request->intake->setup.clients, shaping->rates[i].share,
				shaping->rates[i].per_second, shaping->booked);
	shaping->booked = 0;
}
