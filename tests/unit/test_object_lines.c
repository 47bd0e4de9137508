// SPDX-License-Identifier: MIT
/* test_object_lines.c - what the header lines of an object say: whatever a client says, it ends neither a line nor a quoted text, and
 * is not longer than it may be. */
#include "base/mem.h"
#include "config/object_head.h"
#include "part/object_lines.h"

#include "lib/check.h"
#include "lib/random_bytes.h"
#include "lib/routes.h"

/* -- Content-Disposition ---------------------------------------------------------------------------- */

static const struct {
	struct str filename;
	const char *value;
} names[] = {
	{ { NULL, 0 }, "attachment" },
	{ STR(""), "attachment" },
	{ STR("folder/"), "attachment" },
	{ STR("a.pdf"), "attachment; filename=\"a.pdf\"" },
	{ STR("C:\\x\\a b;c=d.pdf"), "attachment; filename=\"a b;c=d.pdf\"" },
	{ STR("../../etc/passwd"), "attachment; filename=\"passwd\"" },
	{ STR("a\"b.txt"), "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt" },
	{ STR("\""), "attachment; filename=\"_\"; filename*=UTF-8''%22" },
	{ STR("50%41.txt"), "attachment; filename=\"50_41.txt\"; filename*=UTF-8''50%2541.txt" },
	{ STR("it's (1)*.txt"), "attachment; filename=\"it's (1)*.txt\"" },
	{ STR("f\xc3\xbcr's (1).txt"),
		"attachment; filename=\"f_r's (1).txt\"; filename*=UTF-8''f%C3%BCr%27s%20%281%29.txt" },
	{ STR("\xf0\x9f\x8e\x89"), "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%8E%89" },
	{ STR("a\r\nX-Y: z\0.txt"), "attachment; filename=\"a__X-Y: z_.txt\"" },
	{ STR("\x7f\xc2\x85\xc2\x9f"), "attachment; filename=\"___\"" },
	{ STR("\xff.txt"), "attachment; filename=\"_.txt\"; filename*=UTF-8''%EF%BF%BD.txt" },
};

static void
a_name_is_told_in_ascii_and_where_that_is_not_all_in_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct buf out = { 0 };

		object_lines_add_attachment(&out, names[i].filename);
		assert_string_equal(out.data, names[i].value);
		buf_free(&out);
	}
}

static void
a_long_name_is_cut_in_front_of_its_extension(void **state)
{
	static const struct {
		const char *character;
		size_t n;
		const char *end;
		size_t stem; /* bytes of it that are left */
	} cases[] = {
		{ "a", OBJECT_LINES_FILENAME_MAX - 4, ".pdf", OBJECT_LINES_FILENAME_MAX - 4 },
		{ "a", OBJECT_LINES_FILENAME_MAX - 3, ".pdf", OBJECT_LINES_FILENAME_MAX - 4 },
		{ "a", 5000, ".pdf", OBJECT_LINES_FILENAME_MAX - 4 }, { "a", 5000, "", OBJECT_LINES_FILENAME_MAX },
		{ "\xc3\xa4", 125, ".txt", 250 },
		{ "\xc3\xa4", 126, ".txt", 250 },                              /* not 251: half of a character */
		{ "\xf0\x9f\x8e\x89", 100, "", 252 }, { "\xff", 90, "", 255 }, /* three bytes are said for each */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf name = { 0 }, out = { 0 }, want = { 0 };
		size_t each = strlen(cases[i].character) > 1 ? strlen(cases[i].character) : 1;
		size_t said = cases[i].character[0] == '\xff' ? 3 : each;

		for (size_t j = 0; j < cases[i].n; j++)
			buf_add_text(&name, cases[i].character);
		buf_add_text(&name, cases[i].end);
		object_lines_add_attachment(&out, buf_str(&name));
		buf_add_text(&want, "attachment; filename=\"");
		for (size_t j = 0; j < cases[i].stem / said; j++)
			buf_add_char(&want, cases[i].character[0] == 'a' ? 'a' : '_');
		buf_addf(&want, "%s\"", cases[i].end);
		assert_true(out.len >= want.len);
		assert_memory_equal(out.data, want.data, want.len);
		assert_true(out.len <= want.len + 2 + strlen("filename*=UTF-8''") + 3 * OBJECT_LINES_FILENAME_MAX);
		buf_free(&name);
		buf_free(&out);
		buf_free(&want);
	}
}

