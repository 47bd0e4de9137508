// SPDX-License-Identifier: MIT
/* test_directory_sink.c - a file keeps to upload.h's life and channel.h's protocol: when it is cancelled, and whatever its
 * folder is unable to do, what lies there and what is said of it fit. Real files, and the disk's own thread. */
#include "sink/sink.h"

#include "lib/check.h"
#include "lib/folder.h"
#include "lib/routes.h"
#include "lib/until.h"

#include "channel/keep.h"
#include "route/table.h"
#include "sink/directory/disk.h"
#include "sink/sinks.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX 4
#define LARGE (20 * (size_t)CHUNK_SIZE + 7) /* more than one turn of the disk */

struct one {
	struct order order;
	struct keep keep;
	unsigned news, n_ended;
	char what; /* its bytes */
};

static int folder;
static struct loop *loop;
static struct pool *pool;
static struct blocks *blocks;
static struct disk *disk;
static struct table *table; /* of two destinations: `refuse`, `replace` */
static struct one ones[MAX];
static size_t n_ones;
static bool are_of_one_form;

/* -- orders ---------------------------------------------------------------------------------------------- */

static void
on_news(void *arg, unsigned news)
{
	struct one *one = arg;

	one->news |= news;
	one->n_ended += (news & CHANNEL_ENDED) != 0;
}

struct wish {
	const struct one *one;
	unsigned news;
};

static bool
is_granted(const void *arg)
{
	const struct wish *wish = arg;

	return (wish->one->news & wish->news) != 0;
}

static void
until_news(struct one *one, unsigned news)
{
	struct wish wish = { one, news };

	until(is_granted, &wish);
}

static struct one *
open_order(size_t destination, const char *target)
{
	struct one *one = &ones[n_ones];
	struct sink_place place = { .pool = pool, .disk = disk };
	struct channel_side producer = { .box = loop_mailbox(loop), .on_mail = on_news, .arg = one };
	struct error err = { 0 };

	assert_true(n_ones < MAX);
	*one = (struct one){ .what = (char)('a' + n_ones++) };
	one->order = (struct order){ .to = &table->config->destinations[destination],
		.table = table,
		.target = target,
		.form = are_of_one_form ? ones : one,
		.length = ORDER_LENGTH_UNKNOWN,
		.slots = 32 };
	keep_init(&one->keep, blocks);
	assert_true(sink_of(one->order.to)->begin(&place, &one->order, &producer, &err));
	return one;
}

static void
tell(struct one *one, unsigned orders)
{
	channel_tell(one->order.channel, orders);
}

static void
push(struct one *one, size_t len)
{
	while (len > 0) {
		uint32_t n = len < CHUNK_SIZE ? (uint32_t)len : CHUNK_SIZE;
		struct chunk *chunk;

		assert_true(pool_reserve(pool, 1, POOL_STREAM));
		chunk = pool_draw(pool, POOL_STREAM);
		memset(chunk->data, one->what, n);
		chunk->end = n;
		channel_push(one->order.channel, chunk);
		len -= n;
	}
	sink_of(one->order.to)->pump(&one->order);
}

static struct one *
streamed(size_t destination, const char *target, size_t len)
{
	struct one *one = open_order(destination, target);

	tell(one, CHANNEL_START);
	push(one, len);
	return one;
}

static struct one *
prepared(size_t destination, const char *target, size_t len)
{
	struct one *one = streamed(destination, target, len);

	tell(one, CHANNEL_FINISH);
	until_news(one, CHANNEL_PREPARED);
	return one;
}

static struct one *
committed(size_t destination, const char *target, size_t len)
{
	struct one *one = prepared(destination, target, len);

	tell(one, CHANNEL_COMMIT);
	until_news(one, CHANNEL_ENDED);
	assert_int_equal(one->order.outcome.state, OUTCOME_COMMITTED);
	return one;
}

static void
check_outcome(const struct one *one, enum outcome_state state, enum error_kind kind)
{
	const struct outcome *outcome = &one->order.outcome;

	if (outcome->state != state || outcome->error.kind != kind)
		fail_msg("%d, %s: %s", (int)outcome->state, error_kind_name(outcome->error.kind),
			outcome->error.message);
}

