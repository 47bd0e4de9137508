// SPDX-License-Identifier: MIT
/* test_identity.c - what a request is called, and whose word counts for that. Who the client is: test_trust.c. */
#include "request/identity.h"

#include "lib/routes.h"

#include <stdio.h>
#include <string.h>

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define LONGEST                                                                                                    \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                                         \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct a_case {
	bool is_trusted;
	const char *id[2], *trace[2];       /* up to two lines of each */
	const char *takes_id, *takes_trace; /* NULL: none of it */
};

static const struct a_case cases[] = {
	{ true, { "abc" }, { TRACE }, "abc", TRACE },
	{ false, { "abc" }, { TRACE }, NULL, NULL },
	{ true, { NULL }, { NULL }, NULL, NULL },
	{ true, { "abc", "abc" }, { TRACE, TRACE }, NULL, NULL }, /* one of two may be the client's */
	{ true, { "" }, { "" }, NULL, NULL },
	{ true, { "a b" }, { "00-xyz" }, NULL, NULL },
	{ true, { "a\tb" }, { TRACE "-more" }, NULL, NULL },
	{ true, { "\xc3\xa4" }, { "01" }, NULL, NULL },
	{ true, { LONGEST }, { NULL }, LONGEST, NULL },
	{ true, { LONGEST "x" }, { NULL }, NULL, NULL },
	{ true, { NULL }, { "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more.than.there.is.room.for" },
		NULL, NULL },
};

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct a_case *c = arg;
	const char *const *lines = str_is(name, "x-request-id") ? c->id : c->trace;

	if ((lines == c->trace && !str_is(name, "traceparent")) || nth > 1 || lines[nth] == NULL)
		return false;
	*value = str_of(lines[nth]);
	return true;
}

static void
ids_count_from_those_who_are_trusted(void **state)
{
	static const struct sockaddr local = { .sa_family = AF_UNIX }, nobody = { .sa_family = AF_UNSPEC };
	struct config *config = routes_of(
		"version: 1\ntrust: { proxies: local }\nroutes: [ { id: a, fields: [ { name: x, drop: true } ] } ]\n");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct a_case *c = &cases[i];
		const struct head head = { .header = nth_header, .arg = c };
		struct identity got = { 0 };

		identity_find(&config->trust, c->is_trusted ? &local : &nobody, &head, &got);
		assert_int_equal(got.is_trusted, c->is_trusted);
		assert_int_equal(got.id_is_ours, c->takes_id == NULL);
		if (c->takes_id != NULL)
			assert_string_equal(got.id, c->takes_id);
		else
			assert_int_equal(strlen(got.id), 36);
		assert_string_equal(got.traceparent, c->takes_trace != NULL ? c->takes_trace : "");
		assert_string_equal(got.client, c->is_trusted ? "unix" : "unknown");
	}
	config_free(config);
}

static void
no_two_are_called_the_same(void **state)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	static const struct trust none;
	const struct head head = { .header = nth_header, .arg = &cases[2] };
	struct identity first = { 0 }, second = { 0 };

	(void)state;
	identity_find(&none, &nobody, &head, &first);
	identity_find(&none, &nobody, &head, &second);
	assert_string_not_equal(first.id, second.id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_count_from_those_who_are_trusted),
		cmocka_unit_test(no_two_are_called_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
