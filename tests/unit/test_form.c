// SPDX-License-Identifier: MIT
/* test_form.c - what is made of the body of a form: the table of sidecar/source/multipart/README.md, each row at every split. */
#include "base/mem.h"
#include "source/multipart/form.h"

#include "lib/check.h"

#include <stdio.h>

#define HEAD(disposition) "--B\r\nContent-Disposition: " disposition "\r\n\r\n"
#define PART(disposition, data) HEAD(disposition) data "\r\n"
#define END "--B--\r\n"
#define A PART("form-data; name=a", "1")

static struct boundary boundary = { "B", 1 };

static bool
on_begin(void *arg, const struct part_head *head)
{
	struct buf *log = arg;

	buf_add_char(log, '[');
	buf_add_str(log, head->field);
	if (head->filename.data != NULL) {
		buf_add_char(log, '|');
		buf_add_str(log, head->filename);
	}
	buf_add_char(log, ']');
	return true;
}

static bool
on_data(void *arg, const char *data, size_t len)
{
	buf_add(arg, data, len);
	return true;
}

static bool
on_end(void *arg, uint64_t size)
{
	buf_addf(arg, "(%d)", (int)size);
	return true;
}

static const struct source_events events = { .on_begin = on_begin, .on_data = on_data, .on_end = on_end };

/* The log of a good body; of another one only its verdict: "kind@offset". */
static void
read_body(struct str body, size_t first, size_t step, struct buf *log)
{
	struct form_limits limits = { .parts = 3, .part_head = 120 };
	struct error err = { 0 };
	struct form *form = form_new(&boundary, &limits, &events, log, &err);
	bool ok = form != NULL;

	for (size_t at = 0; ok && at < body.len;) {
		size_t n = at == 0 && first > 0 ? first : step;

		n = n < body.len - at ? n : body.len - at;
		ok = form_feed(form, body.data + at, n, &err);
		at += n;
	}
	if (!ok || !form_finish(form, &err)) {
		buf_clear(log);
		buf_addf(log, "%s@%lld", error_kind_name(err.kind), (long long)err.offset);
	}
	form_free(form);
}

