// SPDX-License-Identifier: MIT
/* until.c - see until.h. */
#include "lib/until.h"

static struct loop *loop;
static struct mail told, nudge;
static unsigned n_told;
static bool (*is_enough)(const void *arg);
static const void *is_enough_arg;

static void
on_told(struct mail *mail, unsigned bits)
{
	(void)bits;
	n_told += mail == &told;
}

static uint64_t
look(struct hook *hook, uint64_t now_ms)
{
	(void)hook;
	(void)now_ms;
	if (is_enough(is_enough_arg))
		loop_stop(loop);
	return CLOCK_NEVER;
}

struct loop *
until_start(void)
{
	static struct hook hook = { .turn = look };
	struct error err = { 0 };

	mail_init(&told, on_told);
	mail_init(&nudge, on_told);
	loop = loop_new(&err);
	if (loop != NULL)
		loop_add_hook(loop, &hook);
	return loop;
}

void
until_stop(void)
{
	loop_deliver_rest(loop);
	loop_free(loop);
}

void
until(bool (*is_so)(const void *arg), const void *arg)
{
	is_enough = is_so;
	is_enough_arg = arg;
	if (!is_so(arg))
		loop_run(loop);
	is_enough = NULL;
	is_enough_arg = NULL; /* it may lie on the caller's stack */
}

static bool
is_turned(const void *arg)
{
	(void)arg;
	return loop_is_mine(loop);
}

void
until_turned(void)
{
	mailbox_post(loop_mailbox(loop), &nudge, 1);
	until(is_turned, NULL);
}

struct mail *
until_mail(void)
{
	return &told;
}

static bool
was_told(const void *arg)
{
	return n_told >= *(const unsigned *)arg;
}

void
until_told(unsigned n)
{
	until(was_told, &n);
}

void
until_forget(void)
{
	n_told = 0;
}