/* -- what lies there ------------------------------------------------------------------------------------- */

static unsigned
count_names(void)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	unsigned n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void
check_file(const char *name, char what, size_t len)
{
	static char text[LARGE + 1];
	int fd = openat(folder, name, O_RDONLY);
	size_t have = 0;
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, text + have, sizeof text - have)) > 0)
		have += (size_t)n;
	close(fd);
	assert_int_equal(have, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(text[i], what);
}

static bool
is_there(const char *name)
{
	return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* -- a case ---------------------------------------------------------------------------------------------- */

static int
begin_case(void **state)
{
	struct error err = { 0 };
	struct buf text = { 0 };

	(void)state;
	folder = folder_make();
	n_ones = 0;
	are_of_one_form = false;
	buf_addf(&text,
		"version: 1\ndestinations:\n  refuse: { type: directory, path: \"%s\" }\n"
		"  replace: { type: directory, path: \"%s\", exists: replace }\n"
		"routes: [ { id: r, match: { path: / }, fields: [ { name: x, drop: true } ] } ]\n",
		folder_path(), folder_path());
	table = table_new(routes_of(buf_str(&text).data), NULL, &sinks_opener, NULL, &err);
	buf_free(&text);
	disk = disk_new(pool, &err);
	return table != NULL && disk != NULL ? 0 : -1;
}

/* Waits until the disk has closed its files: all is given back, and nothing is there but what is visible. */
static void
end_case(unsigned n_visible)
{
	for (size_t i = 0; i < n_ones; i++) {
		assert_int_equal(ones[i].n_ended, 1);
		tell(&ones[i], CHANNEL_CLOSE);
	}
	disk_free(disk);
	for (size_t i = 0; i < n_ones; i++)
		keep_fini(&ones[i].keep);
	n_ones = 0;
	table_release(table);
	assert_int_equal(pool_available(pool), pool_total(pool));
	assert_int_equal(count_names(), n_visible);
	assert_int_equal(folder_remove(folder), 0);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	loop = until_start();
	pool = pool_new(64 * CHUNK_SIZE, &err);
	blocks = blocks_new(pool);
	return loop != NULL && blocks != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	blocks_free(blocks);
	pool_free(pool);
	until_stop();
	return 0;
}

/* -- life ------------------------------------------------------------------------------------------------ */

static void
a_stream_is_visible_after_its_commit_and_not_before(void **state)
{
	static const size_t sizes[] = { 0, 1, 40000, LARGE };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char name[2] = { (char)('0' + (int)i), '\0' };
		struct one *one = prepared(0, name, sizes[i]);

		assert_false(is_there(name));
		tell(one, CHANNEL_COMMIT);
		until_news(one, CHANNEL_ENDED);
		check_outcome(one, OUTCOME_COMMITTED, ERR_NONE);
		check_file(name, one->what, sizes[i]);
	}
	end_case(sizeof sizes / sizeof sizes[0]);
}

static void
keep_bytes(struct one *one, size_t len)
{
	static char bytes[40000];

	memset(bytes, one->what, len);
	assert_true(keep_add(&one->keep, &one->order.kept, bytes, len));
	one->order.is_kept = true;
	one->order.length = len;
}

static void
what_is_kept_is_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct one *one = open_order(0, i == 0 ? "x" : "sub/y");

		keep_bytes(one, 40000);
		tell(one, CHANNEL_START | CHANNEL_FINISH | (i == 0 ? 0u : CHANNEL_COMMIT));
		if (i == 0) {
			until_news(one, CHANNEL_PREPARED);
			assert_false(is_there("x"));
			tell(one, CHANNEL_COMMIT);
		}
		until_news(one, CHANNEL_ENDED);
		check_outcome(one, OUTCOME_COMMITTED, ERR_NONE);
	}
	check_file("x", 'a', 40000);
	check_file("sub/y", 'b', 40000);
	end_case(2);
}

