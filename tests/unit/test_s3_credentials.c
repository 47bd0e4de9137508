// SPDX-License-Identifier: MIT
/* test_s3_credentials.c - what is pure of S3's credentials: which source is the first, addresses, the
 * answers in which keys come, and when they are fetched anew. */
#include "base/mem.h"
#include "lib/check.h"
#include "sink/s3/credentials_answer.h"
#include "sink/s3/credentials_renewer.h"
#include "sink/s3/credentials_source.h"
#include "sink/s3/credentials_url.h"

#include <stdio.h>
#include <stdlib.h>

/* -- the chain ---------------------------------------------------------------------------------------- */

struct row {
	struct s3_credentials given;
	struct s3_environment environment;
	const char *credentials, *config; /* the files */
	const char *want;                 /* as tell() has it, or the error */
};

#define VAR(name, text) .environment.value[S3_##name] = (text)

/* "kind: words | access secret token | base target | role session-name | token-file | authorization", without what is not there. */
static void
tell(const struct s3_source *source, struct buf *out)
{
	static const char *const kinds[] = { [S3_SOURCE_STATIC] = "static",
		[S3_SOURCE_WEB_IDENTITY] = "web",
		[S3_SOURCE_CONTAINER] = "container",
		[S3_SOURCE_INSTANCE] = "instance" };

	buf_add_text(out, kinds[source->kind]);
	for (size_t i = 0; i < S3_SOURCE_TEXTS; i++)
		if (source->text[i] != NULL)
			buf_addf(out, " | %s", source->text[i]);
}

static void
decide(const struct row *row, struct buf *out)
{
	struct s3_keyring_setup setup = { .given = &row->given, .region = "eu-central-1" };
	struct s3_files files = { 0 };
	struct s3_source source;
	struct error err = { 0 };

	buf_add_text(&files.credentials, row->credentials != NULL ? row->credentials : "");
	buf_add_text(&files.config, row->config != NULL ? row->config : "");
	if (s3_source_decide(&setup, &row->environment, &files, &source, &err))
		tell(&source, out);
	else
		buf_add_text(out, err.message);
	s3_source_free(&source);
	s3_files_free(&files);
}

static char access_key[] = "RA", secret_key[] = "RS", token[] = "RT", profile[] = "work", profile_b[] = "b";

