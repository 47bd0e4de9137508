// SPDX-License-Identifier: MIT
/* clients.c - see clients.h. A hash table in shards, each with a lock and chains of its own. Clients choose their addresses and not
 * the seed of the hash, so none of them can make a chain long. All shares of one count are one struct, which counts them.
 * A rate that nobody uses is looked at when another one is added to its chain; when the table is full, all are. */
#include "route/clients.h"

#include "base/counter.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/random.h"
#include "route/bucket.h"

#include <pthread.h>
#include <string.h>

#define SHARDS 64u
#define CHAINS 64u

struct client_share {
	struct client_share *next; /* in its chain */
	uint64_t hash;
	uint64_t n; /* that are out; of all but a rate at least one */
	struct bucket bucket;
	enum client_what what;
	size_t who;  /* where in `text` it begins */
	char text[]; /* `of` and `who`, each with its NUL */
};

struct shard {
	pthread_mutex_t lock; /* of all that is in the chains */
	struct client_share *chains[CHAINS];
};

struct clients {
	uint64_t seed;
	size_t most;
	struct counter length;
	struct counter swept_s; /* when all of it was looked through last, for what may be forgotten */
	struct shard shards[SHARDS];
};

struct clients *
clients_new(size_t most, struct error *err)
{
	struct clients *clients = mem_zalloc(sizeof *clients);

	if (clients == NULL) {
		error_nomem(err);
		return NULL;
	}
	clients->most = most;
	random_bytes(&clients->seed, sizeof clients->seed);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&clients->shards[i].lock, NULL);
	return clients;
}

static bool
is_forgettable(const struct client_share *share, uint64_t now_ms)
{
	return share->n == 0 && bucket_is_full(&share->bucket, now_ms);
}

/* [locked] */
static void
sweep_chain(struct clients *clients, struct client_share **at, uint64_t now_ms)
{
	while (*at != NULL) {
		struct client_share *share = *at;

		if (!is_forgettable(share, now_ms)) {
			at = &share->next;
			continue;
		}
		*at = share->next;
		mem_free(share);
		counter_sub(&clients->length, 1);
	}
}

static void
sweep(struct clients *clients, uint64_t now_ms)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &clients->shards[i];

		pthread_mutex_lock(&shard->lock);
		for (size_t k = 0; k < CHAINS; k++)
			sweep_chain(clients, &shard->chains[k], now_ms);
		pthread_mutex_unlock(&shard->lock);
	}
}

/* It is full. Once in a second, however many come. */
static void
sweep_if_due(struct clients *clients, uint64_t now_ms)
{
	size_t now_s = (size_t)(now_ms / 1000);

	if (counter_read(&clients->swept_s) == now_s)
		return;
	counter_set(&clients->swept_s, now_s);
	sweep(clients, now_ms);
}

void
clients_free(struct clients *clients)
{
	if (clients == NULL)
		return;
	sweep(clients, UINT64_MAX / 1000);
	must(counter_read(&clients->length) == 0);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&clients->shards[i].lock);
	mem_free(clients);
}

/* FNV-1a, from a seed that nobody knows. With the NUL, so that no two pairs of texts are one. */
static uint64_t
mix(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	while (*text++ != '\0');
	return hash;
}

static uint64_t
hash_of(const struct clients *clients, const struct clients_key *key)
{
	return mix(mix((clients->seed ^ (uint64_t)key->what) * UINT64_C(0x100000001b3), key->of), key->who);
}

/* The high bits, on which all of the seed has had its effect. */
static struct shard *
shard_of(struct clients *clients, uint64_t hash)
{
	return &clients->shards[hash >> 58];
}

static struct client_share **
chain_of(struct shard *shard, uint64_t hash)
{
	return &shard->chains[(hash >> 52) % CHAINS];
}

bool
clients_is_of(const struct client_share *share, const struct clients_key *key)
{
	return share->what == key->what && strcmp(share->text + share->who, key->who) == 0 &&
		strcmp(share->text, key->of) == 0;
}