static void
one_told_to_commit_early_completes_at_its_end(void **state)
{
	struct one *one = streamed(0, "x", 5);

	(void)state;
	tell(one, CHANNEL_COMMIT);
	push(one, 5);
	tell(one, CHANNEL_FINISH);
	until_news(one, CHANNEL_ENDED); /* PREPARED may come before: the end may be seen before the order is */
	check_outcome(one, OUTCOME_COMMITTED, ERR_NONE);
	check_file("x", 'a', 10);
	end_case(1);
}

/* -- cancelled ------------------------------------------------------------------------------------------- */

static void
a_cancel_leaves_nothing_in_whatever_state(void **state)
{
	struct one *ready, *sending, *held, *full;

	(void)state;
	ready = open_order(0, "ready");
	sending = streamed(0, "sending", 100);
	held = prepared(0, "held", 100);
	full = open_order(0, "full"); /* with bytes that nobody has looked at */
	push(full, 100);
	for (size_t i = 0; i < n_ones; i++)
		tell(&ones[i], CHANNEL_CANCEL);
	until_news(ready, CHANNEL_ENDED);
	until_news(sending, CHANNEL_ENDED);
	until_news(held, CHANNEL_ENDED);
	until_news(full, CHANNEL_ENDED);
	for (size_t i = 0; i < n_ones; i++)
		check_outcome(&ones[i], OUTCOME_ABORTED, ERR_NONE);
	end_case(0);
}

/* It crosses the end: what is committed stays, and ENDED is not said again. */
static void
a_cancel_that_comes_too_late_changes_nothing(void **state)
{
	struct one *one = committed(0, "x", 3);

	(void)state;
	tell(one, CHANNEL_CANCEL);
	check_file("x", 'a', 3);
	end_case(1);
}

/* -- taken back ------------------------------------------------------------------------------------------ */

static void
what_is_taken_back_is_gone_and_what_it_replaced_is_there_again(void **state)
{
	struct one *first, *second;

	(void)state;
	first = committed(1, "x", 3);
	second = committed(1, "x", 4);
	check_file("x", 'b', 4);
	tell(second, CHANNEL_UNDO);
	until_news(second, CHANNEL_UNDONE);
	assert_int_equal(second->order.outcome.state, OUTCOME_UNDONE);
	check_file("x", 'a', 3);
	tell(first, CHANNEL_UNDO);
	until_news(first, CHANNEL_UNDONE);
	assert_int_equal(first->order.outcome.state, OUTCOME_UNDONE);
	assert_int_equal(count_names(), 0);
	end_case(0);
}

static void
a_name_that_is_taken_is_refused(void **state)
{
	struct one *second;

	(void)state;
	committed(0, "x", 3);
	second = prepared(0, "x", 4);
	tell(second, CHANNEL_COMMIT);
	until_news(second, CHANNEL_ENDED);
	check_outcome(second, OUTCOME_ABORTED, ERR_EXISTS);
	check_file("x", 'a', 3);
	end_case(1);
}

/* -- together --------------------------------------------------------------------------------------------- */

static struct order_group *
group_of(size_t n)
{
	struct order_group *group = calloc(1, sizeof *group + n * sizeof group->orders[0]);

	assert_non_null(group);
	group->n = n;
	for (size_t i = 0; i < n; i++) {
		group->orders[i] = &ones[i].order;
		ones[i].order.group = group;
	}
	return group;
}

static void
commit_all(void)
{
	for (size_t i = 0; i < n_ones; i++)
		tell(&ones[i], CHANNEL_COMMIT);
	for (size_t i = 0; i < n_ones; i++)
		until_news(&ones[i], CHANNEL_ENDED);
}

static void
a_group_becomes_visible_together(void **state)
{
	struct order_group *group;

	(void)state;
	are_of_one_form = true;
	prepared(0, "x", 3);
	prepared(0, "sub/y", LARGE);
	prepared(1, "z", 5);
	group = group_of(3);
	commit_all();
	for (size_t i = 0; i < 3; i++)
		check_outcome(&ones[i], OUTCOME_COMMITTED, ERR_NONE);
	check_file("x", 'a', 3);
	check_file("sub/y", 'b', LARGE);
	check_file("z", 'c', 5);
	end_case(3);
	free(group);
}

