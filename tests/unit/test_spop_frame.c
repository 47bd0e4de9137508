// SPDX-License-Identifier: MIT
/* test_spop_frame.c - the protocol's bytes, written down by hand, read and written. */
#include "spoa/frame.h"

#include "lib/check.h"

#define BYTES(literal) ((struct str){ (literal), sizeof(literal) - 1 })

static void
varints_at_their_edges(void **state)
{
	static const struct {
		uint64_t value;
		struct str bytes;
	} rows[] = {
		{ 0, { "\x00", 1 } },
		{ 239, { "\xef", 1 } },
		{ 240, { "\xf0\x00", 2 } },
		{ 241, { "\xf1\x00", 2 } },
		{ 256, { "\xf0\x01", 2 } },
		{ 2287, { "\xff\x7f", 2 } },
		{ 2288, { "\xf0\x80\x00", 3 } },
		{ 2289, { "\xf1\x80\x00", 3 } },
		{ 264431, { "\xff\xff\x7f", 3 } },
		{ 264432, { "\xf0\x80\x80\x00", 4 } },
		{ UINT64_MAX, { "\xff\xf0\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x0e", 10 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned char out[16];
		struct spop_writer w = { .data = out, .cap = sizeof out };
		struct str rest = rows[i].bytes;
		uint64_t value;

		spop_write_varint(&w, rows[i].value);
		assert_false(w.failed);
		assert_int_equal(w.len, rows[i].bytes.len);
		assert_memory_equal(out, rows[i].bytes.data, w.len);
		assert_true(spop_read_varint(&rest, &value));
		assert_true(value == rows[i].value && rest.len == 0);
		for (size_t n = 0; n < rows[i].bytes.len; n++) {
			rest = (struct str){ rows[i].bytes.data, n };
			assert_false(spop_read_varint(&rest, &value));
		}
	}
}

static void
a_varint_that_means_nothing_is_refused(void **state)
{
	static const struct str bad[] = {
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 11 }, /* too long */
		{ "\xff\xf0\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x0f", 10 },     /* one more than 64 bits hold */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10 },
		{ "\xf0\x80\x80\x80\x80\x80\x80\x80\x80\x10", 10 }, /* 2^64, which shifts to nothing */
		{ "\xf0\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct str rest = bad[i];
		uint64_t value;

		assert_false(spop_read_varint(&rest, &value));
	}
}

static void
values_of_every_type(void **state)
{
	struct str rest = BYTES("\x00"
				"\x01"
				"\x11"
				"\x02\x05"
				"\x03\xf0\x00"
				"\x04\x07"
				"\x05\x08"
				"\x06\x7f\x00\x00\x01"
				"\x07"
				"0123456789abcdef"
				"\x08\x02hi"
				"\x09\x00"
				"\xf8\x01x");
	static const struct spop_value want[] = {
		{ SPOP_NULL, false, 0, { NULL, 0 } }, { SPOP_BOOL, false, 0, { NULL, 0 } },
		{ SPOP_BOOL, true, 0, { NULL, 0 } }, { SPOP_INT32, false, 5, { NULL, 0 } },
		{ SPOP_UINT32, false, 240, { NULL, 0 } }, { SPOP_INT64, false, 7, { NULL, 0 } },
		{ SPOP_UINT64, false, 8, { NULL, 0 } }, { SPOP_IPV4, false, 0, { "\x7f\x00\x00\x01", 4 } },
		{ SPOP_IPV6, false, 0, { "0123456789abcdef", 16 } }, { SPOP_STRING, false, 0, { "hi", 2 } },
		{ SPOP_BINARY, false, 0, { "", 0 } },
		{ SPOP_STRING, false, 0, { "x", 1 } }, /* the upper bits are for flags */
	};

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		struct spop_value value;

		assert_true(spop_read_value(&rest, &value));
		assert_int_equal(value.type, want[i].type);
		assert_int_equal(value.truth, want[i].truth);
		assert_int_equal(value.number, want[i].number);
		assert_true(str_equal(value.bytes, want[i].bytes) || want[i].bytes.data == NULL);
	}
	assert_int_equal(rest.len, 0);
}

static void
values_cut_or_unknown_are_refused(void **state)
{
	static const struct str bad[] = { { "", 0 }, { "\x02", 1 }, { "\x06\x7f\x00\x00", 4 },
		{ "\x07"
		  "01234",
			6 },
		{ "\x08\x03hi", 4 }, { "\x0a", 1 }, { "\x0f\x00", 2 },
		{ "\x08\xff\xf0\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x0e", 11 } };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct str rest = bad[i];
		struct spop_value value;

		assert_false(spop_read_value(&rest, &value));
	}
}

/* As HAProxy 2.6 sends it. */
static const char hello[] = "\x01\x00\x00\x00\x01\x00\x00"
			    "\x12supported-versions\x08\x03"
			    "2.0"
			    "\x0emax-frame-size\x03\xfc\xf0\x06"
			    "\x0c"
			    "capabilities\x08\x10pipelining,async";

