// SPDX-License-Identifier: MIT
/* Forms that replace one name and are taken back in any order leave what the last one that stayed wrote, or what was there
 * first; temporary files of nobody are left. */
#include "lib/check.h"
#include "lib/folder.h"
#include "sink/directory/directory.h"
#include "sink/directory/settings.h"
#include "sink/directory/sync_batch.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#define FORMS 4
#define NAME "sub/same"

static bool
commit(struct new_file *file, const char *target, struct error *err)
{
	struct sync_batch batch;

	if (!new_file_show(file, target, err))
		return false;
	sync_batch_begin(&batch, NULL);
	sync_batch_add_names(&batch, file);
	sync_batch_end(&batch);
	return new_file_is_settled(file, err);
}

static int folder;
static struct home home;
static char to_name[] = "files";
static struct directory_settings replaces = { .exists = EXISTS_REPLACE };
static const struct destination to = { .name = to_name, .kind = &directory_kind, .settings = &replaces.common };

static unsigned
count_names(void)
{
	DIR *dir = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY));
	unsigned n = 0;

	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += entry->d_name[0] != '.' || entry->d_name[1] == 'p';
	closedir(dir);
	return n;
}

static void
write_form(struct new_file *file, char what)
{
	struct error err = { 0 };

	assert_true(new_file_create(file, &home, &to, &err));
	assert_true(new_file_write(file, &what, 1, &err));
	assert_true(commit(file, NAME, &err));
}

static void
end_form(struct new_file *file, bool stays)
{
	struct error err = { 0 };

	assert_true(stays || new_file_undo(file, &err));
	new_file_close(file);
}

/* The forms in the order in which they end: `code` chooses one of all orders. */
static void
order_of(unsigned code, unsigned order[static FORMS])
{
	unsigned left[FORMS];

	for (unsigned i = 0; i < FORMS; i++)
		left[i] = i;
	for (unsigned i = 0; i < FORMS; i++) {
		unsigned n = FORMS - i, at = code % n;

		order[i] = left[at];
		code /= n;
		memmove(left + at, left + at + 1, (n - at - 1) * sizeof *left);
	}
}

/* What must be there in the end: that of the last one that stays, or the original. */
static const char *
expected(unsigned stay, bool has_original)
{
	static char text[2];

	text[0] = '\0';
	if (has_original)
		text[0] = 'o';
	for (unsigned i = 0; i < FORMS; i++)
		if (stay & 1U << i)
			text[0] = (char)('A' + (int)i);
	return text;
}

static void
run_forms(unsigned code, unsigned stay, bool has_original)
{
	struct new_file files[FORMS], original;
	unsigned order[FORMS];

	if (has_original) {
		write_form(&original, 'o');
		new_file_close(&original);
	}
	for (unsigned i = 0; i < FORMS; i++)
		write_form(&files[i], (char)('A' + (int)i));
	order_of(code, order);
	for (unsigned i = 0; i < FORMS; i++)
		end_form(&files[order[i]], stay & 1U << order[i]);
	assert_string_equal(folder_content(folder, NAME), expected(stay, has_original));
	unlinkat(folder, NAME, 0);
	unlinkat(folder, "sub", AT_REMOVEDIR);
	assert_int_equal(count_names(), 0);
}

static void
forms_that_replace_one_name_may_be_taken_back_in_any_order(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 24; code++)
		for (unsigned stay = 0; stay < 1U << FORMS; stay++) {
			run_forms(code, stay, false);
			run_forms(code, stay, true);
		}
}

/* Of a form that has the same name twice in a way that the names do not tell; another form may replace it. */
static void
a_form_does_not_replace_its_own_file(void **state)
{
	struct new_file files[3];
	struct shown shown = { 0 };
	int forms[2];
	struct error err = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		char what = (char)('A' + i);

		assert_true(
			new_file_create(&files[i], &home, &to, &err) && new_file_write(&files[i], &what, 1, &err));
		files[i].shown = &shown;
		files[i].form = &forms[i == 2];
	}
	assert_true(commit(&files[0], NAME, &err));
	assert_false(commit(&files[1], NAME, &err));
	assert_int_equal(err.kind, ERR_RULE);
	assert_string_equal(folder_content(folder, NAME), "A");
	err = (struct error){ 0 };
	assert_true(commit(&files[2], NAME, &err));
	for (int i = 0; i < 3; i++)
		new_file_close(&files[i]);
	assert_string_equal(folder_content(folder, NAME), "C");
	for (size_t i = 0; i < SHOWN_BUCKETS; i++)
		assert_null(shown.buckets[i]);
	unlinkat(folder, NAME, 0);
	unlinkat(folder, "sub", AT_REMOVEDIR);
}

static int
set_up(void **state)
{
	(void)state;
	folder = folder_make();
	home = (struct home){ .fd = folder };
	return folder >= 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return count_names() == 0 ? folder_remove(folder) : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			forms_that_replace_one_name_may_be_taken_back_in_any_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_form_does_not_replace_its_own_file, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
