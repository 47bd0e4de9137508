// SPDX-License-Identifier: MIT
/* test_mailbox.c - order, gathering of bits, and when the eventfd is written. Before mailbox_own() the test's own
 * thread stands for "another thread". */
#include "loop/mailbox.h"

#include "base/mem.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define N_MAILS 5

struct probe {
	struct mail mail;
	char name;
	unsigned again; /* post itself these bits, once */
	bool frees_itself;
};

static struct mailbox *box;
static char heard[64]; /* "a1 b4 " : name and bits */

static void
hear(struct mail *mail, unsigned bits)
{
	struct probe *probe = (struct probe *)(void *)mail;
	unsigned again = probe->again;
	size_t len = strlen(heard);

	assert_true(len + 4 < sizeof heard);
	heard[len] = probe->name;
	heard[len + 1] = (char)('0' + bits);
	heard[len + 2] = ' ';
	heard[len + 3] = '\0';
	probe->again = 0;
	if (again != 0)
		mailbox_post(box, mail, again);
	if (probe->frees_itself)
		mem_free(probe);
}

static void
make_probes(struct probe *probes)
{
	for (int i = 0; i < N_MAILS; i++) {
		probes[i] = (struct probe){ .name = (char)('a' + i) };
		mail_init(&probes[i].mail, hear);
	}
	heard[0] = '\0';
}

