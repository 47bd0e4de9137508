// SPDX-License-Identifier: MIT
/* test_s3_keyring.c - that keys are renewed before they expire, what a failure to do so means, and who shares a keyring. The clock
 * can be put forward; where something has to happen on the keyring's thread, the test waits until it has. */
#include "base/counter.h"
#include "base/mem.h"
#include "lib/keyrings.h"

#include <pthread.h>

/* -- renewal ------------------------------------------------------------------------------------------ */

static void
keys_are_renewed_before_they_expire(void **state)
{
	struct s3_keyring *ring;
	struct s3_keys *first, *next;

	(void)state;
	set_url(S3_AWS_CONTAINER_FULL_URI, "/creds");
	MANNER(expires_in_s = 2); /* by the real clock: nobody asks for the next ones here */
	ring = open_ring();
	UNTIL(has_keys(ring));
	first = take(ring);
	assert_non_null(first);
	MANNER(expires_in_s = 3600);
	UNTIL(key_giver_keys() >= 2 && has_keys(ring));
	UNTIL(s3_keyring_is_good(ring, NULL));
	next = take(ring);
	assert_non_null(next);
	assert_string_not_equal(next->access, "");
	s3_keys_release(first);
	s3_keys_release(next);
	s3_keyring_close(ring);
	assert_int_equal(times_logged("there are keys for S3"), 1); /* a renewal is no news */
}

/* A failure is a warning; the keys at hand are used until they expire, and then /readyz says no. */
static void
keys_that_cannot_be_renewed_are_used_until_they_expire(void **state)
{
	struct s3_keyring *ring;
	struct s3_keys *keys;
	struct error err = { 0 };

	(void)state;
	set_url(S3_AWS_CONTAINER_FULL_URI, "/creds");
	ring = open_ring();
	UNTIL(has_keys(ring));
	keys = take(ring);
	set_status(500, 500, 500);
	key_giver_put_forward(20);
	s3_keyring_renew(ring, keys);
	UNTIL(times_logged("there are no new keys for S3") == 1);
	assert_true(has_keys(ring));
	assert_true(s3_keyring_is_good(ring, NULL));
	key_giver_put_forward(3530);
	assert_true(has_keys(ring));
	assert_true(is_bad_because(
		ring, "the container's endpoint: its keys expire, and cannot be renewed: it answers 500"));
	key_giver_put_forward(60);
	assert_null(s3_keyring_take(ring, &err));
	assert_int_equal(err.kind, ERR_UPSTREAM);
	assert_null(strstr(err.message, "500"));
	UNTIL(key_giver_requests() >= 3); /* it is tried again, and said once */
	assert_int_equal(times_logged("there are no new keys for S3"), 1);
	set_status(200, 200, 200);
	UNTIL(has_keys(ring));
	assert_true(s3_keyring_is_good(ring, NULL));
	assert_int_equal(times_logged("there are keys for S3"), 2);
	s3_keyring_renew(ring, keys); /* they are not those at hand any more */
	s3_keys_release(keys);
	s3_keyring_close(ring);
}

static void
keys_that_are_being_fetched_make_nobody_wait(void **state)
{
	struct s3_keyring *ring;
	struct error err = { 0 };

	(void)state;
	set_url(S3_AWS_CONTAINER_FULL_URI, "/creds");
	MANNER(is_mute = true);
	ring = open_ring();
	UNTIL(key_giver_requests() == 1);
	assert_null(s3_keyring_take(ring, &err));
	assert_int_equal(err.kind, ERR_BUSY);
	assert_true(is_bad_because(ring, "the container's endpoint: no keys yet"));
	s3_keyring_close(ring); /* in the middle of it */
}

/* Many take while others come. */
static struct counter is_over;

static void *
take_all_the_time(void *arg)
{
	struct s3_keyring *ring = arg;

	while (counter_read(&is_over) == 0) {
		struct error err = { 0 };
		struct s3_keys *keys = s3_keyring_take(ring, &err);

		if (keys == NULL || strcmp(keys->access + 1, keys->secret + 1) != 0 ||
			strcmp(keys->access + 1, keys->token + 1) != 0)
			return keys;
		s3_keyring_is_good(ring, NULL);
		s3_keys_release(keys);
	}
	return arg;
}

static void
keys_are_taken_by_many_while_they_are_renewed(void **state)
{
	pthread_t threads[3];
	struct s3_keyring *ring;
	void *result;

	(void)state;
	counter_set(&is_over, 0);
	set_url(S3_AWS_CONTAINER_FULL_URI, "/creds");
	ring = open_ring();
	UNTIL(has_keys(ring));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_all_the_time, ring), 0);
	for (size_t i = 2; i < 30; i++) {
		struct s3_keys *keys;
		char want[8];
		bool is_there = false;

		snprintf(want, sizeof want, "A%zu", i);
		keys = take(ring);
		key_giver_put_forward(20);
		s3_keyring_renew(ring, keys);
		s3_keys_release(keys);
		UNTIL((keys = take(ring), is_there = strcmp(keys->access, want) == 0, s3_keys_release(keys),
			is_there));
	}
	counter_set(&is_over, 1);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, ring);
	}
	s3_keyring_close(ring);
}