static const struct row rows[] = {
	/* the route file is asked first, the environment next, and so on */
	{ .given = { access_key, secret_key, token, NULL },
		VAR(AWS_ACCESS_KEY_ID, "E"),
		.want = "static | the route file | RA | RS | RT" },
	{ .given = { access_key, secret_key, NULL, NULL }, .want = "static | the route file | RA | RS" },
	{ .given = { .profile = profile },
		VAR(AWS_ACCESS_KEY_ID, "E"),
		VAR(AWS_SECRET_ACCESS_KEY, "F"),
		.credentials = "[work]\naws_access_key_id=A\naws_secret_access_key=S\n",
		.want = "static | the profile \"work\" | A | S" },
	{ VAR(AWS_ACCESS_KEY_ID, "E"), VAR(AWS_SECRET_ACCESS_KEY, "F"), VAR(AWS_SESSION_TOKEN, "G"),
		VAR(AWS_WEB_IDENTITY_TOKEN_FILE, "/t"), .credentials = "[default]\naws_access_key_id=A\n",
		.want = "static | the environment | E | F | G" },
	{ VAR(AWS_ACCESS_KEY_ID, ""), VAR(AWS_SECRET_ACCESS_KEY, ""), VAR(AWS_WEB_IDENTITY_TOKEN_FILE, "/t"),
		VAR(AWS_ROLE_ARN, "arn:r"), VAR(AWS_ROLE_SESSION_NAME, "n"),
		.credentials = "[default]\naws_access_key_id=A\naws_secret_access_key=S\n",
		.want = "web | the web identity of the environment | https://sts.eu-central-1.amazonaws.com | / | arn:r | n | /t" },
	{ VAR(AWS_CONTAINER_RELATIVE_URI, "/c"),
		.credentials = "[default]\naws_access_key_id=A\naws_secret_access_key=S\n",
		.want = "static | the profile \"default\" | A | S" },
	{ VAR(AWS_CONTAINER_RELATIVE_URI, "/v2/c?x=y"), VAR(AWS_CONTAINER_FULL_URI, "http://127.0.0.1/"),
		.credentials = "[other]\naws_access_key_id=A\n",
		.want = "container | the container's endpoint | http://169.254.170.2 | /v2/c?x=y" },
	{ .want = "instance | the instance's metadata | http://169.254.169.254" },
	{ VAR(AWS_EC2_METADATA_DISABLED, "True"),
		.want = "there are no keys for S3: none in the route file, the environment and the shared files, no web identity, "
			"no container's endpoint, and the instance's metadata are not to be asked" },
	/* what is named and not whole is an error */
	{ VAR(AWS_ACCESS_KEY_ID, "E"), .want = "the environment: there is an access key without its secret" },
	{ VAR(AWS_SECRET_ACCESS_KEY, "E"), .want = "the environment: there is no access key" },
	{ VAR(AWS_ACCESS_KEY_ID, "E "), VAR(AWS_SECRET_ACCESS_KEY, "F"),
		.want = "the environment: the access key holds a byte that none may hold, or is too long" },
	{ VAR(AWS_ACCESS_KEY_ID, "E"), VAR(AWS_SECRET_ACCESS_KEY, "F\n"),
		.want = "the environment: the secret key holds a byte that none may hold, or is too long" },
	{ VAR(AWS_ACCESS_KEY_ID, "E"), VAR(AWS_SECRET_ACCESS_KEY, "F"), VAR(AWS_SESSION_TOKEN, "\xc3\xa9"),
		.want = "the environment: the session token holds a byte that none may hold, or is too long" },
	{ VAR(AWS_WEB_IDENTITY_TOKEN_FILE, "/t"),
		.want = "a web identity needs a role: AWS_ROLE_ARN, or role_arn of the profile" },
	{ VAR(AWS_PROFILE, "b"), .credentials = "[a]\n", .config = "[b]\n[profile a]\n",
		.want = "the profile \"b\" is in none of the shared files" },
	{ .given = { .profile = profile_b }, .want = "the profile \"b\" is in none of the shared files" },
	{ .given = { .profile = profile_b },
		.config = "[profile b]\nregion = x\n",
		.want = "the profile \"b\" has no keys" },
	{ .credentials = "[default\n",
		.want = "the shared file \"credentials\": line 1 is neither a section nor a setting" },
	{ .config = "[default]\n\nx\n",
		.want = "the shared file \"config\": line 3 is neither a section nor a setting" },
	{ .credentials = "[default]\naws_access_key_id = A\n",
		.want = "the profile \"default\": there is an access key without its secret" },
	{ .config = "[default]\ncredential_process = /bin/x\n",
		.want = "the profile \"default\" says credential_process, which penstock does not do" },
	{ .config = "[default]\nsso_session = x\nsso_account_id = 1\n",
		.want = "the profile \"default\" says sso_session, which penstock does not do" },
	{ .credentials = "[default]\naws_access_key_id=A\naws_secret_access_key=S\n",
		.config = "[default]\nrole_arn = r\nsource_profile = other\n",
		.want = "the profile \"default\" says source_profile, which penstock does not do" },
	/* a profile that says nothing of keys is no end */
	{ VAR(AWS_PROFILE, "b"), .config = "[profile b]\nregion = x\n",
		.want = "instance | the instance's metadata | http://169.254.169.254" },
	/* keys of `credentials` win, a web identity wins over keys */
	{ VAR(AWS_PROFILE, "b"), .credentials = "[b]\naws_access_key_id=A\naws_secret_access_key=S\n",
		.config = "[profile b]\naws_access_key_id=C\naws_secret_access_key=D\naws_session_token=T\n",
		.want = "static | the profile \"b\" | A | S" },
	{ VAR(AWS_PROFILE, "b"),
		.config = "[profile b]\naws_access_key_id=C\naws_secret_access_key=D\naws_session_token=T\n",
		.want = "static | the profile \"b\" | C | D | T" },
	{ VAR(AWS_PROFILE, "b"), VAR(AWS_ROLE_ARN, "other"), VAR(AWS_REGION, "cn-north-1"),
		.credentials = "[b]\naws_access_key_id=A\naws_secret_access_key=S\n",
		.config = "[profile b]\nrole_arn=r\nweb_identity_token_file=/w\n",
		.want = "web | the profile \"b\" | https://sts.cn-north-1.amazonaws.com.cn | / | r | penstock | /w" },
	/* where STS is */
	{ VAR(AWS_WEB_IDENTITY_TOKEN_FILE, "/t"), VAR(AWS_ROLE_ARN, "r"), VAR(AWS_ENDPOINT_URL, "http://s3"),
		VAR(AWS_ENDPOINT_URL_STS, "https://sts.example:8443/x"), VAR(AWS_CA_BUNDLE, "/ca.pem"),
		.want = "web | the web identity of the environment | https://sts.example:8443 | /x | r | penstock | /t | /ca.pem" },
	{ VAR(AWS_WEB_IDENTITY_TOKEN_FILE, "/t"), VAR(AWS_ROLE_ARN, "r"),
		VAR(AWS_ENDPOINT_URL, "http://minio:9000"),
		.want = "web | the web identity of the environment | http://minio:9000 | / | r | penstock | /t" },
	{ VAR(AWS_WEB_IDENTITY_TOKEN_FILE, "/t"), VAR(AWS_ROLE_ARN, "r"), VAR(AWS_REGION, "a.example.org/"),
		.want = "the region is none that has an STS; AWS_ENDPOINT_URL_STS says where to ask" },
	{ VAR(AWS_WEB_IDENTITY_TOKEN_FILE, "/t"), VAR(AWS_ROLE_ARN, "r"), VAR(AWS_ENDPOINT_URL_STS, "ftp://x"),
		.want = "the endpoint of STS in the environment is not an http or https URL" },
	/* containers */
	{ VAR(AWS_CONTAINER_RELATIVE_URI, ".evil.example/"),
		.want = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a \"/\"" },
	{ VAR(AWS_CONTAINER_FULL_URI, "http://169.254.170.23/v1/credentials"),
		VAR(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, "/var/t"),
		VAR(AWS_CONTAINER_AUTHORIZATION_TOKEN, "Basic x"),
		.want = "container | the container's endpoint | http://169.254.170.23 | /v1/credentials | /var/t | Basic x" },
	{ VAR(AWS_CONTAINER_FULL_URI, "https://keys.example.org"),
		.want = "container | the container's endpoint | https://keys.example.org | /" },
	{ VAR(AWS_CONTAINER_FULL_URI, "http://keys.example.org/"),
		.want = "AWS_CONTAINER_CREDENTIALS_FULL_URI: without https only this machine, or the fixed address of ECS or EKS, "
			"may be asked" },
	{ VAR(AWS_CONTAINER_FULL_URI, "http://127.0.0.1/"), VAR(AWS_CONTAINER_AUTHORIZATION_TOKEN, "a\nb"),
		.want = "AWS_CONTAINER_AUTHORIZATION_TOKEN holds a control byte" },
	/* instances */
	{ VAR(AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, "IPv6"),
		.want = "instance | the instance's metadata | http://[fd00:ec2::254]" },
	{ VAR(AWS_EC2_METADATA_SERVICE_ENDPOINT, "http://127.0.0.1:1338/p//"),
		VAR(AWS_EC2_METADATA_DISABLED, "false"),
		.want = "instance | the instance's metadata | http://127.0.0.1:1338/p" },
	{ VAR(AWS_EC2_METADATA_SERVICE_ENDPOINT, "169.254.169.254"),
		.want = "AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http or https URL without a query" },
};

