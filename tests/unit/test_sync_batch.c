// SPDX-License-Identifier: MIT
/* What is made durable together: each file is told of its own trouble and of nobody else's. */
#include "lib/check.h"
#include "lib/folder.h"
#include "sink/directory/settings.h"
#include "sink/directory/sync_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MANY (3 * SYNC_BATCH_MAX + 1)

static int folder;
static struct home home;
static char to_name[] = "files";
static struct directory_settings settings = { .exists = EXISTS_REFUSE };
static const struct destination to = { .name = to_name, .kind = &directory_kind, .settings = &settings.common };

static void
make(struct new_file *file, const char *target)
{
	struct error err = { 0 };

	assert_true(new_file_create(file, &home, &to, &err));
	assert_true(new_file_write(file, "x", 1, &err));
	assert_true(target == NULL || new_file_show(file, target, &err));
}

static struct syncer *
helped(void)
{
	struct error err = { 0 };
	struct syncer *syncer = syncer_new(&err);

	assert_non_null(syncer);
	return syncer;
}

static void
every_file_of_many(void **state)
{
	static struct new_file files[MANY];
	struct syncer *syncer = helped();
	struct sync_batch batch;
	int broken;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		make(&files[i], NULL);
	broken = files[70].fd;
	files[70].fd = open("/dev/null", O_WRONLY | O_CLOEXEC); /* fsync() says EINVAL */
	for (int round = 0; round < 3; round++) {
		sync_batch_begin(&batch, syncer);
		for (size_t i = 0; i < MANY; i++)
			sync_batch_add_bytes(&batch, &files[i]);
		sync_batch_end(&batch);
		for (size_t i = 0; i < MANY; i++)
			assert_int_equal(sync_batch_error(&files[i]), i == 70 ? EINVAL : 0);
	}
	close(broken);
	for (size_t i = 0; i < MANY; i++)
		new_file_close(&files[i]);
	syncer_free(syncer);
}

static void
names_in_many_folders(void **state)
{
	static const char *const names[] = { "one", "two", "a/b/c/one", "a/b/c/two", "a/b/other", "gone/one",
		"gone/two", "three" };
	struct new_file files[8];
	struct syncer *syncer = helped();
	struct error err = { 0 };
	struct sync_batch batch;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		make(&files[i], names[i]);
	assert_int_equal(unlinkat(folder, "gone/one", 0) | unlinkat(folder, "gone/two", 0) |
			unlinkat(folder, "gone", AT_REMOVEDIR),
		0);
	for (int with = 0; with < 2; with++) {
		sync_batch_begin(&batch, with ? syncer : NULL);
		for (size_t i = 0; i < 8; i++)
			sync_batch_add_names(&batch, &files[i]);
		sync_batch_end(&batch);
		for (size_t i = 0; i < 8; i++) {
			bool is_gone = i == 5 || i == 6;

			assert_int_equal(sync_batch_error(&files[i]), is_gone ? ENOENT : 0);
			assert_int_equal(new_file_is_settled(&files[i], &err), !is_gone);
		}
		assert_string_equal(err.message, "destination \"files\": cannot rename: No such file or directory");
	}
	for (size_t i = 0; i < 8; i++) {
		new_file_hide(&files[i]);
		new_file_close(&files[i]);
	}
	syncer_free(syncer);
}

/* How many this process may have beside those it has. */
static void
allow_descriptors(unsigned n)
{
	struct rlimit limit;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = n > 0 ? (rlim_t)next + n : limit.rlim_max;
	close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* One after the other takes two. */
static void
names_in_more_folders_than_there_are_descriptors(void **state)
{
	struct new_file files[8];
	struct sync_batch batch;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		static char names[8][16];

		snprintf(names[i], sizeof names[i], "%zu/a/b", i);
		make(&files[i], names[i]);
	}
	allow_descriptors(2);
	sync_batch_begin(&batch, NULL);
	for (size_t i = 0; i < 8; i++)
		sync_batch_add_names(&batch, &files[i]);
	sync_batch_end(&batch);
	allow_descriptors(0);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(sync_batch_error(&files[i]), 0);
		new_file_hide(&files[i]);
		new_file_close(&files[i]);
	}
}

static void
nothing_at_all(void **state)
{
	struct syncer *syncer = helped();
	struct sync_batch batch;

	(void)state;
	sync_batch_begin(&batch, syncer);
	sync_batch_end(&batch);
	syncer_free(syncer);
	syncer_free(NULL);
}

static int loses = -1; /* what this file had is not written */

/* In place of the C library's. */
int
sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned flags)
{
	if (fd == loses)
		errno = EIO;
	return fd == loses ? -1 : (int)syscall(SYS_sync_file_range, fd, offset, bytes, flags);
}

/* fsync() of such a file may be content: there is nothing of it left to be written. */
static void
bytes_that_are_lost_on_their_way(void **state)
{
	struct syncer *syncer = helped();
	struct sync_batch batch;
	struct new_file files[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		make(&files[i], NULL);
	loses = files[1].fd;
	sync_batch_begin(&batch, syncer);
	for (size_t i = 0; i < 3; i++)
		sync_batch_add_bytes(&batch, &files[i]);
	sync_batch_end(&batch);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(sync_batch_error(&files[i]), i == 1 ? EIO : 0);
		new_file_close(&files[i]);
	}
	loses = -1;
	syncer_free(syncer);
}

static int
set_up(void **state)
{
	(void)state;
	folder = folder_make();
	home = (struct home){ .fd = folder };
	return folder < 0 || abilities_find(folder, &home.can) != 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return folder_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_file_of_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_in_many_folders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			names_in_more_folders_than_there_are_descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bytes_that_are_lost_on_their_way, set_up, tear_down),
		cmocka_unit_test(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