static void
a_hello_of_haproxy(void **state)
{
	struct spop_frame frame;
	struct spop_value value;
	struct str key;

	(void)state;
	assert_true(spop_read_frame(BYTES(hello), &frame));
	assert_int_equal(frame.type, SPOP_HAPROXY_HELLO);
	assert_int_equal(frame.flags, SPOP_FLAG_FIN);
	assert_true(frame.stream_id == 0 && frame.frame_id == 0);
	assert_true(spop_read_pair(&frame.payload, &key, &value));
	assert_true(str_is(key, "supported-versions") && str_is(value.bytes, "2.0"));
	assert_true(spop_read_pair(&frame.payload, &key, &value));
	assert_true(str_is(key, "max-frame-size") && value.number == 16380);
	assert_true(spop_read_pair(&frame.payload, &key, &value));
	assert_true(str_is(key, "capabilities") && str_is(value.bytes, "pipelining,async"));
	assert_int_equal(frame.payload.len, 0);
	for (size_t n = 0; n < 7; n++)
		assert_false(spop_read_frame((struct str){ hello, n }, &frame));
}

static void
an_ack_byte_for_byte(void **state)
{
	static const unsigned char want[] = "\x00\x00\x00\x19\x67\x00\x00\x00\x01\x05\x01"
					    "\x01\x03\x02\x05"
					    "allow\x11"
					    "\x01\x03\x02\x01s\x03\xfd\x0a";
	unsigned char out[64];
	struct spop_writer w;

	(void)state;
	spop_write_begin(&w, out, sizeof out, SPOP_ACK, 5, 1);
	spop_write_set_var(&w, SPOP_TRANSACTION, "allow");
	spop_write_bool(&w, true);
	spop_write_set_var(&w, SPOP_TRANSACTION, "s");
	spop_write_uint32(&w, 413);
	assert_true(spop_write_end(&w));
	assert_int_equal(w.len, sizeof want - 1);
	assert_memory_equal(out, want, w.len);
	assert_int_equal(spop_read_length(out), w.len - 4);
}

static void
what_does_not_fit_is_never_sent(void **state)
{
	unsigned char out[80];

	(void)state;
	for (size_t cap = 0; cap < sizeof out; cap++) {
		struct spop_writer w;

		memset(out, 0xee, sizeof out);
		spop_write_begin(&w, out, cap, SPOP_ACK, 1, 1);
		spop_write_set_var(&w, SPOP_TRANSACTION, "reason");
		spop_write_text(&w, STR("the body is over the limit"));
		spop_write_uint64(&w, UINT64_MAX);
		assert_true(spop_write_end(&w) == (cap >= 4 + 7 + 4 + 6 + 2 + 26 + 11));
		for (size_t i = cap; i < sizeof out; i++)
			assert_int_equal(out[i], 0xee);
	}
}

static void
a_message_and_its_pairs(void **state)
{
	struct str rest = BYTES("\x02hi\x02"
				"\x01"
				"a\x08\x01x"
				"\x01"
				"b\x00"
				"\x01"
				"c"),
		   name, key;
	struct spop_value value;
	unsigned n;

	(void)state;
	assert_true(spop_read_message(&rest, &name, &n) && str_is(name, "hi") && n == 2);
	assert_true(spop_read_pair(&rest, &key, &value) && str_is(key, "a") && str_is(value.bytes, "x"));
	assert_true(spop_read_pair(&rest, &key, &value) && str_is(key, "b") && value.type == SPOP_NULL);
	assert_false(spop_read_message(&rest, &name, &n)); /* a name and no count */
	assert_string_equal(spop_status_text(3), "frame is too big");
	assert_string_equal(spop_status_text(77), "unknown error");
}

/* As HAProxy 3.0 sends it for the messages of an upload: 24 and 300 do not fit in one nibble or one byte. */
static const char notify[] = "\x03\x00\x00\x00\x01\x18\xfc\x03"
			     "\x05"
			     "admit\x04"
			     "\x06method\x08\x04POST"
			     "\x03tls\x11"
			     "\x03src\x06\x0a\x00\x00\x07"
			     "\x04"
			     "clen\x00"
			     "\x03"
			     "end\x01"
			     "\x01n\x04\xff\xf0\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x0e";

/* False: something of it could not be read. */
static bool
read_messages(struct str rest, unsigned *n_pairs)
{
	struct str name, key;
	struct spop_value value;
	unsigned n;

	*n_pairs = 0;
	while (rest.len > 0) {
		if (!spop_read_message(&rest, &name, &n))
			return false;
		for (; n > 0; n--, ++*n_pairs)
			if (!spop_read_pair(&rest, &key, &value))
				return false;
	}
	return true;
}