static void
the_first_place_that_says_anything_is_the_source(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf got = { 0 };

		decide(&rows[i], &got);
		assert_string_equal(got.data, rows[i].want);
		buf_free(&got);
	}
}

static void
files_are_read_only_where_they_may_count(void **state)
{
	struct s3_credentials nothing = { 0 }, keys = { access_key, secret_key, NULL, NULL },
			      named = { .profile = profile };
	struct s3_environment none = { 0 }, with_keys = { 0 }, with_web = { 0 };

	(void)state;
	with_keys.value[S3_AWS_ACCESS_KEY_ID] = "A";
	with_web.value[S3_AWS_WEB_IDENTITY_TOKEN_FILE] = "/t";
	assert_true(s3_source_wants_files(NULL, &none));
	assert_true(s3_source_wants_files(&nothing, &none));
	assert_true(s3_source_wants_files(&named, &with_keys));
	assert_false(s3_source_wants_files(&keys, &none));
	assert_false(s3_source_wants_files(NULL, &with_keys));
	assert_false(s3_source_wants_files(NULL, &with_web));
}

static void
sources_are_equal_if_all_of_them_is(void **state)
{
	struct s3_source a = { 0 }, b = { 0 };
	char one[] = "1", same[] = "1", other[] = "2";

	(void)state;
	a.text[S3_SOURCE_ACCESS] = one;
	assert_false(s3_source_equal(&a, &b));
	b.text[S3_SOURCE_ACCESS] = other;
	assert_false(s3_source_equal(&a, &b));
	b.text[S3_SOURCE_ACCESS] = same;
	assert_true(s3_source_equal(&a, &b));
	b.kind = S3_SOURCE_INSTANCE;
	assert_false(s3_source_equal(&a, &b));
}

