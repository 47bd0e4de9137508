// SPDX-License-Identifier: MIT
/* test_template.c - templates become pieces, or an error that says which bytes are meant. */
#include "config/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The pieces, each source between '<' and '>'. */
static void
show(const struct template *t, struct buf *out)
{
	for (size_t i = 0; i < t->n_pieces; i++)
		buf_addf(out, "<%s>", t->pieces[i].source);
}

static const struct {
	const char *text;
	enum template_style style;
	const char *pieces; /* NULL: an error about bytes [offset, offset + len) */
	size_t offset, len;
} rows[] = {
	{ "{uuid}", TEMPLATE_FOR_FILE, "<{uuid}>", 0, 0 },
	{ "{uuid}", TEMPLATE_FOR_URL, "</><{uuid}>", 0, 0 },
	{ "/a/{part}.x", TEMPLATE_FOR_FILE, "<a/><{part}><.x>", 0, 0 },
	{ "/a/{part}.x", TEMPLATE_FOR_URL, "</a/><{part}><.x>", 0, 0 },
	{ "a/", TEMPLATE_FOR_URL, "</a/>", 0, 0 },
	{ "/", TEMPLATE_FOR_URL, "</>", 0, 0 },
	{ "{{{uuid}}}", TEMPLATE_FOR_FILE, "<{><{uuid}><}>", 0, 0 },
	{ "{date:%Y/%m}{query.a b}{header.X-A}{path.12}", TEMPLATE_FOR_FILE,
		"<{date:%Y/%m}><{query.a b}><{header.X-A}><{path.12}>", 0, 0 },
	{ "{field.album}/{field.user[id]}", TEMPLATE_FOR_FILE, "<{field.album}></><{field.user[id]}>", 0, 0 },
	{ "a/{field.}", TEMPLATE_FOR_FILE, NULL, 2, 8 },
	{ "a/{fields}", TEMPLATE_FOR_FILE, NULL, 2, 8 },
	{ "...", TEMPLATE_FOR_FILE, "<...>", 0, 0 },
	{ "a/{uiid}/b", TEMPLATE_FOR_FILE, NULL, 2, 6 },
	{ "a/{uuid", TEMPLATE_FOR_FILE, NULL, 2, 5 },
	{ "a}b", TEMPLATE_FOR_FILE, NULL, 1, 1 },
	{ "a b", TEMPLATE_FOR_URL, NULL, 1, 1 },
	{ "a%2", TEMPLATE_FOR_URL, NULL, 1, 1 },
	{ "a/./b", TEMPLATE_FOR_FILE, NULL, 0, 5 },
	{ "%2e%2E/b", TEMPLATE_FOR_URL, NULL, 0, 8 },
	{ "a%2F{uuid}%5c", TEMPLATE_FOR_URL, "</a%2F><{uuid}><%5c>", 0, 0 },
	{ "a%2F/b", TEMPLATE_FOR_URL, NULL, 0, 6 },
	{ "a%2f..%5Cb", TEMPLATE_FOR_URL, NULL, 0, 10 },
	{ "a%2f..%5Cb", TEMPLATE_FOR_FILE, "<a%2f..%5Cb>", 0, 0 },
	{ "100%25-{part}%25.txt%25", TEMPLATE_FOR_URL, "</100%25-><{part}><%25.txt%25>", 0, 0 },
	{ "a%252e", TEMPLATE_FOR_URL, NULL, 0, 6 },
	{ "a%25{field}", TEMPLATE_FOR_URL, NULL, 0, 11 },
	{ "a%252{field}", TEMPLATE_FOR_URL, NULL, 0, 12 },
	{ "a%25{date:%H}", TEMPLATE_FOR_URL, NULL, 0, 13 },
	{ "a%25{field}", TEMPLATE_FOR_FILE, "<a%25><{field}>", 0, 0 },
	{ "a//b", TEMPLATE_FOR_FILE, NULL, 0, 4 },
	{ "//a", TEMPLATE_FOR_FILE, NULL, 0, 3 },
	{ "a/", TEMPLATE_FOR_FILE, NULL, 0, 2 },
	{ "/", TEMPLATE_FOR_FILE, NULL, 0, 1 },
	{ "", TEMPLATE_FOR_FILE, NULL, 0, 0 },
	{ "{path.33}", TEMPLATE_FOR_FILE, NULL, 0, 9 },
	{ "{date:%A}", TEMPLATE_FOR_FILE, NULL, 0, 9 },
	{ "{date:%Y}", TEMPLATE_FOR_URL, "</><{date:%Y}>", 0, 0 },
	{ "{date:%H:%M}", TEMPLATE_FOR_URL, "</><{date:%H:%M}>", 0, 0 },
	{ "{date:%Y %m}", TEMPLATE_FOR_FILE, "<{date:%Y %m}>", 0, 0 },
	{ "a{date:%Y %m}", TEMPLATE_FOR_URL, NULL, 1, 12 },
	{ "a{date:%Y#%m}", TEMPLATE_FOR_URL, NULL, 1, 12 },
	{ "a{date:%Y?%m}", TEMPLATE_FOR_URL, NULL, 1, 12 },
	{ "a{date:\xc3\xa9}", TEMPLATE_FOR_URL, NULL, 1, 9 },
	{ "a{date:%Y\n%m}", TEMPLATE_FOR_URL, NULL, 1, 12 },
	{ "a{date:%Y\n%m}", TEMPLATE_FOR_FILE, NULL, 1, 12 },
	{ "a{date:%Y\x7f%m}", TEMPLATE_FOR_FILE, NULL, 1, 12 },
	{ "a{date:%Y{uuid}", TEMPLATE_FOR_FILE, NULL, 1, 14 },
	{ "x/.penstock-1", TEMPLATE_FOR_FILE, NULL, 0, 13 },
	{ "x/.penStock-1", TEMPLATE_FOR_FILE, NULL, 0, 13 },
	{ "/t?a=//{uuid}#x", TEMPLATE_FOR_LOCATION, "</t?a=//><{uuid}><#x>", 0, 0 },
	{ "?a", TEMPLATE_FOR_LOCATION, "</?a>", 0, 0 },
	{ "//a?b", TEMPLATE_FOR_LOCATION, NULL, 0, 5 },
	{ "/a/../b?c", TEMPLATE_FOR_LOCATION, NULL, 0, 9 },
	{ "/a\\b", TEMPLATE_FOR_LOCATION, NULL, 2, 1 },
};

