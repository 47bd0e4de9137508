// SPDX-License-Identifier: MIT
/* test_s3_url.c - `endpoint`, `region`, `bucket` and `style` -> the host that is signed, the path in front of the key, and the URL. */
#include "sink/s3/settings.h"

#include "lib/check.h"
#include "lib/routes.h"

static const struct {
	const char *keys, *host, *path, *url;
} cases[] = {
	/* Amazon's, by its region */
	{ "bucket: bkt", "bkt.s3.us-east-1.amazonaws.com", "", "https://bkt.s3.us-east-1.amazonaws.com" },
	{ "bucket: bkt, region: eu-central-1", "bkt.s3.eu-central-1.amazonaws.com", "",
		"https://bkt.s3.eu-central-1.amazonaws.com" },
	{ "bucket: bkt, region: cn-north-1", "bkt.s3.cn-north-1.amazonaws.com.cn", "",
		"https://bkt.s3.cn-north-1.amazonaws.com.cn" },
	{ "bucket: a.b.c", "s3.us-east-1.amazonaws.com", "/a.b.c", "https://s3.us-east-1.amazonaws.com/a.b.c" },
	{ "bucket: a.b.c, style: virtual", "a.b.c.s3.us-east-1.amazonaws.com", "",
		"https://a.b.c.s3.us-east-1.amazonaws.com" },
	{ "bucket: bkt, style: path", "s3.us-east-1.amazonaws.com", "/bkt",
		"https://s3.us-east-1.amazonaws.com/bkt" },
	/* Amazon's, by an endpoint: whatever the letters, the port that is the scheme's own, and the slash behind */
	{ "bucket: bkt, endpoint: \"https://s3.eu-west-1.amazonaws.com\"", "bkt.s3.eu-west-1.amazonaws.com", "",
		"https://bkt.s3.eu-west-1.amazonaws.com" },
	{ "bucket: bkt, endpoint: \"https://S3.eu-west-1.AmazonAWS.com\"", "bkt.S3.eu-west-1.AmazonAWS.com", "",
		"https://bkt.S3.eu-west-1.AmazonAWS.com" },
	{ "bucket: bkt, endpoint: \"https://s3.eu-west-1.amazonaws.com:443/\"", "bkt.s3.eu-west-1.amazonaws.com",
		"", "https://bkt.s3.eu-west-1.amazonaws.com" },
	{ "bucket: bkt, endpoint: \"https://s3.dualstack.cn-north-1.amazonaws.com.cn\"",
		"bkt.s3.dualstack.cn-north-1.amazonaws.com.cn", "",
		"https://bkt.s3.dualstack.cn-north-1.amazonaws.com.cn" },
	{ "bucket: a.b, endpoint: \"https://s3.eu-west-1.amazonaws.com\"", "s3.eu-west-1.amazonaws.com", "/a.b",
		"https://s3.eu-west-1.amazonaws.com/a.b" },
	{ "bucket: bkt, endpoint: \"https://amazonaws.com\"", "amazonaws.com", "/bkt",
		"https://amazonaws.com/bkt" },
	{ "bucket: bkt, endpoint: \"https://notamazonaws.com\"", "notamazonaws.com", "/bkt",
		"https://notamazonaws.com/bkt" },
	{ "bucket: bkt, endpoint: \"https://s3.amazonaws.com.example.org\"", "s3.amazonaws.com.example.org", "/bkt",
		"https://s3.amazonaws.com.example.org/bkt" },
	/* others: ports */
	{ "bucket: bkt, endpoint: \"https://s3.example.org\"", "s3.example.org", "/bkt",
		"https://s3.example.org/bkt" },
	{ "bucket: bkt, endpoint: \"https://s3.example.org:443\"", "s3.example.org", "/bkt",
		"https://s3.example.org/bkt" },
	{ "bucket: bkt, endpoint: \"http://s3.example.org:80\"", "s3.example.org", "/bkt",
		"http://s3.example.org/bkt" },
	{ "bucket: bkt, endpoint: \"https://s3.example.org:80\"", "s3.example.org:80", "/bkt",
		"https://s3.example.org:80/bkt" },
	{ "bucket: bkt, endpoint: \"http://s3.example.org:443\"", "s3.example.org:443", "/bkt",
		"http://s3.example.org:443/bkt" },
	{ "bucket: bkt, endpoint: \"https://s3.example.org:8443\"", "s3.example.org:8443", "/bkt",
		"https://s3.example.org:8443/bkt" },
	{ "bucket: bkt, style: virtual, endpoint: \"http://s3.example.org:80\"", "bkt.s3.example.org", "",
		"http://bkt.s3.example.org" },
	{ "bucket: bkt, style: virtual, endpoint: \"https://s3.example.org:9000\"", "bkt.s3.example.org:9000", "",
		"https://bkt.s3.example.org:9000" },
	{ "bucket: a.b, style: virtual, endpoint: \"http://localhost:9000\"", "a.b.localhost:9000", "",
		"http://a.b.localhost:9000" },
	{ "bucket: a.b, endpoint: \"https://s3.example.org\"", "s3.example.org", "/a.b",
		"https://s3.example.org/a.b" },
	/* addresses: what looks like a port of an IPv6 address is none */
	{ "bucket: bkt, endpoint: \"http://127.0.0.1:8333\"", "127.0.0.1:8333", "/bkt",
		"http://127.0.0.1:8333/bkt" },
	{ "bucket: bkt, endpoint: \"http://127.0.0.1:80\"", "127.0.0.1", "/bkt", "http://127.0.0.1/bkt" },
	{ "bucket: bkt, endpoint: \"http://[::1]\"", "[::1]", "/bkt", "http://[::1]/bkt" },
	{ "bucket: bkt, endpoint: \"http://[::1]:80\"", "[::1]", "/bkt", "http://[::1]/bkt" },
	{ "bucket: bkt, endpoint: \"http://[2001:db8::80]\"", "[2001:db8::80]", "/bkt",
		"http://[2001:db8::80]/bkt" },
	{ "bucket: bkt, endpoint: \"https://[2001:db8::443]:8443\"", "[2001:db8::443]:8443", "/bkt",
		"https://[2001:db8::443]:8443/bkt" },
	/* a path in front */
	{ "bucket: bkt, endpoint: \"https://s3.example.org/a/b%20c/\"", "s3.example.org", "/a/b%20c/bkt",
		"https://s3.example.org/a/b%20c/bkt" },
	{ "bucket: bkt, style: virtual, endpoint: \"https://s3.example.org:443/a/b\"", "bkt.s3.example.org", "/a/b",
		"https://bkt.s3.example.org/a/b" },
	/* names of buckets: others' take what Amazon's does not */
	{ "bucket: My_Bucket.1, endpoint: \"https://s3.example.org\"", "s3.example.org", "/My_Bucket.1",
		"https://s3.example.org/My_Bucket.1" },
	{ "bucket: abc", "abc.s3.us-east-1.amazonaws.com", "", "https://abc.s3.us-east-1.amazonaws.com" },
	{ "bucket: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg, style: path",
		"s3.us-east-1.amazonaws.com", "/aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg",
		"https://s3.us-east-1.amazonaws.com/aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg" },
};

static void
where_a_bucket_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf text = { 0 };
		struct config *config;
		const struct s3_settings *s3;

		buf_addf(&text,
			"version: 1\ndestinations: { d: { type: s3, %s } }\n"
			"routes: [ { id: r, fields: [ { name: f, store: { to: d, key: \"{uuid}\" } } ] } ]\n",
			cases[i].keys);
		config = routes_of(text.data);
		s3 = s3_settings(&config->destinations[0]);
		assert_string_equal(s3->host, cases[i].host);
		assert_string_equal(s3->path, cases[i].path);
		assert_string_equal(s3->peer.url, cases[i].url);
		config_free(config);
		buf_free(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(where_a_bucket_is) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
