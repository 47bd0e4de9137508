// SPDX-License-Identifier: MIT
/* test_s3_fetch.c - what a container, an instance and STS are asked for keys, and what comes of answers that have none. */
#include "lib/keyrings.h"

/* -- what is asked, and what is answered -------------------------------------------------------------- */

static void
a_container_is_asked_with_the_token_of_the_file(void **state)
{
	struct s3_keyring *ring;
	struct s3_keys *keys;

	(void)state;
	set_url(S3_AWS_CONTAINER_FULL_URI, "/creds?a=b");
	environment.value[S3_AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE] = token_file;
	environment.value[S3_AWS_CONTAINER_AUTHORIZATION_TOKEN] = "not this one";
	write_token("Bearer one\r\n");
	ring = open_ring();
	UNTIL(has_keys(ring));
	assert_true(key_giver_was_asked(0, "GET /creds?a=b HTTP/1.1\r\n"));
	assert_true(key_giver_was_asked(0, "\r\nAuthorization: Bearer one\r\n"));
	keys = take(ring);
	assert_string_equal(keys->access, "A1");
	assert_string_equal(keys->secret, "S1");
	assert_string_equal(keys->token, "T1");
	assert_true(keys->expires_s - keys->obtained_s > 3590 && keys->expires_s - keys->obtained_s < 3610);
	assert_true(s3_keyring_is_good(ring, NULL));
	/* a token that was renewed is read again, but nothing is asked for instead of keys that are new */
	s3_keyring_renew(ring, keys);
	write_token("Bearer two");
	key_giver_put_forward(60);
	s3_keyring_renew(ring, keys);
	UNTIL(key_giver_keys() == 2);
	assert_true(key_giver_was_asked(1, "\r\nAuthorization: Bearer two\r\n"));
	assert_string_equal(keys->access, "A1"); /* whoever holds keys goes on with them */
	s3_keys_release(keys);
	s3_keyring_close(ring);
}

static void
a_container_may_want_no_token_and_give_keys_for_ever(void **state)
{
	struct s3_keyring *ring;
	struct s3_keys *keys;

	(void)state;
	set_url(S3_AWS_CONTAINER_FULL_URI, "/creds");
	MANNER(expires_in_s = 0);
	ring = open_ring();
	UNTIL(has_keys(ring));
	assert_false(key_giver_was_asked(0, "Authorization:"));
	key_giver_put_forward(1000000);
	keys = take(ring);
	assert_non_null(keys);
	assert_true(keys->expires_s == S3_KEYS_NEVER_EXPIRE);
	s3_keys_release(keys);
	s3_keyring_close(ring);
}

