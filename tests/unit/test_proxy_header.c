// SPDX-License-Identifier: MIT
/* test_proxy_header.c - PROXY headers in pieces of every size: exactly they are taken, and nothing behind them. */
#include "http/proxy_header.h"

#include "lib/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BEHIND "POST / HTTP/1.1\r\n\r\n"

/* Takes from `all` in pieces of `step` as the intake does. Returns the result; *taken is where it stopped. */
static enum proxy_result
take(const char *all, size_t len, size_t step, struct sockaddr_storage *client, size_t *taken)
{
	unsigned char data[PROXY_HEADER_MAX];
	enum proxy_result result = PROXY_MORE;
	socklen_t client_len = 0;
	size_t have = 0;

	while (result == PROXY_MORE && have < len) {
		size_t n = len - have < step ? len - have : step;
		size_t takes = proxy_header_takes(data, have, (const unsigned char *)all + have, n);

		if (takes == 0) {
			result = PROXY_BAD;
			break;
		}
		assert_true(takes <= n && have + takes <= sizeof data);
		memcpy(data + have, all + have, takes);
		have += takes;
		result = proxy_header_read(data, have, client, &client_len);
	}
	*taken = have;
	return result;
}

static const char *
told(enum proxy_result result, const struct sockaddr_storage *client)
{
	static char text[80];
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)client;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)client;
	char address[INET6_ADDRSTRLEN];

	if (result != PROXY_DONE)
		return result == PROXY_BAD        ? "bad"
			: result == PROXY_LOCAL   ? "local"
			: result == PROXY_UNKNOWN ? "unknown"
						  : "more";
	if (client->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, address, sizeof address);
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof address);
	snprintf(text, sizeof text, "%s %u", address,
		ntohs(client->ss_family == AF_INET ? v4->sin_port : v6->sin6_port));
	return text;
}

#define ROW(text, want)                                                                                            \
	{                                                                                                          \
		text BEHIND, sizeof(text) - 1, sizeof(text BEHIND) - 1, want                                       \
	}

static const struct {
	const char *bytes;
	size_t header, len;
	const char *want;
} rows[] = {
	ROW("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "192.0.2.1 56324"),
	ROW("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", "2001:db8::1 1"),
	ROW("PROXY UNKNOWN\r\n", "unknown"),
	ROW("PROXY UNKNOWN ffff:: ffff:: 1 2\r\n", "unknown"),
	ROW(SIGNATURE "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb", "192.0.2.1 56324"),
	ROW(SIGNATURE "\x21\x11\x00\x10\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"
		      "\x04\x00\x01x",
		"192.0.2.1 56324"),
	ROW(SIGNATURE "\x21\x21\x00\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
		      "\x00\x50\x01\xbb",
		"2001:db8::1 80"),
	ROW(SIGNATURE "\x20\x00\x00\x00", "local"),
	ROW(SIGNATURE "\x20\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb", "local"),
	ROW(SIGNATURE "\x21\x00\x00\x00", "unknown"),
};

static const struct {
	const char *bytes;
	size_t len;
} bad[] = {
#define BAD(text)                                                                                                  \
	{                                                                                                          \
		text, sizeof(text) - 1                                                                             \
	}
	BAD("POST / HTTP/1.1\r\n"),
	BAD("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n"),
	BAD("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n"),
	BAD("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 x\r\n"),
	BAD("PROXY TCP4 192.0.2.1 192.0.2.2 70000 443\r\n"),
	BAD("PROXY TCP4 2001:db8::1 ::1 1 2\r\n"),
	BAD("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"),
	BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"),
	BAD("PROXY TCP4 192.0.2.1\0x 192.0.2.2 1 2\r\n"),
	BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 -2\r\n"),
	BAD("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
	BAD("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"),
	BAD("PROXY\r\nxxxxxx"),
	BAD("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
	BAD("PROXY TCP4 1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
	    "111111111111111111111111111111\r\n"),
	BAD(SIGNATURE "\x11\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"), /* version 1 in there */
	BAD(SIGNATURE "\x22\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"), /* no such command */
	BAD(SIGNATURE "\x21\x12\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"), /* a datagram */
	BAD(SIGNATURE "\x21\x11\x00\x04\xc0\x00\x02\x01"), /* too short for its family */
	BAD(SIGNATURE "\x21\x11\xff\xff\xc0\x00\x02\x01"), /* longer than we take */
	BAD("\r\n\r\nGET / HTTP/1.1\r\n"),
};

static void
headers_are_taken_exactly_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t step = 1; step <= rows[i].len; step++) {
			struct sockaddr_storage client;
			size_t taken;
			enum proxy_result result = take(rows[i].bytes, rows[i].len, step, &client, &taken);

			assert_string_equal(told(result, &client), rows[i].want);
			assert_int_equal(taken, rows[i].header);
		}
}

static void
what_is_no_header_is_bad_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		for (size_t step = 1; step <= bad[i].len; step++) {
			struct sockaddr_storage client;
			size_t taken;

			if (take(bad[i].bytes, bad[i].len, step, &client, &taken) != PROXY_BAD)
				fail_msg("row %zu in steps of %zu", i, step);
		}
}

static void
a_header_that_ends_early_wants_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t len = 1; len < rows[i].header; len++) {
			struct sockaddr_storage client;
			size_t taken;

			assert_int_equal(take(rows[i].bytes, len, len, &client, &taken), PROXY_MORE);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_taken_exactly_at_every_split),
		cmocka_unit_test(what_is_no_header_is_bad_at_every_split),
		cmocka_unit_test(a_header_that_ends_early_wants_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
