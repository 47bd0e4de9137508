// SPDX-License-Identifier: MIT
/* test_grants.c - what an application grants: values by any spelling of their names, once each, and limits that only narrow. */
#include "base/mem.h"
#include "config/load.h"
#include "part/grants.h"
#include "sink/question.h"

#include "lib/check.h"
#include "lib/routes.h"

static const char routes[] =
	"version: 1\n"
	"destinations:\n"
	"  app: { type: http, url: \"http://127.0.0.1:9\" }\n"
	"  files: { type: directory, path: \"/tmp\" }\n"
	"routes:\n"
	"  - id: r\n"
	"    match: { path: \"/a\" }\n"
	"    limits: { body: 1000, parts: 10 }\n"
	"    authorize: { to: app, path: \"/may\" }\n"
	"    fields: [ { name: x, store: { to: files, key: \"{grant.user_id}/{grant.album}/{uuid}\" } } ]\n";

static bool
take(struct grants *grants, const struct config *config, const struct question_line *lines, size_t n,
	struct error *err)
{
	struct question_line copy[8];
	struct app_answer answer = { .lines = copy, .n_lines = n };

	memcpy(copy, lines, n * sizeof *lines);
	return grants_take(grants, &config->routes[0], &answer, err);
}

static void
names_are_read_in_any_case_and_with_either_stroke(void **state)
{
	static const struct question_line lines[] = { { "PENSTOCK-GRANT-User_Id", "42" }, { "Content-Type", "x" },
		{ "penstock-grant-ALBUM", "a b" }, { "Penstock-Grant-Other", "x" },
		{ "Penstock-Grant-Albums", "x" } };
	struct config *config = routes_of(routes);
	struct grants grants = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(take(&grants, config, lines, 5, &err));
	assert_true(str_is(grants_value(&grants, "user-id"), "42"));
	assert_true(str_is(grants_value(&grants, "album"), "a b"));
	assert_null(grants_value(&grants, "other").data);
	assert_null(grants_value(NULL, "album").data);
	grants_free(&grants);
	config_free(config);
}

static void
what_is_missing_or_twice_lets_nobody_in(void **state)
{
	static const struct {
		struct question_line lines[3];
		const char *why;
	} rows[] = {
		{ { { "Penstock-Grant-User-Id", "1" } }, "{grant.album}" },
		{ { { "Penstock-Grant-User-Id", "" }, { "Penstock-Grant-Album", "1" } }, "{grant.user-id}" },
		{ { { "Penstock-Grant-User-Id", "1" }, { "Penstock-Grant-User_Id", "1" } }, "twice" },
		{ { { "Penstock-Limit-Body", "1" }, { "penstock-limit-body", "1" } }, "twice" },
		{ { { "Penstock-Limit-Parts", "-1" } }, "no number" },
		{ { { "Penstock-Limit-Rate", "0" } }, "of 0" },
		{ { { "Penstock-Limit-Rate", "1MiB/s" } }, "no number" },
		{ { { "Penstock-Limit-Rate", "1" }, { "Penstock-Limit-rate", "1" } }, "twice" },
		{ { { "Penstock-Limit-Files", "1" } }, "does not know" },
	};
	struct config *config = routes_of(routes);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = rows[i].lines[1].name != NULL ? 2 : 1;
		struct grants grants = { 0 };
		struct error err = { 0 };

		assert_false(take(&grants, config, rows[i].lines, n, &err));
		assert_int_equal(err.kind, ERR_UPSTREAM);
		if (strstr(err.message, rows[i].why) == NULL)
			fail_msg("%zu: %s", i, err.message);
		grants_free(&grants);
	}
	config_free(config);
}

static void
a_rate_is_of_the_upload_alone(void **state)
{
	static const struct question_line lines[] = { { "Penstock-Grant-User-Id", "1" },
		{ "Penstock-Grant-Album", "2" }, { "penstock-limit-rate", "1" } };
	struct config *config = routes_of(routes);
	struct grants grants = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(grants_rate(&grants), LIMIT_NONE);
	assert_true(take(&grants, config, lines, 3, &err));
	assert_int_equal(grants_rate(&grants), 1);
	grants_free(&grants);
	config_free(config);
}

static void
limits_only_narrow(void **state)
{
	struct config *config = routes_of(routes);
	const struct route *route = &config->routes[0];

	(void)state;
	assert_int_equal(grants_body(NULL, route), 1000);
	assert_int_equal(grants_parts(NULL, route), 10);
	for (uint64_t body = 999; body <= 1001; body++) {
		struct grants grants = { .has_body = true, .body = body, .has_parts = true, .parts = 9 };
		struct error err = { .kind = ERR_TOO_LARGE, .limit = "body" },
			     parts = { ERR_TOO_LARGE, .limit = "parts" };

		assert_int_equal(grants_body(&grants, route), body < 1000 ? body : 1000);
		assert_int_equal(grants_parts(&grants, route), 9);
		grants_name_limit(&grants, route, &err);
		assert_string_equal(err.limit, body < 1000 ? "Penstock-Limit-Body" : "body");
		grants_name_limit(&grants, route, &parts);
		assert_string_equal(parts.limit, "Penstock-Limit-Parts");
	}
	config_free(config);
}

static void
somebody_may_say_them_instead(void **state)
{
	static const char *const good[] = { "User-ID=7", "album=a=b" };
	static const char *const bad[] = { "album", "=x", "nobody=1", "" };
	struct config *config = routes_of(routes);
	struct grants grants = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(grants_give(&grants, &config->routes[0], good, 2, &err));
	assert_true(str_is(grants_value(&grants, "user-id"), "7") && str_is(grants_value(&grants, "album"), "a=b"));
	grants_free(&grants);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(grants_give(&grants, &config->routes[0], &bad[i], 1, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		grants_free(&grants);
		err = (struct error){ 0 };
	}
	config_free(config);
}

static void
each_allocation_may_fail(void **state)
{
	static const struct question_line lines[] = { { "Penstock-Grant-User-Id", "1" },
		{ "Penstock-Grant-Album", "2" } };
	static const char *const texts[] = { "user_id=1", "album=2" };
	struct config *config = routes_of(routes);

	(void)state;
	for (int by_answer = 0; by_answer < 2; by_answer++) {
		bool ok = false;
		size_t n = 0;

		while (!ok) {
			struct grants grants = { 0 };
			struct error err = { 0 };

			mem_fail(++n, 1);
			ok = by_answer ? take(&grants, config, lines, 2, &err)
				       : grants_give(&grants, &config->routes[0], texts, 2, &err);
			mem_fail(0, 0);
			assert_int_equal(err.kind, ok ? ERR_NONE : ERR_NOMEM);
			grants_free(&grants);
		}
		assert_true(n > 3);
	}
	config_free(config);
}

static void
a_route_that_makes_nothing_of_them_needs_none(void **state)
{
	struct route route = { .limits = { .body = 5, .parts = 5 } };
	struct app_answer answer = { 0 };
	struct grants grants = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(grants_take(&grants, &route, &answer, &err));
	assert_int_equal(grants.n, 0);
	grants_free(&grants);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_in_any_case_and_with_either_stroke),
		cmocka_unit_test(what_is_missing_or_twice_lets_nobody_in),
		cmocka_unit_test(a_rate_is_of_the_upload_alone),
		cmocka_unit_test(limits_only_narrow),
		cmocka_unit_test(somebody_may_say_them_instead),
		cmocka_unit_test(each_allocation_may_fail),
		cmocka_unit_test(a_route_that_makes_nothing_of_them_needs_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