static void
an_instance_is_asked_for_a_token_a_role_and_keys(void **state)
{
	struct s3_keyring *ring;

	(void)state;
	set_url(S3_AWS_EC2_METADATA_SERVICE_ENDPOINT, "/");
	ring = open_ring();
	UNTIL(has_keys(ring));
	assert_int_equal(key_giver_requests(), 3);
	assert_true(key_giver_was_asked(0, "PUT /latest/api/token HTTP/1.1\r\n"));
	assert_true(key_giver_was_asked(0, "\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
	assert_true(key_giver_was_asked(1, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n"));
	assert_true(key_giver_was_asked(1, "\r\nX-aws-ec2-metadata-token: dG9rZW4=\r\n"));
	assert_true(key_giver_was_asked(
		2, "GET /latest/meta-data/iam/security-credentials/penstock%40role HTTP/1.1\r\n"));
	assert_true(key_giver_was_asked(2, "\r\nX-aws-ec2-metadata-token: dG9rZW4=\r\n"));
	s3_keyring_close(ring);
}

static void
sts_is_asked_with_a_form(void **state)
{
	struct s3_keyring *ring;
	struct s3_keys *keys;

	(void)state;
	set_url(S3_AWS_ENDPOINT_URL_STS, "");
	environment.value[S3_AWS_WEB_IDENTITY_TOKEN_FILE] = token_file;
	environment.value[S3_AWS_ROLE_ARN] = "arn:aws:iam::1:role/a b&c";
	write_token("ey.J+/=\n");
	ring = open_ring();
	assert_string_equal(s3_keyring_source(ring), "the web identity of the environment");
	UNTIL(has_keys(ring));
	assert_true(key_giver_was_asked(0, "POST / HTTP/1.1\r\n"));
	assert_true(key_giver_was_asked(0, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
	assert_true(key_giver_was_asked(0,
		"\r\n\r\nAction=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b%26c"
		"&RoleSessionName=penstock&WebIdentityToken=ey.J%2B%2F%3D"));
	keys = take(ring);
	assert_string_equal(keys->secret, "S1");
	assert_string_equal(keys->token, "T1");
	s3_keys_release(keys);
	s3_keyring_close(ring);
}

/* -- what goes wrong ---------------------------------------------------------------------------------- */

static void
what_an_instance_refuses_is_told_and_tried_again(void **state)
{
	static const struct {
		unsigned token, role, keys;
		const char *names, *why;
	} refusals[] = {
		{ 404, 200, 200, "r",
			"the instance's metadata: no keys yet: it has no version 2: it answers 404 when asked" },
		{ 403, 200, 200, "r", "it has no version 2: it answers 403 when asked for a token" },
		{ 200, 404, 200, "r", "the instance has no role" },
		{ 200, 401, 200, "r", "it answers 401" },
		{ 200, 200, 200, "\n", "it names a role that is none" },
		{ 200, 200, 404, "r", "it answers 404" },
	};

	(void)state;
	set_url(S3_AWS_EC2_METADATA_SERVICE_ENDPOINT, "");
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		struct s3_keyring *ring;

		set_status(refusals[i].token, refusals[i].role, refusals[i].keys);
		MANNER(role = refusals[i].names);
		ring = open_ring();
		UNTIL(is_bad_because(ring, refusals[i].why));
		assert_false(has_keys(ring));
		if (i == 0) { /* one of them until it goes well again */
			set_status(200, 200, 200);
			UNTIL(has_keys(ring));
			assert_true(s3_keyring_is_good(ring, NULL));
		}
		s3_keyring_close(ring);
	}
}

static void
what_sts_refuses_is_told_without_its_secrets(void **state)
{
	struct s3_keyring *ring;

	(void)state;
	set_url(S3_AWS_ENDPOINT_URL_STS, "/");
	environment.value[S3_AWS_WEB_IDENTITY_TOKEN_FILE] = token_file;
	environment.value[S3_AWS_ROLE_ARN] = "r";
	MANNER(refusal =
			"<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
			"<Code>InvalidIdentityToken</Code><Message>ey.secret is none</Message></Error></ErrorResponse>");
	set_status(200, 200, 400);
	write_token("ey.secret");
	ring = open_ring();
	UNTIL(is_bad_because(ring, "it answers 400 (InvalidIdentityToken)"));
	assert_false(is_bad_because(ring, "secret"));
	assert_int_equal(times_logged("secret"), 0);
	s3_keyring_close(ring);
	/* a file that is not there (yet) is told likewise, and keys come as soon as it is */
	unlink(token_file);
	set_status(200, 200, 200);
	ring = open_ring();
	UNTIL(is_bad_because(ring, "the file with its token: "));
	write_token("");
	UNTIL(is_bad_because(ring, "the file with its token is empty"));
	write_token("ey.new");
	UNTIL(has_keys(ring));
	s3_keyring_close(ring);
}

static void
who_is_not_there_is_told(void **state)
{
	struct s3_keyring *ring;

	(void)state;
	set_url(S3_AWS_CONTAINER_FULL_URI, "/creds");
	key_giver_stop();
	ring = open_ring();
	UNTIL(is_bad_because(ring, "the container's endpoint: no keys yet: it refused the connection"));
	s3_keyring_close(ring);
}

static void
an_answer_may_be_senseless_or_too_long(void **state)
{
	struct s3_keyring *ring;
	struct buf body = { 0 };

	(void)state;
	for (unsigned i = 0; i < 70000; i++)
		buf_add_char(&body, 'x');
	set_url(S3_AWS_EC2_METADATA_SERVICE_ENDPOINT, "");
	MANNER(role = body.data);
	ring = open_ring();
	UNTIL(is_bad_because(ring, "its answer is too long"));
	s3_keyring_close(ring);
	MANNER(expires_in_s = -1);
	MANNER(role = "r");
	ring = open_ring();
	UNTIL(is_bad_because(ring, "it gives keys that have expired by this machine's clock"));
	s3_keyring_close(ring);
	buf_free(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KEYRING_TEST(a_container_is_asked_with_the_token_of_the_file),
		KEYRING_TEST(a_container_may_want_no_token_and_give_keys_for_ever),
		KEYRING_TEST(an_instance_is_asked_for_a_token_a_role_and_keys),
		KEYRING_TEST(sts_is_asked_with_a_form),
		KEYRING_TEST(what_an_instance_refuses_is_told_and_tried_again),
		KEYRING_TEST(what_sts_refuses_is_told_without_its_secrets),
		KEYRING_TEST(who_is_not_there_is_told),
		KEYRING_TEST(an_answer_may_be_senseless_or_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
