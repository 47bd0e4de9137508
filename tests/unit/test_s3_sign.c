// SPDX-License-Identifier: MIT
/* test_s3_sign.c - the signatures that S3's documents show, and those of AWS's test suite (../shared/corpus/aws-sigv4). */
#include "sink/s3/sign.h"

#include "sink/s3/canonical.h"

#include "base/mem.h"
#include "lib/check.h"
#include "lib/freed.h"

#include <dirent.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define N(array) (sizeof(array) / sizeof(array)[0])

/* -- S3's documents: "Signature Calculations for the Authorization Header", "... Query Parameters" -- */

static const struct s3_sign_keys s3_keys = { "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	NULL };

static struct s3_sign_request
example(const char *method, struct str path, struct str query)
{
	return (struct s3_sign_request){
		.method = method,
		.host = STR("examplebucket.s3.amazonaws.com"),
		.path = path,
		.query = query,
		.payload = S3_EMPTY_PAYLOAD,
		.region = "us-east-1",
		.service = "s3",
		.now = 1369353600, /* 20130524T000000Z */
	};
}

static void
assert_authorization(
	const struct s3_sign_request *request, const char *names, const char *query, const char *signature)
{
	struct s3_signed out = { 0 };
	struct error err = { 0 };
	struct buf expected = { 0 };

	buf_addf(&expected,
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
		"SignedHeaders=%s, Signature=%s",
		names, signature);
	assert_true(s3_sign(request, &s3_keys, &out, &err));
	assert_string_equal(out.date, "20130524T000000Z");
	assert_string_equal(out.authorization.data, expected.data);
	assert_string_equal(out.query.data, query);
	assert_true(s3_sign(request, &s3_keys, &out, &err)); /* into the same */
	assert_string_equal(out.authorization.data, expected.data);
	s3_signed_free(&out);
	buf_free(&expected);
}

static void
get_of_a_range(void **state)
{
	const struct s3_sign_line lines[] = { { "Range", STR("bytes=0-9") } };
	struct s3_sign_request request = example("GET", STR("/test.txt"), STR(""));

	(void)state;
	request.lines = lines;
	request.n_lines = N(lines);
	assert_authorization(&request, "host;range;x-amz-content-sha256;x-amz-date", "",
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void
put_of_an_object(void **state)
{
	const struct s3_sign_line lines[] = {
		{ "x-amz-storage-class", STR("REDUCED_REDUNDANCY") },
		{ "Date", STR("Fri, 24 May 2013 00:00:00 GMT") },
	};
	struct buf path = { 0 };
	struct s3_sign_request request;

	(void)state;
	s3_escape(&path, STR("/test$file.text"), true);
	request = example("PUT", buf_str(&path), STR_NONE);
	request.lines = lines;
	request.n_lines = N(lines);
	request.payload = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	assert_authorization(&request, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "",
		"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
	buf_free(&path);
}

static void
query_of_a_name_alone(void **state)
{
	struct s3_sign_request request = example("GET", STR("/"), STR("lifecycle"));

	(void)state;
	assert_authorization(&request, "host;x-amz-content-sha256;x-amz-date",
		"lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void
list_with_a_prefix(void **state)
{
	struct s3_sign_request request = example("GET", STR("/"), STR("prefix=J&max-keys=2"));

	(void)state;
	assert_authorization(&request, "host;x-amz-content-sha256;x-amz-date", "max-keys=2&prefix=J",
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void
presigned_link(void **state)
{
	struct s3_sign_request request = example("GET", STR("/test.txt"), STR(""));
	struct buf query = { 0 };
	struct error err = { 0 };

	(void)state;
	request.payload = S3_UNSIGNED_PAYLOAD;
	buf_add_text(&query, "?");
	assert_true(s3_presign(&request, &s3_keys, 86400, &query, &err));
	assert_string_equal(query.data,
		"?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
	buf_free(&query);
}

/* -- AWS's test suite ----------------------------------------------------------------------------- */

/* S3 resolves no dots and merges no slashes: these are signed as the second vector is, which has the same request. */
static const struct {
	const char *vector, *as;
} other_rule[] = {
	{ "get-relative-normalized", "get-relative-unnormalized" },
	{ "get-relative-relative-normalized", "get-relative-relative-unnormalized" },
	{ "get-slash-normalized", "get-slash-unnormalized" },
	{ "get-slash-dot-slash-normalized", "get-slash-dot-slash-unnormalized" },
	{ "get-slash-pointless-dot-normalized", "get-slash-pointless-dot-unnormalized" },
	{ "get-slashes-normalized", "get-slashes-unnormalized" },
};

#define LINES_MAX 8

struct vector {
	char *text; /* the request, cut into the texts below */
	struct buf path, query;
	struct s3_sign_line lines[LINES_MAX];
	struct s3_sign_request request;
	struct s3_sign_keys keys;
	unsigned expires_s;
	bool signs_body;
	char payload[65];
	json_t *context;
};

static const char *
corpus(void)
{
	const char *at = getenv("PENSTOCK_CORPUS");
	static char path[4096];

	snprintf(path, sizeof path, "%s/aws-sigv4", at != NULL ? at : "../shared/corpus");
	return path;
}

static char *
read_text(const char *vector, const char *name)
{
	char path[4096 + 256], *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof path, "%s/%s/%s", corpus(), vector, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) < 65535);
	fclose(file);
	return text;
}

static char *
cut_at(char *text, const char *mark)
{
	char *at = strstr(text, mark);

	assert_non_null(at);
	*at = '\0';
	return at + strlen(mark);
}

/* A query of the suite may have been escaped before. */
static void
escape_query(struct buf *out, const char *query)
{
	for (const char *c = query; *c != '\0'; c++) {
		if (strchr("&=%", *c) != NULL)
			buf_add_char(out, *c);
		else
			s3_escape(out, (struct str){ c, 1 }, false);
	}
}

static void
read_target(struct vector *vector, char *target)
{
	char *query = strchr(target, '?');

	if (query != NULL)
		*query++ = '\0';
	s3_escape(&vector->path, str_of(target), true);
	escape_query(&vector->query, query != NULL ? query : "");
	vector->request.path = buf_str(&vector->path);
	vector->request.query = buf_str(&vector->query);
}

/* What follows a line feed and a blank belongs to the line before (RFC 9112 section 5.2). */
static void
unfold(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if (c[0] == '\n' && (c[1] == ' ' || c[1] == '\t'))
			c[0] = ' ';
}

static void
read_line(struct vector *vector, char *line)
{
	struct str value = str_of(cut_at(line, ":"));

	if (strcasecmp(line, "Host") == 0) {
		vector->request.host = value;
		return;
	}
	assert_true(vector->request.n_lines + 1 < LINES_MAX);
	vector->lines[vector->request.n_lines++] = (struct s3_sign_line){ line, value };
}

static void
hash_body(struct vector *vector, const char *body)
{
	unsigned char hash[32];

	assert_int_equal(EVP_Digest(body, strlen(body), hash, NULL, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(vector->payload + 2 * i, 3, "%02x", hash[i]);
}

static void
read_request(struct vector *vector)
{
	char *lines = cut_at(vector->text, " HTTP/1.1\n"), *target = cut_at(vector->text, " ");

	vector->request.method = vector->text;
	read_target(vector, target);
	while (*lines != '\0' && *lines != '\n') {
		char *line = lines;

		unfold(line);
		lines = strchr(line, '\n') != NULL ? cut_at(line, "\n") : line + strlen(line);
		read_line(vector, line);
	}
	hash_body(vector, *lines != '\0' ? lines + 1 : "");
	vector->request.lines = vector->lines;
	vector->request.payload = vector->payload;
}

static void
read_context(struct vector *vector, const char *name)
{
	char *text = read_text(name, "context.json");
	json_t *context = json_loads(text, 0, NULL), *keys = json_object_get(context, "credentials");

	free(text);
	vector->context = context;
	vector->keys.access = json_string_value(json_object_get(keys, "access_key_id"));
	vector->keys.secret = json_string_value(json_object_get(keys, "secret_access_key"));
	if (!json_is_true(json_object_get(context, "omit_session_token"))) /* then it is sent, but not signed */
		vector->keys.token = json_string_value(json_object_get(keys, "token"));
	vector->request.region = json_string_value(json_object_get(context, "region"));
	vector->request.service = json_string_value(json_object_get(context, "service"));
	vector->expires_s = (unsigned)json_integer_value(json_object_get(context, "expiration_in_seconds"));
	vector->signs_body = json_is_true(json_object_get(context, "sign_body"));
	assert_string_equal(json_string_value(json_object_get(context, "timestamp")), "2015-08-30T12:36:00Z");
	vector->request.now = 1440938160;
}

static void
assert_signature(const char *name, const char *file, const char *line, bool is_equal)
{
	char *expected = read_text(name, file);
	const char *signature = strstr(line, "Signature=");

	assert_non_null(signature);
	if ((strcmp(signature + strlen("Signature="), expected) == 0) != is_equal)
		fail_msg("%s/%s: %s", name, file, line);
	free(expected);
}

/* The suite's service has no line with the body's hash but where a vector says so. */
static void
check_header_form(struct vector *vector, const char *name, bool is_equal)
{
	struct s3_signed out = { 0 };
	struct error err = { 0 };

	if (vector->signs_body)
		vector->lines[vector->request.n_lines++] = (struct s3_sign_line){ "X-Amz-Content-Sha256",
			str_of(vector->payload) };
	assert_true(s3_sign(&vector->request, &vector->keys, &out, &err));
	assert_signature(name, "header-signature.txt", out.authorization.data, is_equal);
	s3_signed_free(&out);
}

static void
check_query_form(const struct vector *vector, const char *name, bool is_equal)
{
	struct buf query = { 0 };
	struct error err = { 0 };

	assert_true(s3_presign(&vector->request, &vector->keys, vector->expires_s, &query, &err));
	assert_signature(name, "query-signature.txt", query.data, is_equal);
	buf_free(&query);
}

static void
check_vector(const char *name, const char *as, bool is_equal)
{
	struct vector vector = { .text = read_text(name, "request.txt") };

	read_request(&vector);
	read_context(&vector, name);
	check_query_form(&vector, as, is_equal);
	check_header_form(&vector, as, is_equal);
	json_decref(vector.context);
	buf_free(&vector.path);
	buf_free(&vector.query);
	free(vector.text);
}

static bool
has_other_rule(const char *name)
{
	for (size_t i = 0; i < N(other_rule); i++)
		if (strcmp(name, other_rule[i].vector) == 0)
			return true;
	return false;
}

static void
every_vector_of_the_suite(void **state)
{
	DIR *folder = opendir(corpus());
	size_t n = 0;

	(void)state;
	if (folder == NULL) {
		skip();
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (strchr(entry->d_name, '.') != NULL)
			continue;
		check_vector(entry->d_name, entry->d_name, !has_other_rule(entry->d_name));
		n++;
	}
	closedir(folder);
	assert_true(n >= 38);
	for (size_t i = 0; i < N(other_rule); i++)
		check_vector(other_rule[i].vector, other_rule[i].as, true);
}

/* -- the rest ------------------------------------------------------------------------------------- */

static void
every_byte_is_escaped_or_is_not(void **state)
{
	const char *plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	(void)state;
	for (unsigned i = 0; i < 512; i++) {
		bool keep_slash = i >= 256;
		char c = (char)(i & 255), expected[4];
		bool is_plain = c != '\0' && (strchr(plain, c) != NULL || (c == '/' && keep_slash));
		struct buf out = { 0 };

		snprintf(expected, sizeof expected, is_plain ? "%c" : "%%%02X", (unsigned char)c);
		s3_escape(&out, (struct str){ &c, 1 }, keep_slash);
		assert_string_equal(out.data, expected);
		buf_free(&out);
	}
}

static void
what_is_sent_is_sorted_and_complete(void **state)
{
	static const struct {
		struct str query;
		const char *sent;
	} rows[] = {
		{ STR("uploads"), "uploads=" },
		{ STR("uploadId=x%3D&partNumber=1"), "partNumber=1&uploadId=x%3D" },
		{ STR("a-b=1&a=2&a=1&a"), "a=&a=1&a=2&a-b=1" },
		{ STR("&&a=1&&"), "a=1" },
		{ STR("a=b=c"), "a=b=c" },
		{ STR(""), "" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct s3_sign_request request = example("GET", STR("/"), rows[i].query);
		struct s3_signed out = { 0 };
		struct error err = { 0 };

		assert_true(s3_sign(&request, &s3_keys, &out, &err));
		assert_string_equal(buf_str(&out.query).data, rows[i].sent);
		s3_signed_free(&out);
	}
}

static void
lines_of_one_name_are_one_line_and_their_values_keep_their_order(void **state)
{
	struct s3_sign_line lines[] = { { "X-B", STR(" 2  3 ") }, { "x-a", STR("1") }, { "x-b", STR("1") } };
	struct buf names = { 0 }, text = { 0 };

	(void)state;
	s3_canonical_sort(lines, 3);
	s3_canonical_names(lines, 3, &names);
	s3_canonical_lines(lines, 3, &text);
	assert_string_equal(names.data, "x-a;x-b");
	assert_string_equal(text.data, "x-a:1\nx-b:2 3,1\n");
	buf_free(&names);
	buf_free(&text);
}

static void
a_session_token_is_signed_and_in_the_link(void **state)
{
	struct s3_sign_keys keys = s3_keys;
	struct s3_sign_request request = example("GET", STR("/x"), STR("versionId=1"));
	struct s3_signed out = { 0 };
	struct buf query = { 0 };
	struct error err = { 0 };

	(void)state;
	keys.token = "a+b/c=";
	assert_true(s3_sign(&request, &keys, &out, &err));
	assert_non_null(
		strstr(out.authorization.data, "=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
	assert_true(s3_presign(&request, &keys, 60, &query, &err));
	assert_non_null(
		strstr(query.data, "&X-Amz-Security-Token=a%2Bb%2Fc%3D&X-Amz-SignedHeaders=host&versionId=1&"));
	s3_signed_free(&out);
	buf_free(&query);
}

static void
a_clock_beyond_all_years_is_an_error(void **state)
{
	struct s3_sign_request request = example("GET", STR("/x"), STR(""));
	struct s3_signed out = { 0 };
	struct error err = { 0 };

	(void)state;
	request.now = (time_t)1 << 40;
	assert_false(s3_sign(&request, &s3_keys, &out, &err));
	assert_int_equal(err.kind, ERR_INTERNAL);
	s3_signed_free(&out);
}

static void
each_allocation_may_fail(void **state)
{
	const struct s3_sign_line lines[] = { { "Content-Type", STR("text/plain") } };
	struct s3_sign_request request = example("PUT", STR("/x"), STR("partNumber=1"));
	bool ok = false;

	(void)state;
	request.lines = lines;
	request.n_lines = N(lines);
	for (size_t nth = 1; !ok; nth++) {
		struct s3_signed out = { 0 };
		struct buf query = { 0 };
		struct error err = { 0 };

		assert_true(nth < 100);
		mem_fail(nth, 1);
		ok = s3_sign(&request, &s3_keys, &out, &err) && s3_presign(&request, &s3_keys, 60, &query, &err);
		mem_fail(0, 0);
		assert_int_equal(err.kind, ok ? ERR_NONE : ERR_NOMEM);
		s3_signed_free(&out);
		buf_free(&query);
	}
}

/* Some stores have keys of 64 characters. */
static void
nothing_of_the_secret_is_left_in_memory(void **state)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const struct s3_sign_keys keys = { "A", secret, NULL };
	struct s3_sign_request request = example("PUT", STR("/x"), STR(""));
	struct s3_signed out = { 0 };
	struct error err = { 0 };

	(void)state;
	freed_watch("0123456789abcdef");
	assert_true(s3_sign(&request, &keys, &out, &err));
	s3_signed_free(&out);
	assert_int_equal(freed_watch(NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_of_a_range),
		cmocka_unit_test(put_of_an_object),
		cmocka_unit_test(query_of_a_name_alone),
		cmocka_unit_test(list_with_a_prefix),
		cmocka_unit_test(presigned_link),
		cmocka_unit_test(every_vector_of_the_suite),
		cmocka_unit_test(every_byte_is_escaped_or_is_not),
		cmocka_unit_test(what_is_sent_is_sorted_and_complete),
		cmocka_unit_test(lines_of_one_name_are_one_line_and_their_values_keep_their_order),
		cmocka_unit_test(a_session_token_is_signed_and_in_the_link),
		cmocka_unit_test(a_clock_beyond_all_years_is_an_error),
		cmocka_unit_test(each_allocation_may_fail),
		cmocka_unit_test(nothing_of_the_secret_is_left_in_memory),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	DIR *folder = opendir(corpus());

	if (folder == NULL)
		printf("skip: %s is not here\n", corpus());
	else
		closedir(folder);
	return failed == 0 && folder == NULL ? 77 : failed;
}
