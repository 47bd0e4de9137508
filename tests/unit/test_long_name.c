// SPDX-License-Identifier: MIT
/* test_long_name.c - names at each limit and one byte over it, refused or shortened: what is kept of them, and that they stay different. */
#include "base/mem.h"
#include "config/kind.h"
#include "config/template.h"
#include "part/naming.h"

#include "lib/check.h"

#include <stdio.h>
#include <string.h>

#define HASH 17 /* '_' and 16 digits */

static bool
header_x_h(const void *arg, struct str name, size_t nth, struct str *value)
{
	*value = str_of(arg);
	return nth == 0 && str_is(name, "x-h");
}

static size_t fail_nth; /* allocation while the name is made; 0: none */

/* The name of a file `filename`; header X-H is `header`. */
static bool
make(enum template_style style, bool shortens, const char *template, const char *filename, const char *header,
	bool shown, struct buf *out, struct error *err)
{
	struct destination_kind kind = { .style = style };
	struct destination_settings settings = { .refuses_unsafe = false };
	struct destination to = { .kind = &kind, .settings = &settings };
	struct head head = { .header = header_x_h, .arg = header, .target = STR("/p") };
	struct match_result match = { 0 };
	struct naming naming = { .head = &head, .match = &match, .request_id = STR("id") };
	struct part_head part = { .number = 7, .field = STR("f"), .filename = str_of(filename) };
	struct named_part named = { .head = &part };
	struct rule rule = { .to = &to, .shortens_names = shortens };
	struct span span;
	bool ok;

	rule.target = template_parse(str_of(template), style, &span, err);
	if (rule.target == NULL)
		fail_msg("%s: %s", template, err->message);
	if (fail_nth > 0)
		mem_fail(fail_nth, 1);
	ok = shown ? naming_show(&naming, &rule, &named, out, err)
		   : naming_expand(&naming, &rule, &named, out, err);
	mem_fail(0, 0);
	template_free(rule.target);
	return ok;
}

/* "xxx" `n` times, and `end`. */
static const char *
text(const char *what, size_t n, const char *end)
{
	static char texts[4][6000];
	static size_t turn;
	char *at = texts[turn++ % 4];
	size_t len = strlen(what);

	assert_true(n * len + strlen(end) < sizeof texts[0]);
	for (size_t i = 0; i < n; i++)
		memcpy(at + i * len, what, len);
	snprintf(at + n * len, sizeof texts[0] - n * len, "%s", end);
	return at;
}

static const char *
front(const char *before, const char *what, size_t n)
{
	static char whole[6000];

	snprintf(whole, sizeof whole, "%s%s", before, text(what, n, ""));
	return whole;
}

#define FOLDER TEMPLATE_FOR_FILE
#define URL TEMPLATE_FOR_URL
#define KEY TEMPLATE_FOR_KEY

/* What it is made of, shortened; then freed. `len` of it all, `front` and `end` as they have to be, around a hash. */
static void
expect_cut(enum template_style style, const char *template, const char *filename, const char *header, size_t len,
	const char *front, const char *end)
{
	struct buf out = { 0 }, again = { 0 };
	struct error err = { 0 };
	size_t n_front = strlen(front), n_end = strlen(end);

	assert_false(make(style, false, template, filename, header, false, &out, &err));
	assert_int_equal(err.kind, ERR_RULE);
	assert_non_null(strstr(err.message, "longer than"));
	buf_clear(&out);
	err = (struct error){ 0 };
	if (!make(style, true, template, filename, header, false, &out, &err))
		fail_msg("%s: %s", template, err.message);
	if (out.len != len)
		fail_msg("%s: %zu bytes: %s", template, out.len, out.data);
	if (memcmp(out.data, front, n_front) != 0 || memcmp(out.data + len - n_end, end, n_end) != 0)
		fail_msg("%s: %s", template, out.data);
	assert_int_equal(n_front + HASH + n_end, len);
	assert_int_equal(out.data[n_front], '_');
	assert_int_equal(strspn(out.data + n_front + 1, "0123456789abcdef") >= HASH - 1, 1);
	assert_true(make(style, true, template, filename, header, false, &again, &err));
	assert_string_equal(out.data, again.data);
	buf_free(&again);
	buf_free(&out);
}

