// SPDX-License-Identifier: MIT
/* credentials.c - see credentials.h. A keyring is a pointer to the keys at hand under a lock, which is held only while the
 * pointer is copied and its references are counted. Keys are fetched by a thread of their own (credentials_renewer.h). */
#include "sink/s3/credentials.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/refcount.h"
#include "sink/s3/credentials_keys.h"
#include "sink/s3/credentials_renewer.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NEARLY_S 60 /* /readyz says no when keys that could not be renewed have only so long to live */
#define FRESH_S 10  /* keys of this age or less are not fetched anew if a store refuses them */

struct s3_keyring {
	struct refcount refs;
	struct s3_source source;
	struct s3_renewer *renewer; /* NULL: its keys do not expire */
	int64_t (*now_s)(void);
	pthread_mutex_t lock; /* guards what follows */
	struct s3_keys *keys; /* NULL: none yet */
	char why[240];        /* why there are no newer ones; "": that was not tried, or went well */
};

static int64_t
system_s(void)
{
	return (int64_t)time(NULL);
}

/* -- what the renewer has fetched --------------------------------------------------------------------- */

/* Sets the keys, or else why there are none. Returns the keys that it replaces. */
static struct s3_keys *
put(struct s3_keyring *k, struct s3_keys *keys, const char *why, bool *is_news)
{
	struct s3_keys *old = NULL;

	pthread_mutex_lock(&k->lock);
	*is_news = strcmp(k->why, why) != 0 || (keys != NULL && k->keys == NULL);
	snprintf(k->why, sizeof k->why, "%s", why);
	if (keys != NULL) {
		old = k->keys;
		k->keys = keys;
	}
	pthread_mutex_unlock(&k->lock);
	return old;
}

/* Logs each new failure once, and the first success after it. */
static void
on_fetched(void *arg, struct s3_keys *keys, const struct error *err)
{
	struct s3_keyring *k = arg;
	bool is_news;
	struct s3_keys *old = put(k, keys, keys == NULL ? err->message : "", &is_news);

	s3_keys_release(old);
	if (!is_news)
		return;
	log_line(keys != NULL ? LOG_INFO : LOG_WARN, "sink",
		keys != NULL ? "there are keys for S3" : "there are no new keys for S3",
		LOG_TEXTVAL("source", k->source.text[S3_SOURCE_WORDS]),
		LOG_TEXTVAL("why", keys == NULL ? err->message : NULL));
}

/* -- life --------------------------------------------------------------------------------------------- */

static void
keyring_free(struct s3_keyring *k)
{
	s3_renewer_stop(k->renewer);
	s3_keys_release(k->keys);
	s3_source_free(&k->source);
	pthread_mutex_destroy(&k->lock);
	mem_free(k);
}

static struct s3_keys *
static_keys(const struct s3_source *source, int64_t now_s, struct error *err)
{
	struct s3_keys_parts parts = { .access = str_of(source->text[S3_SOURCE_ACCESS]),
		.secret = str_of(source->text[S3_SOURCE_SECRET]),
		.token = str_of(source->text[S3_SOURCE_TOKEN]),
		.obtained_s = now_s,
		.expires_s = S3_KEYS_NEVER_EXPIRE };

	return s3_keys_new(&parts, err);
}

/* False: err says why. */
static bool
begin(struct s3_keyring *k, struct error *err)
{
	struct s3_renewer_setup setup = { &k->source, k->now_s, on_fetched, k };

	if (k->source.kind == S3_SOURCE_STATIC) {
		k->keys = static_keys(&k->source, k->now_s(), err);
		return k->keys != NULL;
	}
	k->renewer = s3_renewer_start(&setup, err);
	return k->renewer != NULL;
}

/* Takes `source` over, also when it fails. */
static struct s3_keyring *
keyring_new(struct s3_source *source, int64_t (*now_s)(void), struct error *err)
{
	struct s3_keyring *k = mem_zalloc(sizeof *k);

	if (k == NULL) {
		s3_source_free(source);
		error_nomem(err);
		return NULL;
	}
	refcount_init(&k->refs);
	k->source = *source;
	k->now_s = now_s != NULL ? now_s : system_s;
	must(pthread_mutex_init(&k->lock, NULL) == 0);
	if (begin(k, err))
		return k;
	keyring_free(k);
	return NULL;
}

