// SPDX-License-Identifier: MIT
/* test_trust.c - whose word counts for who the client is. */
#include "request/trust.h"

#include "lib/head_lines.h"
#include "lib/routes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static struct config *
config_of(const char *proxies)
{
	char text[300];

	snprintf(text, sizeof text,
		"version: 1\ntrust: { proxies: %s }\nroutes: [ { id: a, fields: [ { name: x, drop: true } ] } ]\n",
		proxies);
	return routes_of(text);
}

static struct sockaddr_storage
peer_of(const char *address)
{
	struct sockaddr_storage peer = { .ss_family = strcmp(address, "unix") == 0 ? AF_UNIX : AF_UNSPEC };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&peer;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&peer;

	if (address[0] == 'u')
		return peer;
	if (strchr(address, ':') == NULL) {
		v4->sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, address, &v4->sin_addr), 1);
	} else {
		v6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, address, &v6->sin6_addr), 1);
	}
	return peer;
}

struct claim {
	const char *proxies, *peer, *headers, *client;
};

static void
expect_clients(const struct claim *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct config *config = config_of(rows[i].proxies);
		struct sockaddr_storage peer = peer_of(rows[i].peer);
		struct head head = { .header = head_lines_nth, .arg = rows[i].headers };
		char got[TRUST_ADDRESS_MAX];

		trust_client(&config->trust, (struct sockaddr *)&peer, &head, got);
		if (strcmp(got, rows[i].client) != 0)
			fail_msg("row %zu: %s says %s: got %s, want %s", i, rows[i].peer, rows[i].headers, got,
				rows[i].client);
		config_free(config);
	}
}

static void
the_client_is_whom_the_trusted_name(void **state)
{
	static const struct claim rows[] = {
		{ "local", "127.0.0.1", "", "127.0.0.1" },
		{ "local", "127.9.0.1", "X-Forwarded-For: 192.0.2.1\n", "192.0.2.1" },
		{ "local", "::1", "X-Forwarded-For: 2001:db8::1\n", "2001:db8::1" },
		{ "local", "unix", "X-Forwarded-For: 192.0.2.1\n", "192.0.2.1" },
		{ "local", "unix", "", "unix" },
		{ "local", "unknown", "X-Forwarded-For: 192.0.2.1\n", "unknown" },
		{ "0.0.0.0/0", "unknown", "X-Forwarded-For: 192.0.2.1\n", "unknown" },
		{ "local", "::ffff:127.0.0.1", "X-Forwarded-For: 192.0.2.1\n", "192.0.2.1" },
		{ "local", "192.0.2.9", "X-Forwarded-For: 192.0.2.1\n", "192.0.2.9" },
		{ "none", "127.0.0.1", "X-Forwarded-For: 192.0.2.1\n", "127.0.0.1" },
		{ "none", "unix", "X-Forwarded-For: 192.0.2.1\n", "unix" },
		{ "unix", "127.0.0.1", "X-Forwarded-For: 192.0.2.1\n", "127.0.0.1" },
		/* only what a trusted one wrote counts: from the right */
		{ "local", "127.0.0.1", "X-Forwarded-For: 10.6.6.6, 192.0.2.1\n", "192.0.2.1" },
		{ "[local, 10.0.0.0/8]", "127.0.0.1", "X-Forwarded-For: 192.0.2.1, 10.6.6.6\n", "192.0.2.1" },
		{ "[local, 10.0.0.0/8]", "127.0.0.1", "X-Forwarded-For: 10.1.1.1, 10.6.6.6\n", "10.1.1.1" },
		{ "[local, 10.0.0.0/8]", "127.0.0.1",
			"X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 192.0.2.2\nx-forwarded-for: 10.1.1.1\n",
			"192.0.2.2" },
		/* what is no address ends the search */
		{ "local", "127.0.0.1", "X-Forwarded-For: 192.0.2.1, unknown\n", "127.0.0.1" },
		{ "[local, 10.0.0.0/8]", "127.0.0.1", "X-Forwarded-For: 192.0.2.1, evil, 10.1.1.1\n", "10.1.1.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: 192.0.2.1,\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: 192.0.2.1\\r\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For:\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: 192.0.2.1:port\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: 192.0.2.1:65536\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: 192.0.2.1:80:90\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: [2001:db8::1]evil\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: [2001:db8::1\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: [192.0.2.1]\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: fe80::1%eth0\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: 192.0.2.256\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: 192.0.2.1 192.0.2.2\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: \"192.0.2.1\"\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: 3232235777\n", "127.0.0.1" },
		/* spellings */
		{ "local", "127.0.0.1", "X-Forwarded-For:  192.0.2.1:4711 \n", "192.0.2.1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: [2001:db8::1]:80\n", "2001:db8::1" },
		{ "local", "127.0.0.1", "X-Forwarded-For: ::ffff:192.0.2.1\n", "192.0.2.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1;proto=http\n", "192.0.2.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.7, proto=http; For=\"[2001:db8::1]:80\"\n",
			"2001:db8::1" },
		{ "local", "127.0.0.1", "Forwarded: for=_hidden\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=\"192.0.2.1:80\"\n", "192.0.2.1" },
		{ "local", "127.0.0.1", "Forwarded: for=\"192.0.2.1\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.7, proto=https\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.7, for=\"a, for=192.0.2.8\"\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.7\nX-Forwarded-For: 192.0.2.1\n", "192.0.2.1" },
		/* networks that do not end at a byte */
		{ "172.16.0.0/12", "172.31.255.255", "X-Forwarded-For: 192.0.2.1\n", "192.0.2.1" },
		{ "172.16.0.0/12", "172.32.0.0", "X-Forwarded-For: 192.0.2.1\n", "172.32.0.0" },
		{ "\"2001:db8::/33\"", "2001:db8:7fff::1", "X-Forwarded-For: 192.0.2.1\n", "192.0.2.1" },
		{ "\"2001:db8::/33\"", "2001:db8:8000::1", "X-Forwarded-For: 192.0.2.1\n", "2001:db8:8000::1" },
		{ "0.0.0.0/0", "198.51.100.1", "X-Forwarded-For: 192.0.2.1\n", "192.0.2.1" },
		{ "192.0.2.9", "192.0.2.9", "X-Forwarded-For: 192.0.2.1\n", "192.0.2.1" },
	};

	(void)state;
	expect_clients(rows, sizeof rows / sizeof rows[0]);
}

