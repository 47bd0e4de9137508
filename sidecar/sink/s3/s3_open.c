// SPDX-License-Identifier: MIT
/* s3_open.c - see s3_open.h. Destinations whose keys are from the same source share them, also with those of the table before, so a
 * reload does not have to fetch them anew. The counts of a destination go on under its name. */
#include "sink/s3/s3_open.h"

#include "base/mem.h"
#include "base/metrics.h"
#include "sink/s3/counts.h"
#include "sink/s3/credentials.h"
#include "sink/s3/settings.h"
#include "sink/sink.h"

#include <string.h>

extern const struct sink s3_sink;

struct s3_opened {
	struct state *state; /* NULL: there is none */
	size_t n;
	/* both by the destination's index; NULL: that is of another kind */
	struct s3_keyring **keyrings;
	struct s3_counts **counts;
};

static const struct s3_credentials *
given(const struct s3_settings *s3)
{
	const struct s3_credentials *keys = &s3->credentials;

	return keys->access_key != NULL || keys->profile != NULL ? keys : NULL;
}

/* Gathers the keyrings of `before`, and those that are open already. False: out of memory. */
static bool
open_keyring(struct s3_opened *opened, size_t at, const struct destination *d, const struct s3_opened *before,
	struct error *err)
{
	struct s3_keyring_setup setup = { .given = given(s3_settings(d)), .region = s3_settings(d)->region };
	size_t n_before = before != NULL ? before->n : 0;
	struct s3_keyring **others = mem_array(n_before + at + 1, sizeof *others);

	if (others == NULL)
		return error_nomem(err);
	if (n_before > 0)
		memcpy(others, before->keyrings, n_before * sizeof *others);
	memcpy(others + n_before, opened->keyrings, at * sizeof *others);
	opened->keyrings[at] = s3_keyring_open(&setup, others, n_before + at, err);
	mem_free(others);
	return opened->keyrings[at] != NULL || error_wrap(err, "destination \"%s\"", d->name);
}

static bool
open_counts(struct s3_opened *opened, size_t at, const char *destination, const struct s3_opened *before,
	struct error *err)
{
	for (size_t i = 0; before != NULL && i < before->n; i++)
		if (before->counts[i] != NULL && s3_counts_are_of(before->counts[i], destination)) {
			opened->counts[at] = s3_counts_acquire(before->counts[i]);
			return true;
		}
	opened->counts[at] = s3_counts_new(destination);
	return opened->counts[at] != NULL ? true : error_nomem(err);
}

static bool
open_all(struct s3_opened *opened, const struct config *config, const void *before, struct error *err)
{
	for (size_t i = 0; i < opened->n; i++) {
		const struct destination *d = &config->destinations[i];

		if (d->kind == &s3_kind &&
			(!open_keyring(opened, i, d, before, err) || !open_counts(opened, i, d->name, before, err)))
			return false;
	}
	return true;
}

static struct s3_opened *
opened_new(size_t n)
{
	struct s3_opened *opened = mem_zalloc(sizeof *opened);

	if (opened == NULL)
		return NULL;
	opened->keyrings = mem_array(n, sizeof(struct s3_keyring *));
	opened->counts = mem_array(n, sizeof(struct s3_counts *));
	if (opened->keyrings != NULL && opened->counts != NULL) {
		opened->n = n;
		return opened;
	}
	mem_free(opened->keyrings);
	mem_free(opened->counts);
	mem_free(opened);
	return NULL;
}

void *
s3_open(const struct config *config, const void *before, struct state *state, struct error *err)
{
	struct s3_opened *opened = opened_new(config->n_destinations);

	if (opened == NULL) {
		error_nomem(err);
		return NULL;
	}
	opened->state = state;
	if (open_all(opened, config, before, err))
		return opened;
	s3_close(opened);
	return NULL;
}

void
s3_close(void *arg)
{
	struct s3_opened *opened = arg;

	for (size_t i = 0; i < opened->n; i++) {
		s3_keyring_close(opened->keyrings[i]);
		s3_counts_release(opened->counts[i]);
	}
	mem_free(opened->keyrings);
	mem_free(opened->counts);
	mem_free(opened);
}

bool
s3_is_good(const void *arg, const struct config *config, struct buf *why)
{
	const struct s3_opened *opened = arg;
	bool good = true;

	for (size_t i = 0; i < opened->n; i++) {
		struct buf sentence = { 0 };

		if (opened->keyrings[i] != NULL && !s3_keyring_is_good(opened->keyrings[i], &sentence)) {
			buf_addf(why, "destination \"%s\": %.*s\n", config->destinations[i].name,
				STR_ARG(buf_str(&sentence)));
			good = false;
		}
		buf_free(&sentence);
	}
	return good;
}

/* -- what is counted ------------------------------------------------------------------------------------ */

static void
write_expiry(const struct s3_opened *opened, const struct config *config, struct buf *out)
{
	static const char name[] = "penstock_s3_credentials_left_seconds";

	metrics_write_head(out, name, "gauge",
		"Until the keys of a bucket expire (0: they have, or there are none yet); those that do.");
	for (size_t i = 0; i < opened->n; i++) {
		int64_t left_s = opened->keyrings[i] != NULL ? s3_keyring_left_s(opened->keyrings[i])
							     : S3_KEYS_NEVER_EXPIRE;

		if (left_s != S3_KEYS_NEVER_EXPIRE)
			metrics_write_sample(
				out, name, "destination", config->destinations[i].name, (uint64_t)left_s);
	}
}

void
s3_metrics(const void *arg, const struct config *config, struct buf *out)
{
	const struct s3_opened *opened = arg;

	s3_counts_write(opened->counts, opened->n, out);
	write_expiry(opened, config, out);
}

struct s3_counts *
s3_open_counts(const struct table *table, const struct destination *to)
{
	const struct s3_opened *opened = sink_opened(table, &s3_kind);

	return opened->counts[to - table->config->destinations];
}

struct s3_keyring *
s3_open_keyring(const struct table *table, const struct destination *to)
{
	const struct s3_opened *opened = sink_opened(table, &s3_kind);

	return opened->keyrings[to - table->config->destinations];
}

struct state *
s3_open_state(const struct table *table)
{
	return ((const struct s3_opened *)sink_opened(table, &s3_kind))->state;
}