/* attachment; filename="TEXT"; filename*=UTF-8''TEXT, and each text of such bytes alone as end neither. */
static void
check_attachment(struct str value)
{
	static const char begin[] = "attachment", first[] = "; filename=\"", second[] = "; filename*=UTF-8''";
	const char *at = value.data + sizeof begin - 1;

	assert_memory_equal(value.data, begin, sizeof begin - 1);
	if (*at == '\0')
		return;
	assert_memory_equal(at, first, sizeof first - 1);
	for (at += sizeof first - 1; *at != '"'; at++)
		assert_true(*at >= 0x20 && *at <= 0x7e && *at != '\\');
	if (*++at == '\0')
		return;
	assert_memory_equal(at, second, sizeof second - 1);
	for (at += sizeof second - 1; *at != '\0'; at++)
		assert_non_null(
			strchr("%-._~!#$&+^`|0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *at));
	assert_int_equal(at - value.data, value.len);
}

static char
some_byte(uint64_t *random)
{
	static const char awkward[] = "\"\\%\r\n'*;=/\0\xc3\xa4\xf0";

	if (random_one_in(random, 3))
		return (char)random_below(random, 256);
	return awkward[random_below(random, sizeof awkward)];
}

static void
no_name_breaks_out(void **state)
{
	uint64_t random = 15;
	char bytes[600];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = i < 256 ? 1 : random_below(&random, i % 10 == 0 ? sizeof bytes : 8);
		struct buf out = { 0 };

		for (size_t j = 0; j < len; j++)
			bytes[j] = i < 256 ? (char)i : some_byte(&random);
		object_lines_add_attachment(&out, (struct str){ bytes, len });
		check_attachment(buf_str(&out));
		buf_free(&out);
	}
}

/* -- lines of a part ----------------------------------------------------------------------------------- */

static const char file[] =
	"version: 1\n"
	"destinations:\n"
	"  d: { type: s3, bucket: bkt, content_type: text/plain, content_disposition: attachment,\n"
	"       metadata: { all: \"{field}\" } }\n"
	"  h: { type: http, url: \"http://127.0.0.1:1\" }\n"
	"routes:\n"
	"  - id: r\n"
	"    match: { path: \"/a/*\" }\n"
	"    fields:\n"
	"      - { name: a, store: { to: d, key: \"{uuid}\" } }\n"
	"      - name: b\n"
	"        store:\n"
	"          to: d\n"
	"          key: \"{uuid}\"\n"
	"          content_type: declared\n"
	"          content_disposition: none\n"
	"          metadata:\n"
	"            user: \"{header.X}\"\n"
	"            X.Y: \"{file.name}|{file.ext}|{path.1}|{query.q}|{part}|{request_id}|{date:%Y}|100%|ü\"\n"
	"      - { name: c, concat: { to: d, key: c, content_type: declared, metadata: {} } }\n"
	"      - { name: d, store: { to: h, path: \"{uuid}\", content_type: image/png } }\n"
	"      - { name: e, store: { to: h, path: \"{uuid}\" } }\n"
	"      - { name: f, store: { to: d, key: \"{uuid}\", content_disposition: none,\n"
	"                            metadata: { n: \"x.{file.ext}\" } } }\n"
	"      - { name: g, store: { to: d, key: \"{uuid}\", metadata: {}, presign: 1500ms } }\n"
	"      - { name: h, concat: { to: d, key: h, metadata: {}, content_disposition: none, presign: 168h } }\n"
	"      - { name: i, store: { to: h, path: \"{uuid}\", content_type: detected } }\n"
	"      - { name: j, store: { to: d, key: \"{uuid}\", content_disposition: none, content_type: detected,\n"
	"                            metadata: { n: \"x.{detected.ext}\" } } }\n"
	"      - { name: k, concat: { to: d, key: k, content_disposition: none, content_type: detected, metadata: {} } }\n";

static bool
header_x(const void *arg, struct str name, size_t nth, struct str *value)
{
	*value = *(const struct str *)arg;
	return nth == 0 && str_is(name, "X");
}

/* All lines as "name: value" and a line feed, the type first, and then what a link is to be. The client says `text` wherever it can, of the types `type`. */
static bool
make(const struct config *config, size_t rule, struct str text, struct str type, struct buf *out, struct error *err)
{
	struct match_result match = { .n_captures = 1, .captures = { STR("p%2Fq") } };
	struct head head = { .header = header_x, .arg = &text, .target = STR("/a/x?q=%0d%0a") };
	struct naming naming = { .head = &head, .match = &match, .request_id = STR("id-1") };
	struct part_head part = { .number = 7, .field = text, .filename = text, .type = type };
	struct named_part named = { .head = &part, .detected_type = STR("image/webp") };
	struct delivery delivery = { .rule = &config->routes[0].rules[rule] };
	bool ok;

	delivery.order.to = delivery.rule->to;
	ok = object_lines_make(&naming, &named, &delivery, err);
	if (ok)
		buf_addf(out, "Content-Type: %s\n", delivery.type.data);
	for (size_t i = 0; ok && i < delivery.order.n_lines; i++)
		buf_addf(out, "%s: %s\n", delivery.order.lines[i].name, delivery.order.lines[i].value);
	if (ok && delivery.order.link_s > 0)
		buf_addf(out, "%u s, %s\n", delivery.order.link_s,
			delivery.order.link_as != NULL ? delivery.order.link_as : "as it says itself");
	buf_free(&delivery.type);
	buf_free(&delivery.head);
	buf_free(&delivery.link_as);
	mem_free(delivery.lines);
	return ok;
}

static const struct {
	size_t rule;
	struct str text, type;
	const char *lines;
} parts[] = {
	{ 8, STR("a.exe"), STR("image/gif"), "Content-Type: image/webp\n" },
	{ 9, STR("a.exe"), STR("image/gif"), "Content-Type: image/webp\nx-amz-meta-n: x.webp\n" },
	{ 10, STR("a.exe"), STR("image/gif"), "Content-Type: application/octet-stream\n" },
	{ 0, STR("a.b"), STR("image/gif"),
		"Content-Type: text/plain\nContent-Disposition: attachment; filename=\"a.b\"\nx-amz-meta-all: a.b\n" },
	{ 0, STR(""), STR("image/gif"), "Content-Type: text/plain\nContent-Disposition: attachment\n" },
	{ 1, STR("a\r\nX-Amz-Acl: public-read.txt"), STR("image/gif"),
		"Content-Type: image/gif\nx-amz-meta-user: a%0D%0AX-Amz-Acl: public-read.txt\n"
		"x-amz-meta-X.Y: a%0D%0AX-Amz-Acl: public-read.txt|txt|p/q|%0D%0A|7|id-1|1970|100%25|%C3%BC\n" },
	{ 1, STR("  a  b   \t"), STR("image/gif\r\nX: y"),
		"Content-Type: application/octet-stream\nx-amz-meta-user: %20%20a %20b %20%20%09\n"
		"x-amz-meta-X.Y: %20%20a %20b %20%20%09||p/q|%0D%0A|7|id-1|1970|100%25|%C3%BC\n" },
	{ 1, STR("\0\xff\x7f"), STR(""),
		"Content-Type: application/octet-stream\nx-amz-meta-user: %00%FF%7F\n"
		"x-amz-meta-X.Y: %00%FF%7F||p/q|%0D%0A|7|id-1|1970|100%25|%C3%BC\n" },
	{ 1, STR(""), STR("\xc3\xa4/b"),
		"Content-Type: application/octet-stream\nx-amz-meta-X.Y: ||p/q|%0D%0A|7|id-1|1970|100%25|%C3%BC\n" },
	{ 2, STR("a.b"), STR("image/gif"),
		"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"a.b\"\n" },
	{ 3, STR("a.b"), STR("image/gif"), "Content-Type: image/png\n" },
	{ 4, STR("a.b"), STR("image/gif"), "Content-Type: image/gif\n" },
	{ 5, STR("a.b"), STR("image/gif"), "Content-Type: text/plain\nx-amz-meta-n: x.b\n" },
	{ 5, STR("a"), STR("image/gif"), "Content-Type: text/plain\nx-amz-meta-n: x\n" },
	{ 6, STR("a\r\nb"), STR("image/gif"),
		"Content-Type: text/plain\nContent-Disposition: attachment; filename=\"a__b\"\n1 s, attachment; filename=\"a__b\"\n" },
	{ 7, STR("a"), STR("image/gif"), "Content-Type: text/plain\n604800 s, as it says itself\n" },
};

static void
each_rule_says_what_it_says_or_what_its_destination_does(void **state)
{
	struct config *config = routes_of(file);

	(void)state;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		if (!make(config, parts[i].rule, parts[i].text, parts[i].type, &out, &err))
			fail_msg("%zu: %s", i, err.message);
		assert_string_equal(out.data, parts[i].lines);
		buf_free(&out);
	}
	config_free(config);
}