static void
what_stands_in_quotes_is_nobodys_word(void **state)
{
	static const struct claim rows[] = {
		/* a proxy copies what the client sent into quotes, where nothing is an element or a pair */
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1;host=\"a,for=192.0.2.66;x\"\n", "192.0.2.1" },
		{ "local", "127.0.0.1", "Forwarded: host=\"a;for=192.0.2.66;x\";for=192.0.2.1\n", "192.0.2.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1;host=\"a\\\",for=192.0.2.66;x=\\\"\"\n",
			"192.0.2.1" },
		{ "local", "127.0.0.1", "Forwarded: host=\"\\\\\";for=192.0.2.1\n", "192.0.2.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.7;host=\"a,b\" , for=192.0.2.1 ;; host=c\n",
			"192.0.2.1" },
		{ "[local, 10.0.0.0/8]", "127.0.0.1",
			"Forwarded: for=192.0.2.1;host=\",for=192.0.2.66,\", for=10.1.1.1\n", "192.0.2.1" },
		/* what is malformed says nothing, and nobody vouches for what stands before it */
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1;host=\"a, for=192.0.2.66\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1;host=a\", for=192.0.2.66;x=\"\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1;host=\"a\"b, for=192.0.2.66\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1;host=\"a\\\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: host=a\\\"b;for=192.0.2.66\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1;for=192.0.2.66\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.66;host\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.66;host=\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for = 192.0.2.66\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.66 for=192.0.2.67\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1,\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=\"192.0.2.\\1\"\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.66\nForwarded: \"\n", "127.0.0.1" },
		{ "local", "127.0.0.1", "Forwarded: for=\"\nForwarded: for=192.0.2.1;host=\"h\"\n", "192.0.2.1" },
		{ "[local, 10.0.0.0/8]", "127.0.0.1",
			"Forwarded: for=192.0.2.66\nForwarded: \"\nForwarded: for=10.1.1.1\n", "10.1.1.1" },
		{ "local", "127.0.0.1", "Forwarded: for=192.0.2.1:80;proto=http\n", "192.0.2.1" },
		{ "local", "127.0.0.1", "Forwarded: for=[2001:db8::1]:80\n", "2001:db8::1" },
	};

	(void)state;
	expect_clients(rows, sizeof rows / sizeof rows[0]);
}

static void
a_traceparent_is_one_or_it_is_dropped(void **state)
{
#define TRACE "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	static const struct {
		const char *text;
		bool is_one;
	} rows[] = {
		{ "00" TRACE, true },
		{ "cc" TRACE, true },
		{ "cc" TRACE "-what the future brings", true }, /* a later version may have more */
		{ "cc" TRACE ".more", false },
		{ "cc" TRACE "-a\x01", false },
		{ "00" TRACE "-more", false },
		{ "00" TRACE "-", false },
		{ "ff" TRACE, false },
		{ "0" TRACE, false },
		{ "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false },
		{ "00-0af7651916cd43dd8448eb211c80319x-b7ad6b7169203331-01", false },
		{ "00-00000000000000000000000000000000-b7ad6b7169203331-01", false },
		{ "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false },
		{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false },
		{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false },
		{ "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false },
		{ "", false },
		{ NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (trust_is_traceparent(str_of(rows[i].text)) != rows[i].is_one)
			fail_msg("row %zu: %s", i, rows[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_is_whom_the_trusted_name),
		cmocka_unit_test(what_stands_in_quotes_is_nobodys_word),
		cmocka_unit_test(a_traceparent_is_one_or_it_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