static void
or_not_at_all(void **state)
{
	struct order_group *group;
	int fd;

	(void)state;
	are_of_one_form = true;
	prepared(0, "x", 3);
	prepared(0, "taken", 4);
	prepared(0, "z", 5);
	fd = openat(folder, "taken", O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0 && close(fd) == 0);
	group = group_of(3);
	commit_all();
	for (size_t i = 0; i < 3; i++)
		check_outcome(&ones[i], OUTCOME_ABORTED, i == 1 ? ERR_EXISTS : ERR_NONE);
	assert_false(is_there("x") || is_there("z"));
	check_file("taken", 0, 0);
	end_case(1);
	free(group);
}

/* -- what a folder may be unable to do --------------------------------------------------------------------- */

static void
check_failure(struct one *one, enum error_kind kind)
{
	until_news(one, CHANNEL_ENDED);
	check_outcome(one, OUTCOME_ABORTED, kind);
}

/* A name that cannot be given is found out at the commit. */
static void
check_refused(const char *name, enum error_kind kind)
{
	struct one *one = prepared(0, name, 3);

	tell(one, CHANNEL_COMMIT);
	check_failure(one, kind);
}

static void
a_name_that_the_folder_cannot_have_is_the_names_fault(void **state)
{
	char longer[301];

	(void)state;
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	committed(0, "file", 1);
	check_refused(longer, ERR_RULE);
	check_refused("file/below", ERR_EXISTS);
	end_case(1);
}

/* In the middle of the bytes. The limit is the process's: nothing else of this size is written meanwhile. */
static void
a_disk_that_takes_no_more_leaves_nothing(void **state)
{
	struct rlimit before, small;
	struct one *one;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = CHUNK_SIZE;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	one = streamed(0, "x", 3 * CHUNK_SIZE);
	until_news(one, CHANNEL_ENDED);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(one->order.outcome.state, OUTCOME_ABORTED);
	assert_true(error_is_set(&one->order.outcome.error));
	end_case(0);
}

static void
a_folder_that_is_gone_takes_nothing(void **state)
{
	struct one *one;

	(void)state;
	assert_int_equal(rmdir(folder_path()), 0);
	one = streamed(0, "x", 3);
	until_news(one, CHANNEL_ENDED);
	assert_int_equal(one->order.outcome.state, OUTCOME_ABORTED);
	assert_int_equal(one->order.outcome.error.kind, ERR_UPSTREAM);
	end_case(0);
}

/* The bytes that come after a failure go back with the channel. */
static void
what_comes_after_a_failure_is_given_back(void **state)
{
	struct one *one;

	(void)state;
	assert_int_equal(rmdir(folder_path()), 0);
	one = streamed(0, "x", 3);
	until_news(one, CHANNEL_ENDED);
	push(one, 3 * CHUNK_SIZE);
	tell(one, CHANNEL_FINISH | CHANNEL_COMMIT);
	end_case(0);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, begin_case)
	const struct CMUnitTest tests[] = {
		CASE(a_stream_is_visible_after_its_commit_and_not_before),
		CASE(what_is_kept_is_written),
		CASE(one_told_to_commit_early_completes_at_its_end),
		CASE(a_cancel_leaves_nothing_in_whatever_state),
		CASE(a_cancel_that_comes_too_late_changes_nothing),
		CASE(what_is_taken_back_is_gone_and_what_it_replaced_is_there_again),
		CASE(a_name_that_is_taken_is_refused),
		CASE(a_group_becomes_visible_together),
		CASE(or_not_at_all),
		CASE(a_name_that_the_folder_cannot_have_is_the_names_fault),
		CASE(a_disk_that_takes_no_more_leaves_nothing),
		CASE(a_folder_that_is_gone_takes_nothing),
		CASE(what_comes_after_a_failure_is_given_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
