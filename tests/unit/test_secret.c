// SPDX-License-Identifier: MIT
/* A file of so many bytes is read, one of a byte more is not; and what was read is wiped when it is given back. */
#include "base/secret.h"

#include "lib/check.h"
#include "lib/freed.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 9000u /* more than is read in two pieces */

/* Of so many bytes, at its beginning. */
static int
file_of(size_t n)
{
	static char bytes[MOST + 1];
	int fd = memfd_create("secret", MFD_CLOEXEC);

	memset(bytes, 's', sizeof bytes);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
at_most_so_much_is_read(void **state)
{
	static const size_t sizes[] = { 0, 1, 4096, 4097, 8192, MOST };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buf text = { 0 };
		int fd = file_of(sizes[i]);

		assert_true(secret_read(fd, MOST, &text));
		assert_int_equal(text.len, sizes[i]);
		secret_wipe(&text);
		close(fd);
	}
}

static void
one_byte_more_is_too_much(void **state)
{
	struct buf text = { 0 };
	int fd = file_of(MOST + 1);

	(void)state;
	assert_false(secret_read(fd, MOST, &text));
	assert_int_equal(errno, EFBIG);
	secret_wipe(&text);
	close(fd);
}

/* What a text has outgrown, too. */
static void
nothing_of_it_is_left_in_memory_that_is_given_back(void **state)
{
	struct buf text = { .is_secret = true };
	int fd = file_of(MOST);

	(void)state;
	freed_watch("0123456789");
	buf_add_text(&text, "0123456789");
	for (size_t i = 0; i < 1000; i++)
		buf_addf(&text, "%zu", i);
	buf_make_room(&text, 100000);
	assert_memory_equal(text.data, "0123456789012", 13);
	assert_int_equal(strlen(text.data), text.len);
	assert_int_equal(text.len, 10 + 10 + 180 + 2700);
	secret_wipe(&text);
	buf_add_text(&text, "0123456789"); /* the next one is one, too */
	buf_make_room(&text, 100);
	secret_wipe(&text);
	assert_int_equal(freed_watch("ssssssssss"), 0);
	assert_true(secret_read(fd, MOST, &text));
	secret_wipe(&text);
	assert_int_equal(freed_watch(NULL), 0);
	close(fd);
}

static void
what_cannot_be_read_is_told(void **state)
{
	struct buf text = { 0 };

	(void)state;
	assert_false(secret_read(-1, MOST, &text));
	assert_int_equal(errno, EBADF);
	secret_wipe(&text);
	assert_null(text.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_most_so_much_is_read),
		cmocka_unit_test(one_byte_more_is_too_much),
		cmocka_unit_test(nothing_of_it_is_left_in_memory_that_is_given_back),
		cmocka_unit_test(what_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
