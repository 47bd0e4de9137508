// SPDX-License-Identifier: MIT
/* Tables of routes that follow each other: what they share, when it goes, and what cannot change without a restart. */
#include "route/table.h"

#include "base/mem.h"
#include "config/restart.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/routes.h"
#include "sink/directory/folders.h"
#include "sink/directory/settings.h"
#include "sink/sink.h"
#include "sink/sinks.h"

static char folder[] = "/tmp/penstock-table-XXXXXX";

static struct config *
read_config(const char *head, const char *first, const char *second)
{
	struct config *config;
	struct buf text = { 0 };

	buf_addf(&text, "version: 1\n%s\ndestinations:\n  a: { type: directory, path: %s }\n", head, folder);
	buf_addf(&text, "  b: { type: directory, path: %s/. }\nroutes:\n", folder);
	for (int i = 0; i < 2; i++) {
		const char *id = i == 0 ? first : second;

		buf_addf(&text,
			"  - { id: %s, match: { path: /%s }, fields: [ { name: x, store: { to: %s, key: \"{uuid}\" } } ] }\n",
			id, id, i == 0 ? "a" : "b");
	}
	config = routes_of(buf_str(&text).data);
	buf_free(&text);
	return config;
}

static struct table *
make_table(const char *first, const char *second, const struct table *before)
{
	struct error err = { 0 };
	struct table *table = table_new(read_config("", first, second), before, &sinks_opener, NULL, &err);

	assert_non_null(table);
	return table;
}