/* "x-amz-meta-all" and the field. */
static void
metadata_has_a_limit(void **state)
{
	struct config *config = routes_of(file);
	size_t room = 1990 - strlen("x-amz-meta-all");
	char text[2048];

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t over = 0; over < 2; over++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		assert_int_equal(
			make(config, 0, (struct str){ text, room + over }, STR_NONE, &out, &err), over == 0);
		if (over > 0) {
			assert_int_equal(err.kind, ERR_RULE);
			assert_string_equal(err.limit, "metadata");
			assert_string_equal(
				err.message, "its metadata would have 1991 bytes with the names; 1990 are taken");
		}
		buf_free(&out);
	}
	text[0] = '\n'; /* three bytes, as it is sent */
	for (size_t over = 0; over < 2; over++) {
		struct error err = { 0 };
		struct buf out = { 0 };

		assert_int_equal(
			make(config, 0, (struct str){ text, room - 2 + over }, STR_NONE, &out, &err), over == 0);
		buf_free(&out);
	}
	config_free(config);
}

static void
a_value_is_sent_as_printable_ascii_that_can_be_read_back(void **state)
{
	uint64_t random = 16;
	char bytes[40];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = random_below(&random, sizeof bytes);
		struct buf out = { 0 }, back = { 0 };

		for (size_t j = 0; j < len; j++)
			bytes[j] = (char)(random_one_in(&random, 2)
					? ' '
					: 1 + random_below(&random, 255)); /* %00 is not decoded */
		object_head_escape(&out, (struct str){ bytes, len });
		for (size_t j = 0; j < out.len; j++) {
			assert_true(out.data[j] >= 0x20 && out.data[j] <= 0x7e);
			assert_false(out.data[j] == ' ' && (j == 0 || j + 1 == out.len || out.data[j - 1] == ' '));
		}
		assert_true(percent_decode(buf_str(&out), false, &back));
		assert_true(str_equal(buf_str(&back), (struct str){ back.data != NULL ? bytes : NULL, len }));
		buf_free(&out);
		buf_free(&back);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_told_in_ascii_and_where_that_is_not_all_in_utf8),
		cmocka_unit_test(a_long_name_is_cut_in_front_of_its_extension),
		cmocka_unit_test(no_name_breaks_out),
		cmocka_unit_test(each_rule_says_what_it_says_or_what_its_destination_does),
		cmocka_unit_test(metadata_has_a_limit),
		cmocka_unit_test(a_value_is_sent_as_printable_ascii_that_can_be_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
