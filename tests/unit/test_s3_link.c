// SPDX-License-Identifier: MIT
/* test_s3_link.c - links to objects: the one that S3's documents show, to the last character; and that none lives longer than
 * its keys. */
#include "sink/s3/s3_link.h"

#include "base/mem.h"
#include "sink/s3/credentials.h"
#include "sink/s3/settings.h"

#include "lib/check.h"

#define MAY_24 1369353600 /* 20130524T000000Z */

static char url[] = "https://examplebucket.s3.amazonaws.com", host[] = "examplebucket.s3.amazonaws.com",
	    path[] = "", region[] = "us-east-1";
static char beside_url[] = "http://127.0.0.1:8333/pre/bkt", beside_host[] = "127.0.0.1:8333",
	    beside_path[] = "/pre/bkt";
static const struct s3_settings example = { .peer = { .url = url }, .host = host, .path = path, .region = region };
static const struct s3_settings beside = {
	.peer = { .url = beside_url }, .host = beside_host, .path = beside_path, .region = region
};
static const struct s3_keys keys_for_ever = { .access = "AKIAIOSFODNN7EXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.expires_s = S3_KEYS_NEVER_EXPIRE };

static struct s3_link_wish
wish_of(const struct s3_settings *to, const char *target, unsigned lifetime_s)
{
	return (struct s3_link_wish){ .to = to, .target = target, .lifetime_s = lifetime_s, .now = MAY_24 };
}

static void
assert_link(const struct s3_link_wish *wish, const struct s3_keys *keys, const char *want, int64_t expires_s)
{
	struct order_link link = { 0 };
	struct error err = { 0 };

	assert_true(s3_link_make(wish, keys, &link, &err));
	assert_string_equal(link.url.data, want);
	assert_int_equal(link.expires_s, expires_s);
	buf_free(&link.url);
}

/* "Authenticating Requests: Using Query Parameters". */
static void
the_link_of_the_documents(void **state)
{
	struct s3_link_wish wish = wish_of(&example, "/test.txt", 86400);

	(void)state;
	assert_link(&wish, &keys_for_ever,
		"https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
		MAY_24 + 86400);
}

/* The signature is that of botocore 1.44 for the same. */
static void
a_link_with_all_that_can_be_in_it(void **state)
{
	struct s3_link_wish wish = wish_of(&beside, "/a%20b/%C3%BC.html", 900);
	struct s3_keys keys = keys_for_ever;

	(void)state;
	keys.token = "a+b/c=";
	wish.version = "3/L4k+q~";
	wish.as = "attachment; filename=\"_.html\"; filename*=UTF-8''%C3%BC.html";
	assert_link(&wish, &keys,
		"http://127.0.0.1:8333/pre/bkt/a%20b/%C3%BC.html?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=900&X-Amz-Security-Token=a%2Bb%2Fc%3D&X-Amz-SignedHeaders=host"
		"&response-content-disposition=attachment%3B%20filename%3D%22_.html%22%3B%20filename%2A%3DUTF-8%27%27%25C3%25BC.html"
		"&versionId=3%2FL4k%2Bq~&X-Amz-Signature=86a514ab0387b893f0abb2ff62a6f81acb58ed2a77e4287d5d5d702f467d8192",
		MAY_24 + 900);
}

static void
a_link_ends_with_its_keys(void **state)
{
	static const struct {
		unsigned lifetime_s;
		int64_t keys_s; /* from now, as the next */
		unsigned lives_s;
	} cases[] = { { 900, 901, 900 }, { 900, 900, 900 }, { 900, 899, 899 }, { 900, 1, 1 },
		{ 604800, 604801, 604800 }, { 604801, 1000000, 604800 }, { 900, 0, 0 }, { 900, -1, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct s3_link_wish wish = wish_of(&example, "/x", cases[i].lifetime_s);
		struct s3_keys keys = keys_for_ever;
		struct order_link link = { 0 };
		struct error err = { 0 };
		struct buf said = { 0 };

		keys.expires_s = MAY_24 + cases[i].keys_s;
		assert_int_equal(s3_link_make(&wish, &keys, &link, &err), cases[i].lives_s > 0);
		assert_int_equal(err.kind, cases[i].lives_s > 0 ? ERR_NONE : ERR_UPSTREAM);
		buf_addf(&said, "&X-Amz-Expires=%u&", cases[i].lives_s);
		assert_true(cases[i].lives_s == 0 ? link.url.len == 0 : strstr(link.url.data, said.data) != NULL);
		assert_true(cases[i].lives_s == 0 || link.expires_s == MAY_24 + cases[i].lives_s);
		buf_free(&said);
		buf_free(&link.url);
	}
}

static void
who_pays_stands_in_it(void **state)
{
	static char name[] = "X-Amz-Request-Payer", other[] = "x-amz-acl", value[] = "{of the file}";
	struct header_line lines[] = { { .name = other, .value = value }, { .name = name, .value = value } };
	struct s3_settings to = example;
	struct s3_link_wish wish = wish_of(&to, "/x", 1);
	struct buf query = { 0 };

	(void)state;
	s3_link_add_query(&wish, &query);
	assert_int_equal(query.len, 0);
	to.peer.headers.items = lines;
	to.peer.headers.n = 2;
	s3_link_add_query(&wish, &query);
	assert_string_equal(query.data, "x-amz-request-payer=requester");
	buf_free(&query);
}

static void
each_allocation_may_fail(void **state)
{
	bool ok = false;

	(void)state;
	for (size_t nth = 1; !ok; nth++) {
		struct s3_link_wish wish = wish_of(&beside, "/x", 1);
		struct order_link link = { 0 };
		struct error err = { 0 };

		assert_true(nth < 100);
		wish.version = "1";
		wish.as = "attachment";
		mem_fail(nth, 1);
		ok = s3_link_make(&wish, &keys_for_ever, &link, &err);
		mem_fail(0, 0);
		assert_int_equal(err.kind, ok ? ERR_NONE : ERR_NOMEM);
		buf_free(&link.url);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_link_of_the_documents),
		cmocka_unit_test(a_link_with_all_that_can_be_in_it),
		cmocka_unit_test(a_link_ends_with_its_keys),
		cmocka_unit_test(who_pays_stands_in_it),
		cmocka_unit_test(each_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
