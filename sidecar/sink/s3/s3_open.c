// SPDX-License-Identifier: MIT
/* s3_open.c - see s3_open.h. Destinations that have their keys from the same source share them, also with those of the table
 * before: a reload does not have to fetch them anew. */
#include "sink/s3/s3_open.h"

#include "base/mem.h"
#include "sink/s3/credentials.h"
#include "sink/s3/settings.h"
#include "sink/sink.h"

#include <string.h>

extern const struct sink s3_sink;

struct s3_opened {
	size_t n;
	struct s3_keyring *keyrings[]; /* by the destination's index; NULL: of another kind */
};

static const struct s3_credentials *
given(const struct s3_settings *s3)
{
	const struct s3_credentials *keys = &s3->credentials;

	return keys->access_key != NULL || keys->profile != NULL ? keys : NULL;
}

/* Those of `before`, and those that are open already. False: out of memory. */
static bool
open_one(struct s3_opened *opened, size_t at, const struct destination *d, const struct s3_opened *before,
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

void *
s3_open(const struct config *config, const void *before, struct state *state, struct error *err)
{
	size_t n = config->n_destinations;
	struct s3_opened *opened = mem_zalloc(sizeof *opened + n * sizeof opened->keyrings[0]);

	(void)state;
	if (opened == NULL) {
		error_nomem(err);
		return NULL;
	}
	opened->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct destination *d = &config->destinations[i];

		if (sink_of(d) != &s3_sink || open_one(opened, i, d, before, err))
			continue;
		s3_close(opened);
		return NULL;
	}
	return opened;
}

void
s3_close(void *arg)
{
	struct s3_opened *opened = arg;

	for (size_t i = 0; i < opened->n; i++)
		s3_keyring_close(opened->keyrings[i]);
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

struct s3_keyring *
s3_open_keyring(const struct table *table, const struct destination *to)
{
	const struct s3_opened *opened = sink_opened(table, &s3_sink);

	return opened->keyrings[to - table->config->destinations];
}