static bool
find_source(const struct s3_keyring_setup *setup, struct s3_source *source, struct error *err)
{
	struct s3_environment own;
	const struct s3_environment *environment = setup->environment;
	struct s3_files files = { 0 };
	bool ok;

	if (environment == NULL) {
		s3_environment_read(&own);
		environment = &own;
	}
	*source = (struct s3_source){ 0 };
	ok = (!s3_source_wants_files(setup->given, environment) || s3_files_read(environment, &files, err)) &&
		s3_source_decide(setup, environment, &files, source, err);
	s3_files_free(&files);
	return ok;
}

struct s3_keyring *
s3_keyring_open(
	const struct s3_keyring_setup *setup, struct s3_keyring *const *others, size_t n_others, struct error *err)
{
	struct s3_source source;

	if (!find_source(setup, &source, err)) {
		s3_source_free(&source);
		return NULL;
	}
	for (size_t i = 0; i < n_others; i++) {
		if (others[i] == NULL || !s3_source_equal(&others[i]->source, &source))
			continue;
		s3_source_free(&source);
		refcount_acquire(&others[i]->refs);
		return others[i];
	}
	return keyring_new(&source, setup->now_s, err);
}

bool
s3_keyring_look(const struct s3_keyring_setup *setup, struct buf *words, struct error *err)
{
	struct s3_source source;
	bool ok = find_source(setup, &source, err);

	if (ok)
		buf_add_text(words, source.text[S3_SOURCE_WORDS]);
	s3_source_free(&source);
	return ok;
}

void
s3_keyring_close(struct s3_keyring *k)
{
	if (k != NULL && refcount_release(&k->refs))
		keyring_free(k);
}

/* -- what others ask ---------------------------------------------------------------------------------- */

struct s3_keys *
s3_keyring_take(struct s3_keyring *k, struct error *err)
{
	struct s3_keys *keys;
	bool has_failed;

	pthread_mutex_lock(&k->lock);
	has_failed = k->why[0] != '\0';
	keys = k->keys != NULL ? s3_keys_acquire(k->keys) : NULL;
	pthread_mutex_unlock(&k->lock);
	if (keys != NULL && keys->expires_s > k->now_s())
		return keys;
	if (keys == NULL && !has_failed)
		error_set(err, ERR_BUSY, "the keys for this store are still being fetched");
	else
		error_set(err, ERR_UPSTREAM, "the keys for this store could not be %s",
			keys == NULL ? "fetched" : "renewed, and have expired");
	s3_keys_release(keys);
	return NULL;
}

void
s3_keyring_renew(struct s3_keyring *k, const struct s3_keys *keys)
{
	bool is_at_hand;

	if (k->renewer == NULL || keys->obtained_s + FRESH_S > k->now_s())
		return;
	pthread_mutex_lock(&k->lock);
	is_at_hand = k->keys == keys;
	pthread_mutex_unlock(&k->lock);
	if (is_at_hand)
		s3_renewer_ask(k->renewer);
}

bool
s3_keyring_is_good(struct s3_keyring *k, struct buf *why)
{
	bool good, is_empty;
	char text[sizeof k->why];
	int64_t left_s;

	pthread_mutex_lock(&k->lock);
	is_empty = k->keys == NULL;
	left_s = is_empty ? 0 : k->keys->expires_s - k->now_s();
	memcpy(text, k->why, sizeof text);
	pthread_mutex_unlock(&k->lock);
	good = !is_empty && left_s > (text[0] != '\0' ? NEARLY_S : 0);
	if (!good && why != NULL)
		buf_addf(why, "%s: %s%s%s", k->source.text[S3_SOURCE_WORDS],
			is_empty ? "no keys yet" : "its keys expire, and cannot be renewed",
			text[0] != '\0' ? ": " : "", text);
	return good;
}

int64_t
s3_keyring_left_s(struct s3_keyring *k)
{
	int64_t expires_s, now_s = k->now_s();

	pthread_mutex_lock(&k->lock);
	expires_s = k->keys != NULL ? k->keys->expires_s : 0;
	pthread_mutex_unlock(&k->lock);
	if (expires_s == S3_KEYS_NEVER_EXPIRE)
		return expires_s;
	return expires_s > now_s ? expires_s - now_s : 0;
}

const char *
s3_keyring_source(const struct s3_keyring *k)
{
	return k->source.text[S3_SOURCE_WORDS];
}
