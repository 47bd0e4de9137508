// SPDX-License-Identifier: MIT
/* test_app_names.c - which names a client may not use, because PHP, Rack and the like could take them for a file of ours. */
#include "config/app_names.h"
#include "config/app_says.h"
#include "config/statuses.h"

#include "lib/routes.h"

#define FILE                                                                                                       \
	"version: 1\nstate: /nowhere\n"                                                                            \
	"destinations: { d: { type: discard }, app: { type: http, url: \"http://app\" } }\nroutes:\n- "
#define APP(more) " app: { to: app, path: /form, sign: none, failed: { path: /failed }" more " } }\n"
#define STORE "store: { to: d, key: \"{uuid}\" }"

static const struct {
	const char *rule, *name;
	bool is_reserved;
} rows[] = {
	{ "photo", "photo", true },
	{ "photo", "Photo", false },
	{ "photo", "photos", false },
	{ "photo", "phot", false },
	{ "photo", "", false },
	{ "photo", "photo[]", true },
	{ "photo", "photo[name]", true },
	{ "photo", "photo[a][b].c", true },
	{ "photo", "  photo", true },
	{ "photo", "photo ", false },
	{ "photo", "photo.x", false },
	{ "photo[]", "photo", true },
	{ "photo[]", "photo[0]", true },
	{ "photo[a]", "photo[b]", true },
	{ "photo[]", "photo_", false },
	{ "my.photo", "my_photo", true },
	{ "my photo", "my.photo", true },
	{ "my_photo", "my photo[]", true },
	{ "my_photo", "my[photo", true }, /* PHP, of a bracket without its end */
	{ "my_photo", "my[photo]", false },
	{ "photo", "[photo]",
		true }, /* qs, and Rack before 3, which drops brackets in front and ends a name at any other */
	{ "photo", "[photo", true },
	{ "photo", "][[photo][x]", true },
	{ "photo", " [ photo", true },
	{ "photo", "photo]", true },
	{ "photo", "photo]x", true },
	{ "photo[]", "[photo][]", true },
	{ "photo", "[photos]", false },
	{ "photo", "[x][photo]", false },
	{ "photo", "[]", false },
	{ "_photo", "[photo", true },
};

static void
a_name_is_reserved_if_somebody_could_read_it_as_ours(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text = { 0 };
		struct config *config;

		buf_addf(&text, FILE "{ id: a, fields: [ { name: \"%s\", " STORE " } ], " APP(""), rows[i].rule);
		config = routes_of(text.data);
		if (app_names_reserve(&config->routes[0], str_of(rows[i].name)) != rows[i].is_reserved)
			fail_msg("%s beside %s", rows[i].name, rows[i].rule);
		config_free(config);
		buf_free(&text);
	}
}

static void
a_zero_byte_ends_a_name(void **state)
{
	struct config *config = routes_of(FILE "{ id: a, fields: [ { name: photo, " STORE " } ], " APP(""));

	(void)state;
	assert_true(app_names_reserve(&config->routes[0], STR("photo\0x")));
	assert_false(app_names_reserve(&config->routes[0], STR("phot\0o")));
	config_free(config);
}

static void
only_what_is_stored_for_an_application_reserves_its_name(void **state)
{
	static const char *const files[] = {
		FILE "{ id: a, fields: [ { name: photo, drop: true } ], " APP(""),
		FILE "{ id: a, fields: [ { name: photo, " STORE " } ] }\n",
		FILE "{ id: a, fields: [ { name: \"phot*\", " STORE " } ], " APP(", form: json"),
		FILE "{ id: a, fields: [ { name: photo, kind: value, forward: true } ], " APP(""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct config *config = routes_of(files[i]);

		assert_false(app_names_reserve(&config->routes[0], STR("photo")));
		config_free(config);
	}
}

/* -- which answers take a form back ----------------------------------------------------------------------- */

static struct config *
with_undo_on(const char *undo_on)
{
	struct config *config;
	struct buf text = { 0 };

	buf_addf(&text, FILE "{ id: a, fields: [ { name: photo, " STORE " } ], " APP("%s"), undo_on);
	config = routes_of(text.data);
	buf_free(&text);
	return config;
}

static void
answers_take_a_form_back_as_the_file_says(void **state)
{
	static const struct {
		const char *undo_on;
		unsigned status;
		bool takes_back;
	} answers[] = {
		{ "", 200, false },
		{ "", 299, false },
		{ "", 303, false },
		{ "", 399, false },
		{ "", 400, true },
		{ "", 599, true },
		{ "", 199, true },
		{ ", undo_on: none", 500, false },
		{ ", undo_on: [409, 5xx]", 200, false },
		{ ", undo_on: [409, 5xx]", 408, false },
		{ ", undo_on: [409, 5xx]", 409, true },
		{ ", undo_on: [409, 5xx]", 410, false },
		{ ", undo_on: [409, 5xx]", 499, false },
		{ ", undo_on: [409, 5xx]", 500, true },
		{ ", undo_on: [409, 5xx]", 599, true },
		{ ", undo_on: [409, 5xx]", 600, false },
		{ ", undo_on: 300", 300, true },
		{ ", undo_on: 300", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct config *config = with_undo_on(answers[i].undo_on);
		const struct app *app = &config->routes[0].app;

		if (app_takes_back(app, answers[i].status) != answers[i].takes_back)
			fail_msg("%s and %u", answers[i].undo_on, answers[i].status);
		assert_int_equal(app_never_takes_back(app), strstr(answers[i].undo_on, "none") != NULL);
		config_free(config);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_reserved_if_somebody_could_read_it_as_ours),
		cmocka_unit_test(a_zero_byte_ends_a_name),
		cmocka_unit_test(only_what_is_stored_for_an_application_reserves_its_name),
		cmocka_unit_test(answers_take_a_form_back_as_the_file_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