/* Each allocation of each row fails once: an error of memory and of nothing else, and nothing is lost (ASan). */
static void
no_memory_is_an_error_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf got = { 0 };

		for (size_t n = 1; got.len == 0 || strcmp(got.data, "out of memory") == 0; n++) {
			struct s3_keyring_setup setup = { .given = &rows[i].given, .region = "eu-central-1" };
			struct s3_files files = { 0 };
			struct s3_source source;
			struct error err = { 0 };
			bool ok;

			buf_clear(&got);
			buf_add_text(&files.credentials, rows[i].credentials != NULL ? rows[i].credentials : "");
			buf_add_text(&files.config, rows[i].config != NULL ? rows[i].config : "");
			mem_fail(n, 1);
			ok = s3_source_decide(&setup, &rows[i].environment, &files, &source, &err);
			mem_fail(0, 0);
			if (ok)
				tell(&source, &got);
			else
				buf_add_text(&got, err.message);
			s3_source_free(&source);
			s3_files_free(&files);
		}
		assert_string_equal(got.data, rows[i].want);
		buf_free(&got);
	}
}

/* -- addresses ---------------------------------------------------------------------------------------- */

static void
an_url_is_taken_apart(void **state)
{
	static const struct {
		const char *text, *base, *target;
		bool is_safe;
	} urls[] = {
		{ "http://127.0.0.1", "http://127.0.0.1", "", true },
		{ "HTTP://127.8.9.1:81/a/b?c=d", "HTTP://127.8.9.1:81", "/a/b?c=d", true },
		{ "http://localhost:1?x", "http://localhost:1", "?x", true },
		{ "http://[::1]:80/x", "http://[::1]:80", "/x", true },
		{ "http://[0:0:0:0:0:0:0:1]/", "http://[0:0:0:0:0:0:0:1]", "/", true },
		{ "http://[fd00:ec2::23]/v1", "http://[fd00:ec2::23]", "/v1", true },
		{ "http://169.254.170.2/", "http://169.254.170.2", "/", true },
		{ "https://example.org/", "https://example.org", "/", true },
		{ "http://169.254.169.254/", "http://169.254.169.254", "/", false },
		{ "http://127.1/", "http://127.1", "/", false },
		{ "http://0x7f000001/", "http://0x7f000001", "/", false },
		{ "http://127.0.0.1.example.org/", "http://127.0.0.1.example.org", "/", false },
		{ "http://localhost.example.org/", "http://localhost.example.org", "/", false },
		{ "http://[::1/", "http://[::1", "/", false },
		{ "http://[::1].example.org/", "http://[::1].example.org", "/", false },
		{ "http://[]/", "http://[]", "/", false },
		{ "http://127.0.0.1@example.org/", NULL, NULL, false },
		{ "http://127.0.0.1#@example.org/", NULL, NULL, false },
		{ "http://127.0.0.1\\@example.org/", NULL, NULL, false },
		{ "http:///x", NULL, NULL, false },
		{ "http://", NULL, NULL, false },
		{ "http://a b/", NULL, NULL, false },
		{ "file:///etc/passwd", NULL, NULL, false },
		{ "127.0.0.1", NULL, NULL, false },
		{ "", NULL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct str base, target;

		assert_int_equal(s3_url_split(str_of(urls[i].text), &base, &target), urls[i].base != NULL);
		if (urls[i].base == NULL)
			continue;
		assert_true(str_is(base, urls[i].base));
		assert_true(str_is(target, urls[i].target));
		assert_int_equal(s3_url_is_safe(base), urls[i].is_safe);
	}
}

/* -- answers ------------------------------------------------------------------------------------------ */

static void
times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t at_s; /* -1: it is none */
	} times[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-28T12:00:00Z", 1795867200 },
		{ "2026-11-28T12:00:00.999Z", 1795867200 },
		{ "2026-11-28T13:30:00+01:30", 1795867200 },
		{ "2026-11-28T10:00:00-0200", 1795867200 },
		{ "2026-11-28T12:00:00", -1 },
		{ "2026-11-28 12:00:00Z", -1 },
		{ "2026-13-28T12:00:00Z", -1 },
		{ "2026-11-28T24:00:00Z", -1 },
		{ "2026-11-28T12:00:00ZZ", -1 },
		{ "2026-11-28T12:00:00+25:00", -1 },
		{ "1795867200", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		int64_t at_s = -1;

		assert_int_equal(s3_time_read(str_of(times[i].text), &at_s), times[i].at_s >= 0);
		if (times[i].at_s >= 0)
			assert_int_equal(at_s, times[i].at_s);
	}
}

