// SPDX-License-Identifier: MIT
/* keyrings.h - what the tests of keyrings share: one that asks key_giver.h, waiting for what its thread does, and the log. */
#ifndef PENSTOCK_TEST_KEYRINGS_H
#define PENSTOCK_TEST_KEYRINGS_H

#include "base/log.h"
#include "lib/check.h"
#include "lib/key_giver.h"
#include "sink/s3/credentials.h"
#include "sink/s3/credentials_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_S 60 /* for a machine that has other things to do */

#define UNTIL(condition)                                                                                           \
	do {                                                                                                       \
		time_t begun = time(NULL);                                                                         \
		while (!(condition)) {                                                                             \
			assert_true(time(NULL) - begun < LONGEST_S);                                               \
			usleep(1000);                                                                              \
		}                                                                                                  \
	} while (0)

static struct s3_environment environment;
static char token_file[64], url[128];
static int log_fd = -1;

static inline struct s3_keyring *
open_ring(void)
{
	struct s3_keyring_setup setup = {
		.region = "us-east-1", .environment = &environment, .now_s = key_giver_now_s
	};
	struct error err = { 0 };
	struct s3_keyring *ring = s3_keyring_open(&setup, NULL, 0, &err);

	if (ring == NULL)
		print_message("%s\n", err.message);
	assert_non_null(ring);
	return ring;
}

static inline struct s3_keys *
take(struct s3_keyring *ring)
{
	struct error err = { 0 };
	struct s3_keys *keys = s3_keyring_take(ring, &err);

	assert_int_equal(keys == NULL, err.kind != ERR_NONE);
	return keys;
}

static inline bool
has_keys(struct s3_keyring *ring)
{
	struct s3_keys *keys = take(ring);

	s3_keys_release(keys);
	return keys != NULL;
}

/* Does /readyz say no for this reason? */
static inline bool
is_bad_because(struct s3_keyring *ring, const char *reason)
{
	struct buf why = { 0 };
	bool is_good = s3_keyring_is_good(ring, &why);
	bool is_it = !is_good && why.data != NULL && strstr(why.data, reason) != NULL;

	buf_free(&why);
	return is_it;
}

static inline unsigned
times_logged(const char *text)
{
	static char log[65536];
	ssize_t len = pread(log_fd, log, sizeof log - 1, 0);
	unsigned n = 0;

	assert_true(len >= 0);
	log[len] = '\0';
	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static inline void
write_token(const char *text)
{
	FILE *file = fopen(token_file, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline void
set_url(enum s3_variable variable, const char *path)
{
	snprintf(url, sizeof url, "%s%s", key_giver_url(), path);
	environment.value[variable] = url;
}

/* Changes one thing of how the keys are given: MANNER(expires_in_s = 2). */
#define MANNER(change)                                                                                             \
	do {                                                                                                       \
		struct key_manner manner = key_giver_manner();                                                     \
		manner.change;                                                                                     \
		key_giver_set(manner);                                                                             \
	} while (0)

static inline void
set_status(unsigned token, unsigned role, unsigned keys)
{
	struct key_manner manner = key_giver_manner();

	manner.token_status = token;
	manner.role_status = role;
	manner.keys_status = keys;
	key_giver_set(manner);
}

/* An empty log, and an empty file for a token. */
static inline int
keyrings_set_up(void **state)
{
	int fd;

	(void)state;
	if (log_fd < 0) {
		log_fd = memfd_create("log", MFD_CLOEXEC);
		log_to(log_fd);
	}
	snprintf(token_file, sizeof token_file, "/tmp/penstock-s3-token-XXXXXX");
	fd = mkstemp(token_file);
	if (fd < 0 || close(fd) != 0)
		return -1;
	environment = (struct s3_environment){ 0 };
	return !key_giver_start() || ftruncate(log_fd, 0) != 0 || lseek(log_fd, 0, SEEK_SET) != 0;
}

static inline int
keyrings_tear_down(void **state)
{
	(void)state;
	key_giver_stop();
	unlink(token_file);
	return 0;
}

#define KEYRING_TEST(name) cmocka_unit_test_setup_teardown(name, keyrings_set_up, keyrings_tear_down)

#endif