static void
a_notify_of_haproxy(void **state)
{
	struct spop_frame frame;
	struct spop_value value;
	struct str name, key;
	unsigned n;

	(void)state;
	assert_true(spop_read_frame(BYTES(notify), &frame));
	assert_true(frame.type == SPOP_NOTIFY && frame.stream_id == 24 && frame.frame_id == 300);
	assert_true(spop_read_message(&frame.payload, &name, &n) && str_is(name, "admit") && n == 4);
	assert_true(spop_read_pair(&frame.payload, &key, &value) && str_is(key, "method"));
	assert_true(spop_read_pair(&frame.payload, &key, &value) && value.truth);
	assert_true(spop_read_pair(&frame.payload, &key, &value) && value.bytes.len == 4);
	assert_true(spop_read_pair(&frame.payload, &key, &value) && value.type == SPOP_NULL);
	assert_true(spop_read_message(&frame.payload, &name, &n) && str_is(name, "end") && n == 1);
	assert_true(spop_read_pair(&frame.payload, &key, &value) && value.type == SPOP_INT64);
	assert_true((int64_t)value.number == -1); /* two's complement */
	assert_int_equal(frame.payload.len, 0);
}

/* Only a cut between two messages leaves something whole. */
static void
a_notify_cut_anywhere(void **state)
{
	size_t head = 8, second = sizeof notify - 1 - 18;
	unsigned n;

	(void)state;
	for (size_t len = 0; len < sizeof notify - 1; len++) {
		struct spop_frame frame;
		bool ok = spop_read_frame((struct str){ notify, len }, &frame);

		assert_int_equal(ok, len >= head);
		if (ok)
			assert_int_equal(read_messages(frame.payload, &n), len == head || len == second);
	}
	assert_true(read_messages((struct str){ notify + head, sizeof notify - 1 - head }, &n) && n == 5);
}

static void
round_trip(uint64_t n)
{
	unsigned char out[64];
	struct spop_writer w;
	struct spop_frame frame;
	struct spop_value value;

	spop_write_begin(&w, out, sizeof out, SPOP_AGENT_HELLO, n, ~n);
	spop_write_uint64(&w, n);
	spop_write_uint32(&w, (uint32_t)n);
	assert_true(spop_write_end(&w) && spop_read_length(out) == w.len - SPOP_LENGTH_SIZE);
	assert_true(spop_read_frame((struct str){ (const char *)out + 4, w.len - 4 }, &frame));
	assert_true(frame.type == SPOP_AGENT_HELLO && frame.flags == SPOP_FLAG_FIN);
	assert_true(frame.stream_id == n && frame.frame_id == ~n);
	assert_true(spop_read_value(&frame.payload, &value) && value.type == SPOP_UINT64 && value.number == n);
	assert_true(spop_read_value(&frame.payload, &value) && value.type == SPOP_UINT32);
	assert_true(value.number == (uint32_t)n && frame.payload.len == 0);
}

/* Around every power of two, where one more bit or one more byte is needed. */
static void
what_is_written_is_read_again(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 70000; n++)
		round_trip(n);
	for (unsigned bit = 0; bit < 64; bit++)
		for (uint64_t near = 0; near < 600; near++)
			round_trip((UINT64_C(1) << bit) + near - 300);
}

static void
strings_of_every_length_come_back(void **state)
{
	static unsigned char out[3000];
	static char text[2400];

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t len = 0; len <= sizeof text; len++) {
		struct spop_writer w = { .data = out, .cap = sizeof out };
		struct str rest;
		struct spop_value value;

		spop_write_text(&w, (struct str){ text, len });
		rest = (struct str){ (const char *)out, w.len };
		assert_true(!w.failed && spop_read_value(&rest, &value) && rest.len == 0);
		assert_true(value.type == SPOP_STRING && str_equal(value.bytes, (struct str){ text, len }));
		rest = (struct str){ (const char *)out, w.len - 1 };
		assert_false(spop_read_value(&rest, &value));
	}
}

static void
every_byte_of_a_length_counts(void **state)
{
	static const unsigned char length[] = { 0x81, 0x42, 0x23, 0x14 };
	static unsigned char out[0x10000 + 64];
	static char text[0x10000];
	struct spop_writer w;

	(void)state;
	assert_true(spop_read_length(length) == 0x81422314);
	spop_write_begin(&w, out, sizeof out, SPOP_ACK, 1, 1);
	spop_write_text(&w, (struct str){ text, sizeof text });
	assert_true(spop_write_end(&w));
	/* 7 of the head, 1 of the type, 4 of the string's length, 0x10000 */
	assert_memory_equal(out, "\x00\x01\x00\x0b", 4);
	text[0] = 'x';
	spop_write_begin(&w, out, sizeof out, SPOP_ACK, 1, 1);
	spop_write_text(&w, (struct str){ text, 0x1234 });
	assert_true(spop_write_end(&w));
	assert_memory_equal(out, "\x00\x00\x12\x3f", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varints_at_their_edges),
		cmocka_unit_test(a_varint_that_means_nothing_is_refused),
		cmocka_unit_test(values_of_every_type),
		cmocka_unit_test(values_cut_or_unknown_are_refused),
		cmocka_unit_test(a_hello_of_haproxy),
		cmocka_unit_test(an_ack_byte_for_byte),
		cmocka_unit_test(what_does_not_fit_is_never_sent),
		cmocka_unit_test(a_message_and_its_pairs),
		cmocka_unit_test(a_notify_of_haproxy),
		cmocka_unit_test(a_notify_cut_anywhere),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(strings_of_every_length_come_back),
		cmocka_unit_test(every_byte_of_a_length_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