#define NOW_S 1795867200 /* 2026-11-28T12:00:00Z */
#define SESSION(expiration)                                                                                        \
	"<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"                  \
	"<AssumeRoleWithWebIdentityResult><Credentials><SessionToken>T</SessionToken>"                             \
	"<SecretAccessKey>S</SecretAccessKey><Expiration>" expiration "</Expiration><AccessKeyId>A</AccessKeyId>"  \
	"</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"

struct answer_row {
	const char *body, *want; /* "access secret token expires", or the error */
};

static const struct answer_row jsons[] = {
	{ "{\"Code\":\"Success\",\"LastUpdated\":\"x\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\","
	  "\"Token\":\"T\",\"Expiration\":\"2026-11-28T18:00:00Z\"}",
		"A S T 21600" },
	{ "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"T\",\"Expiration\":\"2026-11-28T12:00:01Z\",\"RoleArn\":\"r\"}",
		"A S T 1" },
	{ "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\"}", "A S - never" },
	{ "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"\"}", "A S - never" },
	{ "{\"AccessKeyId\":\"A\"}", "there is an access key without its secret" },
	{ "{\"AccessKeyId\":7,\"SecretAccessKey\":\"S\"}", "there is no access key" },
	{ "{\"AccessKeyId\":\"A\\r\\nX: y\",\"SecretAccessKey\":\"S\"}",
		"the access key holds a byte that none may hold, or is too long" },
	{ "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"soon\"}",
		"it gives keys whose Expiration is not a time" },
	{ "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"2026-11-28T12:00:00Z\"}",
		"it gives keys that have expired by this machine's clock" },
	{ "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"no\"}",
		"it has no keys: AssumeRoleUnauthorizedAccess" },
	{ "{\"Code\":\"\\u001b[31m\"}", "it has no keys" },
	{ "{\"AccessKeyId\":\"A\",\"AccessKeyId\":\"B\",\"SecretAccessKey\":\"S\"}",
		"it answers with something that is not keys" },
	{ "[]", "it answers with something that is not keys" },
	{ "{\"AccessKeyId\":\"A\",", "it answers with something that is not keys" },
	{ "{} {}", "it answers with something that is not keys" },
	{ "", "it answers with something that is not keys" },
};

static const struct answer_row xmls[] = {
	{ SESSION("2026-11-28T13:00:00Z"), "A S T 3600" },
	{ "\n" SESSION("2026-11-28T13:00:00Z") "\n", "A S T 3600" },
	{ SESSION("2026-11-28T11:59:59Z"), "it gives keys that have expired by this machine's clock" },
	{ SESSION("x"), "it gives keys whose Expiration is not a time" },
	{ "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
		"it answers with something that is not keys" },
	{ "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey></Credentials>",
		"it answers with something that is not keys" },
	{ "<html>", "it answers with something that is not keys" },
	{ "", "it answers with something that is not keys" },
};