/* [locked] NULL: nobody has one. */
static struct client_share *
find(struct shard *shard, uint64_t hash, const struct clients_key *key)
{
	struct client_share *share = *chain_of(shard, hash);

	while (share != NULL && (share->hash != hash || !clients_is_of(share, key)))
		share = share->next;
	return share;
}

/* [locked] NULL: there is no room, or no memory. */
static struct client_share *
add(struct clients *clients, struct shard *shard, uint64_t hash, const struct clients_key *key)
{
	size_t of = strlen(key->of) + 1, who = strlen(key->who) + 1;
	struct client_share *share, **chain = chain_of(shard, hash);

	if (!counter_take(&clients->length, clients->most))
		return NULL;
	share = mem_alloc(sizeof *share + of + who);
	if (share == NULL) {
		counter_sub(&clients->length, 1);
		return NULL;
	}
	*share = (struct client_share){ .next = *chain, .hash = hash, .what = key->what, .who = of };
	memcpy(share->text, key->of, of);
	memcpy(share->text + of, key->who, who);
	*chain = share;
	return share;
}

static enum clients_answer
take(struct clients *clients, const struct clients_key *key, uint64_t most, uint64_t now_ms,
	struct client_share **share)
{
	uint64_t hash = hash_of(clients, key);
	struct shard *shard = shard_of(clients, hash);
	enum clients_answer answer = CLIENTS_TAKEN;

	pthread_mutex_lock(&shard->lock);
	sweep_chain(clients, chain_of(shard, hash), now_ms);
	*share = find(shard, hash, key);
	if (*share != NULL && (*share)->n >= most)
		answer = CLIENTS_TOO_MANY;
	else if (*share == NULL && (*share = add(clients, shard, hash, key)) == NULL)
		answer = CLIENTS_FULL;
	if (answer == CLIENTS_TAKEN)
		(*share)->n++;
	else
		*share = NULL;
	pthread_mutex_unlock(&shard->lock);
	return answer;
}

enum clients_answer
clients_take(struct clients *clients, const struct clients_key *key, uint64_t most, uint64_t now_ms,
	struct client_share **share)
{
	enum clients_answer answer = take(clients, key, most, now_ms, share);

	if (answer != CLIENTS_FULL)
		return answer;
	sweep_if_due(clients, now_ms);
	return take(clients, key, most, now_ms, share);
}

void
clients_give(struct clients *clients, struct client_share *share, uint64_t now_ms)
{
	struct shard *shard;

	if (share == NULL)
		return;
	shard = shard_of(clients, share->hash);
	pthread_mutex_lock(&shard->lock);
	must(share->n > 0);
	share->n--;
	sweep_chain(clients, chain_of(shard, share->hash), now_ms);
	pthread_mutex_unlock(&shard->lock);
}

uint64_t
clients_book(struct clients *clients, struct client_share *share, uint64_t rate, size_t n, uint64_t now_ms)
{
	struct shard *shard = shard_of(clients, share->hash);
	uint64_t at_ms;

	must(share->what == CLIENT_RATE);
	pthread_mutex_lock(&shard->lock);
	at_ms = bucket_book(&share->bucket, rate, n, now_ms);
	pthread_mutex_unlock(&shard->lock);
	return at_ms;
}

void
clients_give_back(struct clients *clients, struct client_share *share, uint64_t rate, size_t n)
{
	struct shard *shard = shard_of(clients, share->hash);

	pthread_mutex_lock(&shard->lock);
	bucket_give_back(&share->bucket, rate, n);
	pthread_mutex_unlock(&shard->lock);
}

uint64_t
clients_count(struct clients *clients, const struct clients_key *key)
{
	uint64_t hash = hash_of(clients, key), n;
	struct shard *shard = shard_of(clients, hash);
	const struct client_share *share;

	pthread_mutex_lock(&shard->lock);
	share = find(shard, hash, key);
	n = share != NULL ? share->n : 0;
	pthread_mutex_unlock(&shard->lock);
	return n;
}

size_t
clients_length(const struct clients *clients)
{
	return counter_read(&clients->length);
}