/* -- who shares one ----------------------------------------------------------------------------------- */

static void
the_same_source_is_one_keyring(void **state)
{
	struct s3_keyring_setup setup = { .environment = &environment, .now_s = key_giver_now_s };
	struct s3_keyring *ring, *others[3] = { NULL };
	struct error err = { 0 };

	(void)state;
	set_url(S3_AWS_CONTAINER_FULL_URI, "/creds");
	ring = open_ring();
	UNTIL(has_keys(ring));
	environment.value[S3_AWS_ACCESS_KEY_ID] = "A";
	environment.value[S3_AWS_SECRET_ACCESS_KEY] = "S";
	others[0] = s3_keyring_open(&setup, &ring, 1, &err);
	assert_non_null(others[0]);
	assert_ptr_not_equal(others[0], ring);
	environment.value[S3_AWS_ACCESS_KEY_ID] = NULL;
	environment.value[S3_AWS_SECRET_ACCESS_KEY] = NULL;
	others[2] = ring;
	assert_ptr_equal(s3_keyring_open(&setup, others, 3, &err), ring);
	s3_keyring_close(others[0]);
	s3_keyring_close(ring); /* as a reload: the table before is let go of, and its keys go on */
	assert_true(has_keys(ring));
	assert_int_equal(key_giver_keys(), 1);
	s3_keyring_close(ring);
	s3_keyring_close(NULL);
}

static void
static_keys_need_no_thread(void **state)
{
	struct s3_keyring *ring;
	struct s3_keys *keys;

	(void)state;
	environment.value[S3_AWS_ACCESS_KEY_ID] = "A";
	environment.value[S3_AWS_SECRET_ACCESS_KEY] = "S";
	ring = open_ring();
	keys = take(ring);
	assert_string_equal(keys->access, "A");
	assert_null(keys->token);
	key_giver_put_forward(1000);
	s3_keyring_renew(ring, keys);
	assert_true(s3_keyring_is_good(ring, NULL));
	assert_string_equal(s3_keyring_source(ring), "the environment");
	s3_keyring_close(ring);
	assert_string_equal(keys->secret, "S"); /* it outlives its keyring */
	s3_keys_release(keys);
}

static void
a_keyring_that_cannot_be_opened_says_why(void **state)
{
	struct s3_keyring_setup setup = { .environment = &environment, .now_s = key_giver_now_s };
	struct s3_keyring *ring;
	struct error err = { 0 }, same = { 0 };
	struct buf source = { 0 };

	(void)state;
	environment.value[S3_AWS_ACCESS_KEY_ID] = "A";
	assert_null(s3_keyring_open(&setup, NULL, 0, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.message, "the environment: there is an access key without its secret");
	assert_false(s3_keyring_look(&setup, &source, &same));
	assert_string_equal(same.message, err.message);
	assert_int_equal(source.len, 0);
	environment.value[S3_AWS_SECRET_ACCESS_KEY] = "S";
	assert_true(s3_keyring_look(&setup, &source, &err));
	assert_string_equal(source.data, "the environment");
	buf_free(&source);
	/* no memory, at each place: for static keys, and for such as need a thread */
	for (unsigned with_thread = 0; with_thread < 2; with_thread++) {
		ring = NULL;
		for (size_t n = 1; ring == NULL; n++) {
			err = (struct error){ 0 };
			mem_fail(n, 1);
			ring = s3_keyring_open(&setup, NULL, 0, &err);
			mem_fail(0, 0);
			assert_true(ring != NULL || err.kind == ERR_NOMEM);
		}
		s3_keyring_close(ring);
		environment.value[S3_AWS_ACCESS_KEY_ID] = NULL;
		environment.value[S3_AWS_SECRET_ACCESS_KEY] = NULL;
		set_url(S3_AWS_CONTAINER_FULL_URI, "/creds");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KEYRING_TEST(keys_are_renewed_before_they_expire),
		KEYRING_TEST(keys_that_cannot_be_renewed_are_used_until_they_expire),
		KEYRING_TEST(keys_that_are_being_fetched_make_nobody_wait),
		KEYRING_TEST(keys_are_taken_by_many_while_they_are_renewed),
		KEYRING_TEST(the_same_source_is_one_keyring),
		KEYRING_TEST(static_keys_need_no_thread),
		KEYRING_TEST(a_keyring_that_cannot_be_opened_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