/* Of the folder of a table's destination. */
static int
fd_of(const struct table *table, size_t destination)
{
	const struct folders *folders = sink_opened(table, table->config->destinations[destination].kind);

	return folders_home(folders, destination)->fd;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
a_route_goes_on_counting_under_its_id(void **state)
{
	struct table *old = make_table("one", "two", NULL), *next;

	(void)state;
	counter_add(old->active[0], 3);
	next = make_table("three", "one", old);
	assert_ptr_equal(next->active[1], old->active[0]);
	assert_ptr_not_equal(next->active[0], old->active[1]);
	table_release(old);
	counter_sub(next->active[1], 1);
	assert_int_equal(counter_read(next->active[1]), 2);
	table_release(next);
}

static void
one_folder_is_open_once_until_the_last_table_goes(void **state)
{
	struct table *old = make_table("one", "two", NULL), *next;
	int fd = fd_of(old, 0);

	(void)state;
	assert_int_equal(fd_of(old, 1), fd); /* two names, one folder */
	next = make_table("one", "two", old);
	assert_int_equal(fd_of(next, 0), fd);
	assert_ptr_equal(table_acquire(old), old);
	table_release(old);
	table_release(old);
	assert_true(is_open(fd));
	table_release(next);
	assert_false(is_open(fd));
}

/* -- an opener that is watched ------------------------------------------------------------------------ */

static int keeps[2], n_closed;
static const void *lent;

static void *
watched_open(const struct config *config, const void *before, struct state *state, struct error *err)
{
	(void)config;
	(void)state;
	(void)err;
	lent = before;
	return before == NULL ? &keeps[0] : &keeps[1];
}

static void
watched_close(void *opened)
{
	assert_ptr_equal(opened, &keeps[n_closed]);
	n_closed++;
}

static void
what_is_open_is_lent_to_the_next_table_and_closed_with_its_own(void **state)
{
	static const struct table_opener watched = { .open = watched_open, .close = watched_close };
	struct error err = { 0 };
	struct table *old = table_new(read_config("", "one", "two"), NULL, &watched, NULL, &err), *next;

	(void)state;
	assert_non_null(old);
	assert_null(lent);
	next = table_new(read_config("", "one", "two"), old, &watched, NULL, &err);
	assert_non_null(next);
	assert_ptr_equal(lent, &keeps[0]);
	table_acquire(old);
	table_release(old);
	assert_int_equal(n_closed, 0);
	table_release(old);
	assert_int_equal(n_closed, 1);
	table_release(next);
	assert_int_equal(n_closed, 2);
}

/* Whichever allocation fails, nothing is left and the table in force is as it was. */
static void
without_memory_the_table_before_stays(void **state)
{
	struct table *old = make_table("one", "two", NULL), *next = NULL;
	size_t nth = 0;

	(void)state;
	while (next == NULL) {
		struct config *config = read_config("", "two", "three");
		struct error err = { 0 };

		assert_true(++nth < 100);
		mem_fail(nth, 1);
		next = table_new(config, old, &sinks_opener, NULL, &err);
		mem_fail(0, 0);
		assert_true(next != NULL || err.kind == ERR_NOMEM);
		assert_true(is_open(fd_of(old, 0)));
	}
	assert_true(nth > 5);
	table_release(old);
	table_release(next);
}

static void
a_folder_that_cannot_be_opened_is_an_error(void **state)
{
	struct config *config = read_config("", "one", "two");
	struct directory_settings *settings;
	struct error err = { 0 };

	(void)state;
	settings = (struct directory_settings *)(void *)config->destinations[1].settings;
	mem_free(settings->path);
	settings->path = str_dup(STR("/dev/null/x"));
	assert_null(table_new(config, NULL, &sinks_opener, NULL, &err));
	assert_non_null(strstr(err.message, "destination \"b\""));
}

static void
only_a_restart_changes_sockets_threads_and_memory(void **state)
{
	static const struct {
		const char *now, *next, *why;
	} cases[] = {
		{ "", "", "" },
		{ "", "listen: \"127.0.0.1:8081\"", "" }, /* the default, written out */
		{ "client: { timeout: { idle: 1s } }", "shutdown: { drain: 1s }\nlog: { level: debug }", "" },
		{ "", "trust: { proxies: none }", "" },
		{ "spoa: { listen: \":1\" }", "spoa: { listen: \":1\", idle: 1s, max_connections: 2 }", "" },
		{ "listen: [\":1\", \"unix:k\"]", "listen: [\"0.0.0.0:1\", \"unix:./k\"]",
			"" },                                                       /* the same sockets */
		{ "listen: \"localhost:1\"", "listen: \"127.0.0.1:1\"", "listen" }, /* perhaps not */
		{ "", "listen: \":8082\"", "listen" },
		{ "listen: [\":1\", \":2\"]", "listen: [\":1\"]", "listen" },
		{ "listen: { addr: \":1\" }", "listen: { addr: \":1\", proxy_protocol: true }", "listen" },
		{ "", "admin: { listen: \":1\" }", "admin.listen" },
		{ "admin: { listen: \"unix:/a\" }", "admin: { listen: \"unix:/b\" }", "admin.listen" },
		{ "spoa: { listen: \":1\" }", "", "spoa.listen" },
		{ "", "memory: 65MiB", "memory" },
		{ "", "state: journal", "state" },
		{ "state: journal", "state: journal", "" },
		{ "", "threads: { workers: 3 }", "threads.workers" },
		{ "", "threads: { placement: spread }", "threads.placement" },
		{ "client: { connections: 9 }", "", "client.connections" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config *now = read_config(cases[i].now, "a", "b"),
			      *next = read_config(cases[i].next, "c", "d");
		struct buf why = { 0 }, wanted = { 0 };

		config_needs_restart(now, next, &why);
		if (cases[i].why[0] != '\0')
			buf_addf(&wanted, "%s: cannot be changed without a restart\n", cases[i].why);
		assert_true(str_equal(buf_str(&why), buf_str(&wanted)) || why.len + wanted.len == 0);
		buf_free(&why);
		buf_free(&wanted);
		config_free(now);
		config_free(next);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_goes_on_counting_under_its_id),
		cmocka_unit_test(one_folder_is_open_once_until_the_last_table_goes),
		cmocka_unit_test(what_is_open_is_lent_to_the_next_table_and_closed_with_its_own),
		cmocka_unit_test(without_memory_the_table_before_stays),
		cmocka_unit_test(a_folder_that_cannot_be_opened_is_an_error),
		cmocka_unit_test(only_a_restart_changes_sockets_threads_and_memory),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