static void
each_text_gives_its_pieces_or_the_bytes_that_are_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error err = { 0 };
		struct buf out = { 0 };
		struct span span;
		struct template *t = template_parse(str_of(rows[i].text), rows[i].style, &span, &err);

		if (t != NULL)
			show(t, &out);
		if ((t == NULL) != (rows[i].pieces == NULL))
			fail_msg("\"%s\": %s", rows[i].text, t != NULL ? "taken" : err.message);
		if (t != NULL)
			assert_string_equal(buf_str(&out).data, rows[i].pieces);
		else
			assert_true(
				span.offset == rows[i].offset && span.len == rows[i].len && err.kind == ERR_CONFIG);
		template_free(t);
		buf_free(&out);
	}
}

/* One byte may be missing to SEGMENT_MAX or be over it, as the conversions make it. */
static void
a_date_counts_with_the_bytes_that_it_becomes(void **state)
{
	static const char all[] = "{date:%Y%y%m%d%H%M%S%j%F%G%V%u%w}"; /* 4+2+2+2+2+2+2+3+10+4+2+1+1 = 37 */

	(void)state;
	for (size_t fill = 255 - 37; fill <= 256 - 37; fill++) {
		struct error err = { 0 };
		struct buf text = { 0 };
		struct span span;
		struct template *t;

		for (size_t i = 0; i < fill; i++)
			buf_add_char(&text, 'x');
		buf_add_text(&text, all);
		t = template_parse(buf_str(&text), TEMPLATE_FOR_FILE, &span, &err);
		assert_int_equal(t != NULL, fill == 255 - 37);
		template_free(t);
		buf_free(&text);
	}
}

static void
advice_names_every_byte_of_a_character(void **state)
{
	struct error err = { 0 };
	struct span span;

	(void)state;
	assert_null(template_parse(STR("\xe2\x82\xac"), TEMPLATE_FOR_URL, &span, &err));
	assert_string_equal(err.message, "'\xe2\x82\xac' cannot stand in the path of a URL; write it as %E2%82%AC");
}

static struct template *
parse(const char *text)
{
	struct error err = { 0 };
	struct span span;
	struct template *t = template_parse(str_of(text), TEMPLATE_FOR_FILE, &span, &err);

	assert_non_null(t);
	return t;
}

static void
only_uuid_and_part_differ_for_any_two_parts(void **state)
{
	static const struct {
		const char *text;
		bool differs;
	} cases[] = { { "{uuid}", true }, { "a{part}", true }, { "{field}/{file.name}", false },
		{ "{request_id}{date:%S}", false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template *t = parse(cases[i].text);

		assert_int_equal(template_differs_by_part(t), cases[i].differs);
		template_free(t);
	}
}

static void
a_slash_in_front_makes_no_other_name(void **state)
{
	struct template *a = parse("x/{field}"), *b = parse("/x/{field}"), *c = parse("y/{field}");

	(void)state;
	assert_true(template_equal(a, b));
	assert_false(template_equal(a, c));
	template_free(a);
	template_free(b);
	template_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_gives_its_pieces_or_the_bytes_that_are_wrong),
		cmocka_unit_test(a_date_counts_with_the_bytes_that_it_becomes),
		cmocka_unit_test(advice_names_every_byte_of_a_character),
		cmocka_unit_test(only_uuid_and_part_differ_for_any_two_parts),
		cmocka_unit_test(a_slash_in_front_makes_no_other_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