static const struct {
	const char *body, *want;
} rows[] = {
	{ A END, "[a]1(1)" },
	{ PART("form-data; name=\"a\"; filename=\"\"", "") END, "[a|](0)" },
	{ PART("form-data;name=\"a b\";filename=x", "1\r\n2\r") END, "[a b|x]1\r\n2\r(5)" },
	{ "\r\n\r\n" A A END "epilogue\r\n--A\r\n", "[a]1(1)[a]1(1)" },
	{ PART("form-data; name=\"a\\\"b\\\\c\\d\"", "x\r\n-B--\r\n--") END, "[a\"b\\c\\d]x\r\n-B--\r\n--(11)" },
	{ PART("form-data; name=\"%22%0d%0A%41\"", "") END, "[\"\r\n%41](0)" },
	{ PART("form-data; filename*=UTF-8'en'%C3%A9; name=a", "") END, "[a|\xc3\xa9](0)" },
	{ PART("form-data; filename*=iso-8859-1''%E9; name=a", "") END, "[a|\xc3\xa9](0)" },
	{ PART("form-data; filename=s; filename*=UTF-8''%73; name=a", "") END, "[a|s](0)" },
	{ PART("form-data; filename=\"a%c3%A9%22\"; filename*=UTF-8''a%C3%A9%22; name=a", "") END,
		"[a|a%c3%A9\"](0)" },
	{ PART("form-data; name=a; filename=it's; filename*=utf-8''it%27s", "") END, "[a|it's](0)" },
	{ PART("form-data; name=\"a\\\"; what=\\\"b\\\"\"; filename=\"C:\\a\\\\b\"", "") END,
		"[a\"; what=\"b\"|C:\\a\\b](0)" },
	{ PART("form-data; name=\"a;rename=b;name\"", "") END, "[a;rename=b;name](0)" },
	{ PART("form-data; name=a\r\nContent-Type: multipart/form-data", "x") END, "[a]x(1)" },
	{ PART("form-data; name=a\r\nContent-Type: multipart/mixed", "x") END, "[a]x(1)" },
	{ PART("form-data; name=a; filename=b\r\nContent-Type: multipart/mixed; boundary=x", "--x--") END,
		"[a|b]--x--(5)" },
	{ PART("form-data; name*=utf-8''say%20%22hi%22; filename=\"x\"", "") END, "[say \"hi\"|x](0)" },
	/* what reqwest does not escape */
	{ PART("form-data; name=a; filename*=utf-8''IMG%20(1).jpg", "") END, "[a|IMG (1).jpg](0)" },
	{ PART("form-data; name=a; filename*=utf-8''Smith,%20J.pdf", "") END, "[a|Smith, J.pdf](0)" },
	{ PART("form-data; name=\"a\"; filename*=utf-8''gr%C3%B6%C3%9Fe%20[2]@x:y=z&+^|~'.jpg ", "") END,
		"[a|größe [2]@x:y=z&+^|~'.jpg](0)" },
	{ PART("form-data; name*=utf-8''user[first%20name]; filename=\"x\"", "") END, "[user[first name]|x](0)" },
	{ PART("form-data; name=\"=?utf-8?B?R3LDtsOfZQ==?=\"", "") END,
		"[Gr\xc3\xb6\xc3\x9f"
		"e](0)" },
	{ PART("form-data; name=a; filename=\"=?UTF-8?b?4piD?=\"; filename*=utf-8''%E2%98%83", "") END,
		"[a|\xe2\x98\x83](0)" },
	{ PART("form-data; name=\"=?utf-8?B?Y3NyZg==?=\"", "") END, "[=?utf-8?B?Y3NyZg==?=](0)" },
	{ PART("form-data; name=\"=?utf-8?B?w6kK?=\"; filename=\"=?utf-8?B?4piD\"", "") END,
		"[=?utf-8?B?w6kK?=|=?utf-8?B?4piD](0)" },
	{ PART("form-data; name=\"=?utf-8?B?w6=k?=\"; filename=\"=?utf-8?B?\?=\"", "") END,
		"[=?utf-8?B?w6=k?=|=?utf-8?B?\?=](0)" },
	{ PART("form-data; name=\"=?utf-8?B?//8=?=\"; filename=\"=?utf-8?Q?=C3=A9?=\"", "") END,
		"[=?utf-8?B?//8=?=|=?utf-8?Q?=C3=A9?=](0)" },
	{ "--B\r\nCONTENT-TYPE:x/y\r\ncontent-disposition:\tForm-Data; Name=a\r\n\r\n\r\n" END, "[a](0)" },
	{ END, "" },
	{ A, "truncated@50" },
	{ A "--B-", "truncated@54" },
	{ "", "truncated@0" },
	{ "x" A END, "malformed@1" },
	{ "x\r\n" A END, "[a]1(1)" },
	{ "\r\n x" A END, "malformed@4" },
	{ "--C\r\n", "malformed@0" },
	{ A "--Bx", "malformed@53" },
	{ A "--B \r\n", "malformed@53" },
	{ A "--B--", "[a]1(1)" },
	{ A "--B--x", "malformed@55" },
	{ A "--B-- ", "malformed@55" },
	{ A "--B--\n", "malformed@55" },
	{ A "--B--\r", "malformed@56" },
	{ A "--B--\rx\r\n", "malformed@56" },
	{ "--B\n", "malformed@3" },
	{ HEAD("form-data; name=a") END, "malformed@47" },
	/* a blank beside the '=', to some no parameter; a tab, to some no blank */
	{ HEAD("form-data; name=a; filename =b") END, "malformed@5" },
	{ HEAD("form-data; name=a; filename= b") END, "malformed@5" },
	{ HEAD("form-data; name = \"a\"") END, "malformed@5" },
	{ HEAD("form-data;\tname=a") END, "malformed@5" },
	{ HEAD("form-data; name=a\t; filename=b") END, "malformed@5" },
	{ PART("form-data  ;name=a  ;  filename=b ;", "") END, "[a|b](0)" },
	/* the boundary in a head: Django ends the part there */
	{ PART("form-data; name=a; filename=\"--B\"", "x") END, "malformed@55" },
	{ PART("form-data; name=a\r\nX: y--Bz", "x") END, "malformed@49" },
	{ PART("form-data; name=a\r\nX: --", "B") END, "[a]B(1)" },
	/* the boundary where it delimits nothing: behind the end, behind LF or CR alone, in a line */
	{ A END "epilogue\r\n--B\r\n", "malformed@67" },
	{ A END A END, "malformed@57" },
	{ END A END, "malformed@7" },
	{ A END "x--B", "malformed@58" },
	/* what Django takes for a part with its head, before the first delimiter or behind the last */
	{ "Content-Disposition: form-data; name=b\r\n\r\n2\r\n" A END, "malformed@41" },
	{ "\r\nx\r\n\r\n\r\n" A END, "malformed@6" },
	{ "x\n\ny\r\n" A END, "malformed@2" },
	{ "x\r\ny\r\n\r\n" A END, "[a]1(1)" },
	{ A END "Content-Disposition: form-data; name=b\r\n\r\n2", "malformed@98" },
	{ A END "\r\nx\r\n\r\n", "malformed@63" },
	{ A END "x\r\n\r", "[a]1(1)" },
	{ A END "\r\n\r\n\r\n", "[a]1(1)" },
	{ A END "x\r\n\r\n--B", "malformed@61" },
	{ HEAD("form-data; name=a") "1\n--B\r\n\r\n\r\n" END, "malformed@49" },
	{ HEAD("form-data; name=a") "1\r--B\r\n\r\n\r\n" END, "malformed@49" },
	{ HEAD("form-data; name=a") "\n--B--\r\n" END, "malformed@48" },
	{ HEAD("form-data; name=a") "1--B\r\n\r\n\r\n" END, "malformed@48" },
	{ HEAD("form-data; name=a") "1\r\n---B\r\n" END, "malformed@51" },
	{ HEAD("form-data; name=a") "1--B\r\n" END, "malformed@48" },
	{ PART("form-data; name=a; name=b", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename=x; filename=y", "") END, "malformed@5" },
	{ PART("form-data; name=a; name*=utf-8''a", "") END, "malformed@5" },
	{ PART("form-data; name*=utf-8''a%20; name*=utf-8''b%20", "") END, "malformed@5" },
	{ PART("form-data; name*=utf-8''csrf", "") END, "malformed@5" },
	{ PART("form-data; name*=utf-8''%63srf", "") END, "malformed@5" },
	{ PART("form-data; name*=koi8-r''x", "") END, "malformed@5" },
	{ PART("form-data; name*=utf-8''%0", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=utf-8''a%20;b", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=utf-8''a%20\\b", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=utf-8''a%20\"b", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=\"utf-8''a\"", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*='x", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=", "") END, "malformed@5" },
	{ PART("form-data; name*=utf-8''it's%20; filename=x", "") END, "malformed@5" },
	{ PART("form-data", "") END, "malformed@5" },
	{ PART("attachment; name=a", "") END, "malformed@5" },
	{ PART("form-data; name=\"a", "") END, "malformed@5" },
	{ PART("form-data; name=\"a\"b", "") END, "malformed@5" },
	{ PART("form-data; name=\"a\\\"; name=\"evil\"; name=\"real\"", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=koi8-r''x", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=UTF-8'x", "") END, "malformed@5" },
	{ PART("form-data; name*=UTF-8'%20", "") END, "malformed@5" },
	/* what a filename is: two that differ, one that is not decoded, %XX that spells another */
	{ PART("form-data; name=a; filename=good.png; filename*=UTF-8''evil.php", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=UTF-8''s%20; filename=s", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename=\"\"; filename*=UTF-8''s", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename=s; filename*=koi8-r''s", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename=%73%2e; filename*=UTF-8''s", "") END, "malformed@5" },
	/* unquoted: tokens */
	{ PART("form-data; name=a; filename=evil.php(.png", "") END, "malformed@5" },
	{ PART("form-data; name=a[]", "") END, "malformed@5" },
	{ PART("form-data; name=\xc3\xa9", "") END, "malformed@5" },
	{ PART("form-data; name=a,b", "") END, "malformed@5" },
	{ PART("form-data; name=a=b", "") END, "malformed@5" },
	{ PART("form-data; name=a\\b", "") END, "malformed@5" },
	{ PART("form-data; name=a\"b\"", "") END, "malformed@5" },
	{ PART("form-data; name=", "") END, "malformed@5" },
	{ PART("form-data; name=a; x=(", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*=UTF-8''x(%20", "") END, "[a|x( ](0)" }, /* reqwest */
	{ PART("form-data; name='a'", "") END, "malformed@5" },
	{ PART("form-data; name=it's; filename=x", "") END, "malformed@5" },
	{ PART("form-data; x'=1; name=a", "") END, "malformed@5" },
	/* a backslash that is an escape to one and itself to another */
	{ PART("form-data; name=a; filename=\"x.png\\\\\"; z=\"; filename=evil.php\"", "") END, "malformed@5" },
	{ PART("form-data; name=\"a\\\\\"; filename=\"x\"", "") END, "malformed@5" },
	{ PART("form-data; name=\"a\\\"; filename=\\\"x\"", "") END, "malformed@5" },
	{ PART("form-data; name=\"a; FileName\t=x\"", "") END, "malformed@5" },
	{ PART("form-data; name=\"a;name* =utf-8''x\"", "") END, "malformed@5" },
	/* other lines of a head */
	{ "--B\r\nContent-Disposition : form-data; name=a\r\n\r\n\r\n" END, "malformed@5" },
	{ PART("form-data; name=a\r\n--B: x", "") END, "malformed@45" },
	{ PART("form-data; name=a\r\n--C: x", "") END, "malformed@45" },
	{ PART("form-data; name=a; name*=UTF-8''b", "") END, "malformed@5" },
	{ PART("form-data; name=a; Name*0=b", "") END, "malformed@5" },
	{ PART("form-data; name=a; filename*0*=UTF-8''b; filename*1=c", "") END, "malformed@5" },
	{ PART("form-data; name=a\r\nX: 1\r\n folded", "") END, "malformed@51" },
	{ PART("form-data; name=a\r\nX: 1\tb\x01", "") END, "malformed@45" },
	{ PART("form-data; name=a\r\nno colon", "") END, "malformed@45" },
	{ PART("form-data; name=a\r\nContent-Disposition: form-data; name=b", "") END, "malformed@5" },
	{ PART("form-data; name=a\r\nContent-Type: Multipart/Mixed; Boundary=x", "") END, "malformed@5" },
	{ "--B\r\n\r\nx\r\n" END, "malformed@5" },
	{ PART("form-data; name=a\r\nContent-Type: a/b\r\nContent-Type: a/b", "") END, "malformed@5" },
	{ PART("form-data; name=a\r\nContent-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 8bit", "") END,
		"malformed@5" },
	{ PART("form-data; ; name=a;", "") END, "[a](0)" },
	{ "\r\n", "malformed@0" }, /* it ends before the boundary has come */
	{ A A A A END, "too-large@148" },
	{ PART("form-data; name=a\r\nX: 90123456789012345678901234567890123456789012345678901234567890123456789012345678",
		  "") END,
		"too-large@125" },
};

static void
every_row_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct str body = str_of(rows[i].body);
		struct buf log = { 0 };

		for (size_t first = 0; first <= body.len; first++) {
			buf_clear(&log);
			read_body(body, first, first % 2 == 0 ? body.len : 1, &log);
			if (!str_is(buf_str(&log), rows[i].want))
				print_message("row %zu, split at %zu: %s\n", i, first, rows[i].body);
			assert_string_equal(log.data != NULL ? log.data : "", rows[i].want);
		}
		buf_free(&log);
	}
}

/* Also at the seams of what is looked at together, and beside what looks like it. */
static void
a_delimiter_is_found_wherever_it_stands(void **state)
{
	static const char like[] = "abc\r\n-\r\n--A\r\n--\r\r-", head[] = HEAD("form-data; name=a"),
			  end[] = "\r\n" END;
	static const size_t steps[] = { 4096, 1, 127, 128, 129, 257 };
	struct buf content = { 0 }, body = { 0 }, want = { 0 }, log = { 0 };

	(void)state;
	for (size_t n = 1; n <= 700; n++) {
		buf_add(&content, like + (n - 1) % (sizeof like - 1), 1);
		buf_clear(&body);
		buf_addf(&body, "%s%.*s%s%300s", head, (int)n, content.data, end, "an epilogue");
		buf_clear(&want);
		buf_addf(&want, "[a]%.*s(%zu)", (int)n, content.data, n);
		for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
			buf_clear(&log);
			read_body(buf_str(&body), 0, steps[i], &log);
			if (!str_is(buf_str(&log), want.data))
				fail_msg("%zu bytes of content, fed by %zu: %s", n, steps[i], log.data);
		}
	}
	buf_free(&content);
	buf_free(&body);
	buf_free(&want);
	buf_free(&log);
}

static void
a_nul_in_a_head_is_refused(void **state)
{
	static const char body[] = PART("form-data; name=\"a\0b\"", "") END;
	struct buf log = { 0 };

	(void)state;
	read_body((struct str){ body, sizeof body - 1 }, 0, sizeof body, &log);
	assert_string_equal(log.data, "malformed@5");
	buf_free(&log);
}

static void
each_allocation_may_fail(void **state)
{
	static const char body[] = PART("form-data; name=\"=?utf-8?B?w6k=?=\"; filename*=UTF-8''x", "1") END;

	(void)state;
	for (size_t nth = 1; nth < 100; nth++) {
		char space[256];
		struct buf log = { .data = space, .cap = sizeof space }; /* its own allocations do not fail */

		mem_fail(nth, 1);
		read_body((struct str){ body, sizeof body - 1 }, 0, sizeof body, &log);
		if (mem_fail(0, 0) < nth) {
			assert_string_equal(log.data, "[\xc3\xa9|x]1(1)");
			return;
		}
		assert_string_equal(log.data, "out-of-memory@-1");
	}
	fail();
}

static const struct {
	const char *type, *want; /* NULL: refused */
} types[] = {
	{ "multipart/form-data; boundary=abc", "abc" },
	{ "Multipart/Form-Data;charset=\"utf-8\";BOUNDARY=\"a b(c)\"", "a b(c)" },
	{ "multipart/form-data; boundary==/:?@+&'_.-", "=/:?@+&'_.-" },
	{ "multipart/form-data; boundary=----=_Part_1; charset=utf-8", "----=_Part_1" },
	{ "multipart/form-data; boundary=B;", "B" },
	{ "multipart/form-data", NULL },
	{ "multipart/form-dataX; boundary=B", NULL },
	{ "multipart/mixed; boundary=B", NULL },
	{ "multipart/form-data; boundary=", NULL },
	{ "multipart/form-data; boundary=\"\"", NULL },
	{ "multipart/form-data; boundary=\"x \"", NULL },
	{ "multipart/form-data; boundary=a; boundary=b", NULL },
	{ "multipart/form-data; xboundary=NO", NULL },
	{ "multipart/form-data; boundary*=utf-8''x; boundary=x", NULL },
	{ "multipart/form-data; boundary=a, multipart/form-data; boundary=b", NULL },
	{ "multipart/form-data; boundary=\"'", NULL },
	/* of which somebody takes another part for the boundary */
	{ "multipart/form-data; boundary=a,b", NULL },
	{ "multipart/form-data; boundary=\"a,b\"", NULL },
	{ "multipart/form-data; boundary=\"a\\b\"", NULL },
	{ "multipart/form-data; boundary=a(b)", NULL },
	{ "multipart/form-data; boundary='a'", NULL },
	{ "multipart/form-data; boundary=\"a\tb\"", NULL },
	{ "multipart/form-data; boundary=a;b\"c\"", NULL },
	{ "multipart/form-data; x=\"; boundary=X; y\"; boundary=a", NULL },
	{ "multipart/form-data; boundary=a; x=\"; BOUNDARY=X\"", NULL },
	{ "multipart/form-data; xboundary=X; boundary=a", NULL },
	{ "multipart/form-data; boundary=a; boundary2=b", NULL },
	{ "multipart/form-data; x=boundary; boundary=a", NULL },
	{ "multipart/form-data; boundary=aboundary=b", NULL },
	{ "multipart/form-data; charset=\"a\\\"; boundary=b", NULL },
	{ "multipart/form-data; charset=a,b; boundary=b", NULL },
	{ "multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890",
		"1234567890123456789012345678901234567890123456789012345678901234567890" },
	{ "multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
		NULL },
};

static void
boundaries_are_read_by_the_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct boundary got;
		struct error err = { 0 };
		bool ok = boundary_read(str_of(types[i].type), &got, &err);

		if (ok != (types[i].want != NULL))
			print_message("%s\n", types[i].type);
		assert_int_equal(ok, types[i].want != NULL);
		if (ok)
			assert_string_equal(got.text, types[i].want);
		else
			assert_int_equal(err.kind, ERR_MEDIA_TYPE);
	}
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	return form_setup(&err) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	form_teardown();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_at_every_split),
		cmocka_unit_test(a_delimiter_is_found_wherever_it_stands),
		cmocka_unit_test(a_nul_in_a_head_is_refused),
		cmocka_unit_test(each_allocation_may_fail),
		cmocka_unit_test(boundaries_are_read_by_the_grammar),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
