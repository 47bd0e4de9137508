// SPDX-License-Identifier: MIT
/* test_head.c - path, query, host and escapes of a request target, in every form that it may come in. */
#include "base/mem.h"
#include "route/head.h"

#include "lib/check.h"

#include <stdio.h>
#include <string.h>

static bool
host_only(const void *arg, struct str name, size_t nth, struct str *value)
{
	const char *host = arg;

	if (host == NULL || nth > 0 || !str_equal_nocase(name, STR("host")))
		return false;
	*value = str_of(host);
	return true;
}

static struct head
head_of(const char *target, const char *host)
{
	return (struct head){
		.method = STR("POST"),
		.target = str_of(target),
		.version = STR("HTTP/1.1"),
		.header = host_only,
		.arg = host,
	};
}

static void
expect_text(const char *what, struct str got, const char *want)
{
	if (want == NULL ? got.data != NULL : got.data == NULL || !str_is(got, want))
		fail_msg("%s: got \"%.*s\", want %s", what, STR_ARG(got), want != NULL ? want : "none");
}

static void
a_target_is_cut_into_path_and_query(void **state)
{
	static const struct {
		const char *target, *path, *query;
	} rows[] = {
		{ "/", "/", NULL },
		{ "/a/b", "/a/b", NULL },
		{ "/a?", "/a", "" },
		{ "/a?b=c", "/a", "b=c" },
		{ "/a?b?c", "/a", "b?c" },
		{ "/a#b?c", "/a", NULL },
		{ "/a?b#c", "/a", "b" },
		{ "/a%3Fb?c", "/a%3Fb", "c" },
		{ "http://h/a?b", "/a", "b" },
		{ "HTTP://h:8080/a", "/a", NULL },
		{ "https://h", "/", NULL },
		{ "https://h?q", "/", "q" },
		{ "/http://h/a", "/http://h/a", NULL },
		{ "*", "*", NULL },
		{ "", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head head = head_of(rows[i].target, NULL);

		expect_text(rows[i].target, head_path(&head), rows[i].path);
		expect_text(rows[i].target, head_query(&head), rows[i].query);
	}
}

static void
the_host_is_named_without_its_port(void **state)
{
	static const struct {
		const char *target, *header, *host;
	} rows[] = {
		{ "/", "example.org", "example.org" },
		{ "/", "example.org:8080", "example.org" },
		{ "/", "example.org:", "example.org" },
		{ "/", "Example.ORG.:80", "Example.ORG." },
		{ "/", "10.0.0.7", "10.0.0.7" },
		{ "/", "10.0.0.7:81", "10.0.0.7" },
		{ "/", "[::1]", "[::1]" },
		{ "/", "[::1]:8080", "[::1]" },
		{ "/", "[fe80::12]", "[fe80::12]" },
		{ "/", "h8080", "h8080" },
		{ "/", "", "" },
		{ "/", NULL, NULL },
		{ "http://a.example/x", "b.example", "a.example" }, /* RFC 9112 section 3.2.2 */
		{ "http://a.example:81", NULL, "a.example" },
		{ "http://[::1]:81/", NULL, "[::1]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head head = head_of(rows[i].target, rows[i].header);

		expect_text(rows[i].target, head_host(&head), rows[i].host);
	}
}

static void
a_host_that_could_be_read_in_two_ways_is_not_sound(void **state)
{
	static const struct {
		const char *host;
		bool is_sound;
	} rows[] = {
		{ "", true },
		{ "a", true },
		{ "A-1.Example_.org", true },
		{ "example.org.:443", true },
		{ "example.org:", true },
		{ "10.0.0.7:65535", true },
		{ "[::1]", true },
		{ "[FE80::1]:80", true },
		{ "[::ffff:10.0.0.7]", true },
		{ "a,b", false },
		{ "a, b", false },
		{ "*", false },
		{ "*.example.org", false },
		{ "[::1", false },
		{ "::1]", false },
		{ "::1", false },
		{ "[::1]x", false },
		{ "[::1]:80:", false },
		{ "[]", false },
		{ "[a]", false },
		{ "[fe80::1%25eth0]", false },
		{ "[v1.x]", false },
		{ "a:b:c", false },
		{ "a:b", false },
		{ "a::", false },
		{ "a:0x50", false },
		{ "a:-1", false },
		{ "a:123456", false },
		{ ":80", false },
		{ ".", false },
		{ ".a", false },
		{ "a..b", false },
		{ "a..", false },
		{ "%61", false },
		{ "a;b", false },
		{ "\xc3\xa9", false },
		{ "a@b", false },
		{ "a/b", false },
		{ "a\\b", false },
		{ "a b", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head header = head_of("/", rows[i].host);
		char target[80];
		struct head authority = { 0 };

		if (head_has_sound_hosts(&header) != rows[i].is_sound)
			fail_msg("Host: %s", rows[i].host);
		snprintf(target, sizeof target, "http://%s", rows[i].host);
		authority = head_of(target, NULL);
		if (strpbrk(rows[i].host, "/") == NULL &&
			head_has_sound_hosts(&authority) != (rows[i].is_sound && rows[i].host[0] != '\0'))
			fail_msg("%s", target);
	}
}

static void
escapes_are_decoded_or_refused(void **state)
{
	static const struct {
		const char *text, *plain; /* NULL: refused */
		bool plus;
	} rows[] = {
		{ "", "", false },
		{ "abc", "abc", false },
		{ "a%20b", "a b", false },
		{ "%41%4a%4A", "AJJ", false },
		{ "%2f%2F", "//", false },
		{ "%c3%A9", "\xc3\xa9", false },
		{ "%ff", "\xff", false },
		{ "a+b", "a+b", false },
		{ "a+b", "a b", true },
		{ "a%2Bb", "a+b", true },
		{ "%2541", "%41", false }, /* once, never twice */
		{ "%", NULL, false },
		{ "%4", NULL, false },
		{ "a%", NULL, false },
		{ "%4g", NULL, false },
		{ "%g4", NULL, false },
		{ "% 4", NULL, false },
		{ "%00", NULL, false },
		{ "a%00b", NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf out = { 0 };
		bool ok = percent_decode(str_of(rows[i].text), rows[i].plus, &out);

		assert_int_equal(ok, rows[i].plain != NULL);
		if (ok)
			expect_text(rows[i].text, str_of(out.data != NULL ? out.data : ""), rows[i].plain);
		buf_free(&out);
	}
}

static void
a_query_value_is_found_and_decoded(void **state)
{
	static const struct {
		const char *target, *name, *value; /* NULL: there is none */
	} rows[] = {
		{ "/?a=1", "a", "1" },
		{ "/?a=1&b=2", "b", "2" },
		{ "/?a=1&a=2", "a", "1" },
		{ "/?a", "a", "" },
		{ "/?a=", "a", "" },
		{ "/?a&b", "b", "" },
		{ "/?a=b=c", "a", "b=c" },
		{ "/?&&a=1", "a", "1" },
		{ "/?a+b=x+y", "a b", "x y" },
		{ "/?%61=%26%3d", "a", "&=" },
		{ "/?A=1", "a", NULL },
		{ "/?aa=1", "a", NULL },
		{ "/?", "a", NULL },
		{ "/", "a", NULL },
		{ "/?%zz=1&a=2", "a", "2" },
		{ "/?a=12%zz", "a", NULL },
		{ "/?a=12%00", "a", NULL },
		{ "/#?a=1", "a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head head = head_of(rows[i].target, NULL);
		struct buf out = { 0 };
		bool found;

		buf_add_text(&out, "kept:");
		found = head_query_value(&head, str_of(rows[i].name), &out);
		assert_int_equal(found, rows[i].value != NULL);
		assert_true(str_starts_nocase(buf_str(&out), "kept:"));
		expect_text(rows[i].target, str_of(out.data + 5), found ? rows[i].value : "");
		buf_free(&out);
	}
}

static void
a_parameter_is_clear_if_nobody_could_read_another_one(void **state)
{
	static const struct {
		const char *query, *name;
		bool is_clear;
	} rows[] = {
		{ "", "key", true },
		{ "key=a", "key", true },
		{ "k%65y=a&&=b&other=c&keys=d&Key=e&xkey=f&a=key", "key", true },
		{ "key=a&key=b", "key", false },
		{ "key=a&%6bey", "key", false },
		{ "key=%", "key", false },
		{ "key=%00", "key", false },
		{ "%key=a&key=b", "key", true },
		/* Of PHP, Rack and qs. */
		{ "key=a&+key=b", "key", false },
		{ "%20%20key&key=a", "key", false },
		{ "key=a&key[]=b", "key", false },
		{ "key[x]=b&key=a", "key", false },
		{ "key=a&key%5B%5D=b", "key", false },
		{ "key=a&key%00x=b", "key", false },
		{ "key=a&[key]=b", "key", false },
		{ "key=a&[[[key=b", "key", false },
		{ "a.b=1&a_b=2", "a.b", false },
		{ "a.b=1&a+b=2", "a_b", true },
		{ "a[b]=1&a[c]=2", "a[b]", true },
		{ "a[b]=1&+a[b]=2", "a[b]", false },
		/* Alone it is another one, of which nothing is made. */
		{ "key[]=b", "key", true },
		{ "+key=b", "key", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char target[128];
		struct head head;
		struct error err = { 0 };

		snprintf(target, sizeof target, "/p?%s", rows[i].query);
		head = head_of(target, NULL);
		if (head_query_is_clear(&head, str_of(rows[i].name), &err) != rows[i].is_clear)
			fail_msg("%s of %s: not %d", rows[i].name, rows[i].query, rows[i].is_clear);
		assert_int_equal(err.kind, rows[i].is_clear ? ERR_NONE : ERR_BAD_REQUEST);
	}
}

/* A name made from half a query would be a wrong name: whoever asks must see it. */
static void
out_of_memory_in_a_query_is_never_taken_for_an_absent_value(void **state)
{
	(void)state;
	for (size_t nth = 1; nth <= 8; nth++) {
		struct head head = head_of("/?first=1&key=value", NULL);
		struct buf out = { 0 };
		bool found;

		mem_fail(nth, 1);
		found = head_query_value(&head, STR("key"), &out);
		mem_fail(0, 0);
		assert_true(out.failed || (found && str_is(buf_str(&out), "value")));
		buf_free(&out);
	}
}

static bool
one_a_and_two_b(const void *arg, struct str name, size_t nth, struct str *value)
{
	(void)arg;
	*value = nth == 0 ? STR("first") : STR("second");
	return nth < (str_is(name, "a") ? 1 : str_is(name, "b") ? 2 : 0);
}

static void
of_a_header_said_twice_nothing_is_taken(void **state)
{
	struct head head = { .header = one_a_and_two_b };

	(void)state;
	expect_text("a", head_only(&head, "a"), "first");
	expect_text("b", head_only(&head, "b"), NULL);
	expect_text("c", head_only(&head, "c"), NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_header_said_twice_nothing_is_taken),
		cmocka_unit_test(a_target_is_cut_into_path_and_query),
		cmocka_unit_test(the_host_is_named_without_its_port),
		cmocka_unit_test(a_host_that_could_be_read_in_two_ways_is_not_sound),
		cmocka_unit_test(escapes_are_decoded_or_refused),
		cmocka_unit_test(a_query_value_is_found_and_decoded),
		cmocka_unit_test(a_parameter_is_clear_if_nobody_could_read_another_one),
		cmocka_unit_test(out_of_memory_in_a_query_is_never_taken_for_an_absent_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
