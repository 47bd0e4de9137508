// SPDX-License-Identifier: MIT
/* credentials_renewer.c - see credentials_renewer.h. Keys expire by the system's clock, which may be set while a timer runs. So
 * that clock is looked at every minute. */
#include "sink/s3/credentials_renewer.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "loop/loop_thread.h"
#include "sink/s3/credentials_fetch.h"
#include "sink/upload.h"

#include <signal.h>
#include <sys/random.h>

#define EARLY_S 300      /* keys are fetched so long before they expire */
#define WAIT_MIN_MS 1000 /* between two fetches, whatever is answered */
#define WAIT_MAX_MS 60000
#define DOUBLED_MAX 6u

enum { MAIL_ASK = 1, MAIL_STOP = 2 };

struct s3_renewer {
	struct s3_renewer_setup setup;
	struct loop *loop;
	struct loop_thread thread;
	struct engine engine;
	bool has_libcurl, has_engine;
	struct s3_fetch *fetch;
	struct mail mail;
	struct timer timer;
	int64_t due_s; /* 0: whenever the timer fires */
	unsigned n_failed;
};

/* -- when --------------------------------------------------------------------------------------------- */

int64_t
s3_renewer_due_s(int64_t obtained_s, int64_t expires_s)
{
	int64_t half = (expires_s - obtained_s) / 2;

	if (expires_s == S3_KEYS_NEVER_EXPIRE)
		return S3_KEYS_NEVER_EXPIRE;
	return expires_s - (half < EARLY_S ? half : EARLY_S);
}

uint64_t
s3_renewer_wait_ms(unsigned n_failed, uint32_t chance)
{
	unsigned doubled = n_failed - 1 < DOUBLED_MAX ? n_failed - 1 : DOUBLED_MAX;
	uint64_t most = (uint64_t)WAIT_MIN_MS << doubled;

	if (most > WAIT_MAX_MS)
		most = WAIT_MAX_MS;
	return most - chance % (most / 2 + 1);
}

static void
wait_ms(struct s3_renewer *r, uint64_t ms)
{
	loop_set_timer(
		r->loop, &r->timer, clock_after(loop_now_ms(r->loop), ms)); /* has room: see s3_renewer_start() */
}

/* Until r->due_s, or until the next look at the clock. */
static void
wait_until_due(struct s3_renewer *r)
{
	int64_t left_s = r->due_s - r->setup.now_s();

	if (r->due_s == S3_KEYS_NEVER_EXPIRE)
		loop_set_timer(r->loop, &r->timer, CLOCK_NEVER);
	else if (left_s >= WAIT_MAX_MS / 1000)
		wait_ms(r, WAIT_MAX_MS);
	else
		wait_ms(r, left_s > 1 ? (uint64_t)left_s * 1000 : WAIT_MIN_MS);
}

static void
wait_after_failure(struct s3_renewer *r)
{
	uint32_t chance = 0;

	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
		chance = (uint32_t)loop_now_ms(r->loop);
	r->n_failed++;
	r->due_s = 0;
	wait_ms(r, s3_renewer_wait_ms(r->n_failed, chance));
}

/* -- what -------------------------------------------------------------------------------------------- */

static void
on_fetched(void *arg, struct s3_keys *keys, const struct error *err)
{
	struct s3_renewer *r = arg;

	if (keys == NULL) {
		wait_after_failure(r);
	} else {
		r->n_failed = 0;
		r->due_s = s3_renewer_due_s(keys->obtained_s, keys->expires_s);
		wait_until_due(r);
	}
	r->setup.on_fetched(r->setup.arg, keys, err);
}

static void
fetch(struct s3_renewer *r)
{
	if (!s3_fetch_is_idle(r->fetch))
		return;
	loop_set_timer(r->loop, &r->timer, CLOCK_NEVER);
	s3_fetch_begin(r->fetch);
}

static void
on_timer(struct timer *timer)
{
	struct s3_renewer *r = container_of(timer, struct s3_renewer, timer);

	loop_set_timer(r->loop, &r->timer, CLOCK_NEVER); /* firing took it out, so there is room */
	if (r->setup.now_s() < r->due_s)
		wait_until_due(r);
	else
		fetch(r);
}

static void
on_mail(struct mail *mail, unsigned bits)
{
	struct s3_renewer *r = container_of(mail, struct s3_renewer, mail);

	if (bits & MAIL_STOP)
		loop_stop(r->loop);
	else
		fetch(r);
}

/* -- life --------------------------------------------------------------------------------------------- */

/* The thread must have all signals blocked, because they are for the main thread, which may not have blocked them yet. */
static bool
start_thread(struct s3_renewer *r, struct error *err)
{
	sigset_t all, before;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = loop_thread_start(&r->thread, r->loop, "s3 keys", err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

static bool
set_up(struct s3_renewer *r, struct error *err)
{
	struct s3_fetch_setup fetch_setup = { &r->engine, r->setup.source, r->setup.now_s, on_fetched, r };

	r->has_libcurl = upload_setup(err);
	if (!r->has_libcurl)
		return false;
	r->loop = loop_new(err);
	if (r->loop == NULL)
		return false;
	r->has_engine = true;
	if (!engine_init(&r->engine, r->loop, err))
		return false;
	r->fetch = s3_fetch_new(&fetch_setup);
	if (r->fetch == NULL || !loop_set_timer(r->loop, &r->timer, CLOCK_NEVER))
		return error_nomem(err);
	return true;
}

struct s3_renewer *
s3_renewer_start(const struct s3_renewer_setup *setup, struct error *err)
{
	struct s3_renewer *r = mem_zalloc(sizeof *r);

	if (r == NULL) {
		error_nomem(err);
		return NULL;
	}
	*r = (struct s3_renewer){ .setup = *setup, .timer.fire = on_timer };
	mail_init(&r->mail, on_mail);
	if (set_up(r, err) && start_thread(r, err)) {
		s3_renewer_ask(r);
		return r;
	}
	s3_renewer_stop(r);
	return NULL;
}

void
s3_renewer_ask(struct s3_renewer *r)
{
	mailbox_post(loop_mailbox(r->loop), &r->mail, MAIL_ASK);
}

void
s3_renewer_stop(struct s3_renewer *r)
{
	if (r == NULL)
		return;
	if (r->thread.is_started)
		mailbox_post(loop_mailbox(r->loop), &r->mail, MAIL_STOP);
	loop_thread_join(&r->thread);
	s3_fetch_free(r->fetch);
	if (r->loop != NULL)
		loop_clear_timer(r->loop, &r->timer);
	if (r->has_engine)
		engine_fini(&r->engine);
	loop_free(r->loop);
	if (r->has_libcurl)
		upload_teardown();
	mem_free(r);
}