static void
add_keys(struct buf *out, const struct s3_keys *keys)
{
	buf_addf(out, "%s %s %s ", keys->access, keys->secret, keys->token != NULL ? keys->token : "-");
	if (keys->expires_s == S3_KEYS_NEVER_EXPIRE)
		buf_add_text(out, "never");
	else
		buf_addf(out, "%lld", (long long)(keys->expires_s - keys->obtained_s));
}

static void
check_answers(
	struct s3_keys *(*read)(struct str, int64_t, struct error *), const struct answer_row *answers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct error err = { 0 };
		struct buf told = { 0 };
		struct s3_keys *keys = read(str_of(answers[i].body), NOW_S, &err);

		if (keys != NULL)
			add_keys(&told, keys);
		else
			buf_add_text(&told, err.message);
		assert_string_equal(told.data, answers[i].want);
		s3_keys_release(keys);
		buf_free(&told);
	}
}

static void
keys_are_read_from_both_kinds_of_answers(void **state)
{
	(void)state;
	check_answers(s3_keys_from_json, jsons, sizeof jsons / sizeof jsons[0]);
	check_answers(s3_keys_from_sts, xmls, sizeof xmls / sizeof xmls[0]);
}

static void
a_refusal_is_named_by_one_word(void **state)
{
	static const struct answer_row refusals[] = {
		{ "{\"code\":\"AccessDenied\",\"message\":\"x\"}", "AccessDenied" },
		{ "{\"Code\":\"A.B-c\"}", "A.B-c" },
		{ "{\"Code\":\"Two words\"}", "Two" },
		{ "{\"Code\":\"ALongWordThatIsCut\"}", "ALongWordThatIs" },
		{ "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code></Error></ErrorResponse>",
			"ExpiredTokenExc" },
		{ "{\"Code\":\"\\u001b\"}", "" },
		{ "<html/>", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		char word[16] = "";

		assert_int_equal(
			s3_keys_refusal(str_of(refusals[i].body), word, sizeof word), refusals[i].want[0] != '\0');
		assert_string_equal(word, refusals[i].want);
	}
}

/* -- when --------------------------------------------------------------------------------------------- */

static void
keys_are_due_before_they_expire(void **state)
{
	(void)state;
	assert_int_equal(s3_renewer_due_s(1000, 1000 + 3600), 1000 + 3300);
	assert_int_equal(s3_renewer_due_s(1000, 1000 + 600), 1000 + 300);
	assert_int_equal(s3_renewer_due_s(1000, 1000 + 60), 1000 + 30);
	assert_int_equal(s3_renewer_due_s(1000, 1001), 1001);
	assert_true(s3_renewer_due_s(1000, S3_KEYS_NEVER_EXPIRE) == S3_KEYS_NEVER_EXPIRE);
}

static void
failures_are_tried_again_ever_later(void **state)
{
	static const uint64_t most[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000 };

	(void)state;
	for (unsigned n = 1; n <= sizeof most / sizeof most[0]; n++)
		for (uint32_t chance = 0; chance < 200000; chance += 997) {
			uint64_t wait_ms = s3_renewer_wait_ms(n, chance);

			assert_true(wait_ms <= most[n - 1] && wait_ms >= most[n - 1] / 2);
		}
	assert_int_equal(s3_renewer_wait_ms(UINT32_MAX, 0), 60000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_place_that_says_anything_is_the_source),
		cmocka_unit_test(files_are_read_only_where_they_may_count),
		cmocka_unit_test(sources_are_equal_if_all_of_them_is),
		cmocka_unit_test(no_memory_is_an_error_of_its_own),
		cmocka_unit_test(an_url_is_taken_apart),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(keys_are_read_from_both_kinds_of_answers),
		cmocka_unit_test(a_refusal_is_named_by_one_word),
		cmocka_unit_test(keys_are_due_before_they_expire),
		cmocka_unit_test(failures_are_tried_again_ever_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