/* As long as it may be: nothing happens to it. */
static void
expect_whole(enum template_style style, const char *template, const char *filename, size_t len)
{
	struct buf out = { 0 }, same = { 0 };
	struct error err = { 0 };

	if (!make(style, true, template, filename, "h", false, &out, &err) ||
		!make(style, false, template, filename, "h", false, &same, &err))
		fail_msg("%s: %s", template, err.message);
	assert_int_equal(out.len, len);
	assert_string_equal(out.data, same.data);
	buf_free(&same);
	buf_free(&out);
}

static void
each_limit_is_kept_and_one_byte_more_is_cut(void **state)
{
	(void)state;
	/* a segment of a folder: 255 bytes */
	expect_whole(FOLDER, "{file.name}", text("a", 255, ""), 255);
	expect_cut(FOLDER, "{file.name}", text("a", 256, ""), "", 255, text("a", 238, ""), "");
	expect_whole(FOLDER, "d/{file.name}", text("a", 251, ".txt"), 257);
	expect_cut(FOLDER, "{file.name}/b", text("a", 252, ".txt"), "", 257, text("a", 234, ""), ".txt/b");
	/* a path of a URL: 2048 bytes, with the '/' in front */
	expect_whole(URL, "{file.name}", text("a", 2043, ".txt"), 2048);
	expect_cut(URL, "a/{file.name}", text("b", 2043, ".txt"), "", 2048, front("/a/", "b", 2048 - 3 - HASH - 4),
		".txt");
	/* a key: 1024 bytes as it is meant, without that '/' */
	expect_whole(KEY, "a/{file.name}", text("b", 1022, ""), 1025);
	expect_cut(KEY, "a/{file.name}", text("b", 1023, ""), "", 1025, front("/a/", "b", 1025 - 3 - HASH), "");
}

static void
a_cut_is_between_characters_and_between_escapes(void **state)
{
	(void)state;
	expect_cut(FOLDER, "{file.name}", text("\u20ac", 86, ""), "", 254, text("\u20ac", 79, ""), "");
	expect_cut(FOLDER, "{file.name}", text("%", 86, ""), "", 254, text("%25", 79, ""), "");
	expect_cut(FOLDER, "{file.name}", text("\xff", 86, ".a"), "", 253, text("%FF", 78, ""), ".a");
	expect_cut(FOLDER, "{file.name}", text("\xf0\x9f\x98\x80", 64, ""), "", 253,
		text("\xf0\x9f\x98\x80", 59, ""), "");
	expect_cut(URL, "{file.name}", text("\u00e9", 342, ""), "", 2046, front("/", "%C3%A9", 338), "");
	expect_cut(KEY, "{file.name}", text("\u20ac", 342, ""), "", 3033, front("/", "%E2%82%AC", 335), "");
}

/* Its own text, dates, numbers and UUIDs are what the route file relies on. */
static void
only_what_a_client_brings_is_cut(void **state)
{
	struct buf out = { 0 };
	struct error err = { 0 };

	(void)state;
	expect_cut(
		FOLDER, "up-{file.name}-{part}", text("a", 252, ".txt"), "", 255, front("up-", "a", 229), ".txt-7");
	expect_cut(FOLDER, "{header.x-h}-{file.name}", text("a", 252, ".txt"), "hh", 255, front("hh-", "a", 231),
		".txt");
	expect_cut(
		FOLDER, "{file.name}.{file.ext}", text("a", 252, ".txt"), "", 255, text("a", 230, ""), ".txt.txt");
	/* nothing to be cut: what there is has been said by the template */
	assert_false(make(FOLDER, true, text("t", 240, "{file.name}"), text("a", 16, ""), "", false, &out, &err));
	assert_non_null(strstr(err.message, "longer than 255 bytes"));
	buf_free(&out);
}

