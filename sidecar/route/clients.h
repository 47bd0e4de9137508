// SPDX-License-Identifier: MIT
/* clients.h - what each client has at once: a table of counts, one for all threads. Who is one client, says trust_counted() (request/trust.h).
 *
 * A share is a place in one count: of something (`what`) of a route (`of`) that a client (`who`) has. A count that nobody has a share
 * in is forgotten; a rate not before its bucket is full again, or who comes back would have more than it. There are at most so many counts
 * at one time; beyond that the next client gets none, and so is refused: a client that is not counted would have no limit at all.
 *
 * [any] all of it: a lock for each of many shards, held for a few comparisons. */
#ifndef PENSTOCK_CLIENTS_H
#define PENSTOCK_CLIENTS_H

#include "base/error.h"

#include <stddef.h>

#define CLIENTS_MOST 262144u /* counts of a process; each has some 100 bytes */

enum client_what { CLIENT_UPLOADS, CLIENT_CONNECTIONS, CLIENT_RATE, CLIENT_QUESTIONS };

struct clients_key {
	enum client_what what;
	const char *of;  /* id of the route; CLIENT_QUESTIONS: of the worker */
	const char *who; /* as it counts; CLIENT_RATE: "" is the route itself */
};

enum clients_answer {
	CLIENTS_TAKEN,
	CLIENTS_TOO_MANY, /* it has as many as it may have */
	CLIENTS_FULL      /* it is new, and there is no room for one more count */
};

struct clients;
struct client_share;

struct clients *clients_new(size_t most, struct error *err); /* NULL: err says why */
void clients_free(struct clients *clients);                  /* all shares have been given back; NULL is fine */

/* A share of a count that then is at most `most`; else *share is NULL. The key's texts are copied. */
enum clients_answer clients_take(struct clients *clients, const struct clients_key *key, uint64_t most,
	uint64_t now_ms, struct client_share **share);
void clients_give(struct clients *clients, struct client_share *share, uint64_t now_ms); /* NULL is fine */

/* Of a share in a CLIENT_RATE: bucket_book() and bucket_give_back() (route/bucket.h). */
uint64_t clients_book(
	struct clients *clients, struct client_share *share, uint64_t rate, size_t n, uint64_t now_ms);
void clients_give_back(struct clients *clients, struct client_share *share, uint64_t rate, size_t n);

/* Is it a share of this count? */
bool clients_is_of(const struct client_share *share, const struct clients_key *key);

uint64_t clients_count(struct clients *clients, const struct clients_key *key); /* shares that are out */
size_t clients_length(const struct clients *clients);                           /* counts that there are */

#endif