static bool
fd_is_readable(void)
{
	struct pollfd fd = { .fd = mailbox_fd(box), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	box = mailbox_new(&err);
	return box == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	mailbox_own(NULL);
	mailbox_free(box);
	return 0;
}

static void
mails_come_oldest_first(void **state)
{
	struct probe probes[N_MAILS];

	(void)state;
	make_probes(probes);
	for (int i = 0; i < N_MAILS; i++)
		mailbox_post(box, &probes[i].mail, 1);
	assert_int_equal(mailbox_deliver(box), N_MAILS);
	assert_string_equal(heard, "a1 b1 c1 d1 e1 ");
	assert_int_equal(mailbox_deliver(box), 0);
}

static void
bits_of_a_queued_mail_add_up_and_keep_its_place(void **state)
{
	struct probe probes[N_MAILS];

	(void)state;
	make_probes(probes);
	mailbox_post(box, &probes[0].mail, 1);
	mailbox_post(box, &probes[1].mail, 2);
	mailbox_post(box, &probes[0].mail, 4);
	mailbox_post(box, &probes[0].mail, 4);
	assert_int_equal(mailbox_deliver(box), 2);
	assert_string_equal(heard, "a5 b2 ");
}

static void
what_a_delivery_posts_waits_for_the_next_call(void **state)
{
	struct probe probes[N_MAILS];

	(void)state;
	make_probes(probes);
	probes[0].again = 2;
	mailbox_post(box, &probes[0].mail, 1);
	mailbox_post(box, &probes[1].mail, 1);
	assert_int_equal(mailbox_deliver(box), 2);
	assert_string_equal(heard, "a1 b1 ");
	assert_int_equal(mailbox_deliver(box), 1);
	assert_string_equal(heard, "a1 b1 a2 ");
}

static void
a_mail_may_be_freed_by_its_own_delivery(void **state)
{
	struct probe probes[N_MAILS], *lost = mem_zalloc(sizeof *lost);

	(void)state;
	assert_non_null(lost);
	make_probes(probes);
	lost->name = 'x';
	lost->frees_itself = true;
	mail_init(&lost->mail, hear);
	mailbox_post(box, &probes[0].mail, 1);
	mailbox_post(box, &lost->mail, 1);
	mailbox_post(box, &probes[1].mail, 1);
	assert_int_equal(mailbox_deliver(box), 3);
	assert_string_equal(heard, "a1 x1 b1 ");
}

static void
an_owner_who_is_awake_costs_no_system_call(void **state)
{
	struct probe probes[N_MAILS];

	(void)state;
	make_probes(probes);
	mailbox_post(box, &probes[0].mail, 1);
	assert_false(fd_is_readable());
	mailbox_deliver(box);
}

static void
a_burst_costs_one_wake_up(void **state)
{
	struct probe probes[N_MAILS];
	uint64_t count = 0;

	(void)state;
	make_probes(probes);
	assert_true(mailbox_sleep_begin(box));
	for (int i = 0; i < N_MAILS; i++)
		mailbox_post(box, &probes[i].mail, 1);
	assert_int_equal(read(mailbox_fd(box), &count, sizeof count), sizeof count);
	assert_int_equal(count, 1);
	mailbox_sleep_end(box);
	assert_int_equal(mailbox_deliver(box), N_MAILS);
}

static void
emptying_makes_the_descriptor_quiet(void **state)
{
	struct probe probes[N_MAILS];

	(void)state;
	make_probes(probes);
	assert_true(mailbox_sleep_begin(box));
	mailbox_post(box, &probes[0].mail, 1);
	mailbox_sleep_end(box);
	assert_true(fd_is_readable());
	mailbox_empty_fd(box);
	assert_false(fd_is_readable());
	mailbox_empty_fd(box); /* nothing there: does not block */
	mailbox_deliver(box);
}

static void
nobody_goes_to_sleep_over_waiting_mail(void **state)
{
	struct probe probes[N_MAILS];

	(void)state;
	make_probes(probes);
	mailbox_post(box, &probes[0].mail, 1);
	assert_false(mailbox_sleep_begin(box));
	mailbox_post(box, &probes[1].mail, 1); /* he is awake again */
	assert_false(fd_is_readable());
	assert_int_equal(mailbox_deliver(box), 2);
}

static void
an_owners_own_post_writes_nothing(void **state)
{
	struct probe probes[N_MAILS];

	(void)state;
	make_probes(probes);
	mailbox_own(box);
	assert_true(mailbox_is_mine(box));
	assert_true(mailbox_sleep_begin(box));
	mailbox_post(box, &probes[0].mail, 1);
	assert_false(fd_is_readable());
	mailbox_sleep_end(box);
	mailbox_deliver(box);
	mailbox_own(NULL);
	assert_false(mailbox_is_mine(box));
}

static void *
post_from_elsewhere(void *arg)
{
	struct probe *probe = arg;

	assert_false(mailbox_is_mine(box));
	mailbox_post(box, &probe->mail, 1);
	return NULL;
}

static void
another_threads_post_ends_the_sleep(void **state)
{
	struct probe probes[N_MAILS];
	struct pollfd fd = { .fd = mailbox_fd(box), .events = POLLIN };
	pthread_t thread;

	(void)state;
	make_probes(probes);
	mailbox_own(box);
	assert_true(mailbox_sleep_begin(box));
	assert_int_equal(pthread_create(&thread, NULL, post_from_elsewhere, &probes[0]), 0);
	assert_int_equal(poll(&fd, 1, -1), 1);
	mailbox_sleep_end(box);
	assert_int_equal(mailbox_deliver(box), 1);
	assert_string_equal(heard, "a1 ");
	pthread_join(thread, NULL);
}

static void
out_of_memory_is_an_error(void **state)
{
	struct error err = { 0 };

	(void)state;
	mem_fail(1, 1);
	assert_null(mailbox_new(&err));
	mem_fail(0, 0);
	assert_int_equal(err.kind, ERR_NOMEM);
	mailbox_free(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(mails_come_oldest_first),
		CASE(bits_of_a_queued_mail_add_up_and_keep_its_place),
		CASE(what_a_delivery_posts_waits_for_the_next_call),
		CASE(a_mail_may_be_freed_by_its_own_delivery),
		CASE(an_owner_who_is_awake_costs_no_system_call),
		CASE(a_burst_costs_one_wake_up),
		CASE(emptying_makes_the_descriptor_quiet),
		CASE(nobody_goes_to_sleep_over_waiting_mail),
		CASE(an_owners_own_post_writes_nothing),
		CASE(another_threads_post_ends_the_sleep),
		CASE(out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