static void
two_values_are_cut_where_one_is_not_enough(void **state)
{
	struct buf out = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(make(FOLDER, true, "{header.x-h}-{file.name}", text("a", 300, ".png"), text("h", 299, ""),
		false, &out, &err));
	assert_int_equal(out.len, 255);
	assert_memory_equal(out.data + out.len - 4, ".png", 4);
	buf_clear(&out);
	/* a whole name of many segments, each short enough */
	assert_true(make(FOLDER, true,
		"{header.x-h}/{header.x-h}/{header.x-h}/{header.x-h}/{header.x-h}/{header.x-h}/{header.x-h}/"
		"{header.x-h}/{header.x-h}/{file.name}",
		text("a", 300, ".png"), text("h", 255, ""), false, &out, &err));
	assert_int_equal(out.len, 2048);
	assert_memory_equal(out.data + out.len - 4, ".png", 4);
	buf_free(&out);
}

static void
names_that_differ_stay_different(void **state)
{
	struct buf one = { 0 }, other = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(make(FOLDER, true, "{file.name}", text("a", 400, "1.jpg"), "", false, &one, &err));
	assert_true(make(FOLDER, true, "{file.name}", text("a", 400, "2.jpg"), "", false, &other, &err));
	assert_true(one.len == 255 && other.len == 255 && strcmp(one.data, other.data) != 0);
	assert_memory_equal(one.data, other.data, 255 - HASH - 4);
	buf_clear(&one);
	buf_clear(&other);
	/* in another segment */
	assert_true(make(FOLDER, true, "{header.x-h}/{file.name}", text("a", 400, ".jpg"), "b", false, &one, &err));
	assert_true(
		make(FOLDER, true, "{header.x-h}/{file.name}", text("a", 400, ".jpg"), "c", false, &other, &err));
	assert_string_not_equal(one.data + 1, other.data + 1);
	buf_free(&one);
	buf_free(&other);
}

/* `penstock explain` writes "{uuid}" for a UUID: what is shown counts as long as what will be there. */
static void
a_name_is_shown_as_long_as_it_will_be(void **state)
{
	static const struct {
		const char *template;
		size_t name, real, shown;
	} rows[] = {
		{ "{uuid}-{file.name}", 218, 255, 225 },
		{ "{uuid}-{file.name}", 219, 255, 225 },
		{ "{date:%Y}-{file.name}", 250, 255, 260 },
		{ "{date:%Y}-{file.name}", 251, 255, 260 },
		{ "{file.name}", 256, 255, 255 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf real = { 0 }, shown = { 0 };
		struct error err = { 0 };
		const char *name = text("a", rows[i].name, "");

		assert_true(make(FOLDER, true, rows[i].template, name, "", false, &real, &err));
		assert_true(make(FOLDER, true, rows[i].template, name, "", true, &shown, &err));
		assert_int_equal(real.len, rows[i].real);
		assert_int_equal(shown.len, rows[i].shown);
		assert_int_equal(strchr(real.data, '_') != NULL, strchr(shown.data, '_') != NULL);
		buf_free(&real);
		buf_free(&shown);
	}
}

static void
no_allocation_that_fails_goes_unnoticed(void **state)
{
	const char *name = text("a", 300, ".txt");
	bool ok = false;

	(void)state;
	for (fail_nth = 1; !ok; fail_nth++) {
		struct buf out = { 0 };
		struct error err = { 0 };

		ok = make(FOLDER, true, "d/{file.name}", name, "", false, &out, &err);
		if (!ok && err.kind != ERR_NOMEM)
			fail_msg("allocation %zu: %s", fail_nth, err.message);
		assert_true(!ok || out.len == 257);
		assert_true(fail_nth < 1000);
		buf_free(&out);
	}
	assert_true(fail_nth > 5);
	fail_nth = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_is_kept_and_one_byte_more_is_cut),
		cmocka_unit_test(a_cut_is_between_characters_and_between_escapes),
		cmocka_unit_test(only_what_a_client_brings_is_cut),
		cmocka_unit_test(two_values_are_cut_where_one_is_not_enough),
		cmocka_unit_test(names_that_differ_stay_different),
		cmocka_unit_test(a_name_is_shown_as_long_as_it_will_be),
		cmocka_unit_test(no_allocation_that_fails_goes_unnoticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
