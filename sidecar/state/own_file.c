// SPDX-License-Identifier: MIT
/* own_file.c - this process's file of state.h. [its thread]
 *
 * Orders of a turn are gathered in one batch. The hook at its end writes the batch and lets it reach the disk if anybody waits
 * for that; meanwhile the next orders gather in the mailbox. What was only mentioned reaches it a little later. What cannot be written is cut off again, so that nobody reads
 * half of it. A file that is large and tells little is written anew; so is one of which a write has failed, because of pages
 * that once could not be written nobody knows whether they are on the disk. */
#include "base/container_of.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "state/state_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREATE_TRIES 8
#define REWRITE_TIMES 4 /* as large as what it tells */

/* -- the file ----------------------------------------------------------------------------------------- */

static bool
write_at(int fd, struct str text, uint64_t at)
{
	while (text.len > 0) {
		ssize_t n = pwrite(fd, text.data, text.len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (uint64_t)n;
		text = (struct str){ text.data + n, text.len - (size_t)n };
	}
	return true;
}

/* Locked from its first byte on. -1: errno says why; EAGAIN: one who starts just now has it. */
static int
create(int folder, const char *name)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum lock_result result = fd >= 0 ? lock_take(fd) : LOCK_UNKNOWN;
	struct stat st;
	int error = errno;

	if (fd < 0 || (result == LOCK_OURS && fstat(fd, &st) == 0 && st.st_nlink > 0))
		return fd;
	unlinkat(folder, name, 0);
	close(fd);
	errno = result == LOCK_UNKNOWN ? error : EAGAIN;
	return -1;
}

static bool
begin_file(struct own_file *own, int folder)
{
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	snprintf(own->name, sizeof own->name, STATE_PREFIX "%s" STATE_SUFFIX, uuid);
	own->fd = create(folder, own->name);
	if (own->fd < 0)
		return false;
	own->size = sizeof RECORD_FORMAT - 1;
	return write_at(own->fd, STR(RECORD_FORMAT), 0) && fsync(own->fd) == 0 && fsync(folder) == 0;
}

/* All that entries tell, in a new file that takes the place of the old one. False: errno says why, nothing has changed. */
static bool
swap_file(struct own_file *own, int folder, const char *name, struct str text)
{
	int fd = create(folder, name);

	if (fd < 0)
		return false;
	if (write_at(fd, text, 0) && fsync(fd) == 0 && renameat(folder, name, folder, own->name) == 0) {
		close(own->fd);
		own->fd = fd;
		own->size = text.len;
		return fsync(folder) == 0;
	}
	unlinkat(folder, name, 0);
	close(fd);
	return false;
}

static bool
rewrite(struct state *state)
{
	struct own_file *own = &state->own;
	char name[DEAD_NAME_MAX + sizeof STATE_NEW];
	struct buf text = { 0 };
	bool ok;

	snprintf(name, sizeof name, "%s" STATE_NEW, own->name);
	unlinkat(state->folder, name, 0);
	buf_add_text(&text, RECORD_FORMAT);
	for (const struct state_entry *entry = own->live; entry != NULL; entry = entry->next)
		own_entries_write(entry, &text);
	errno = ENOMEM;
	ok = !text.failed && swap_file(own, state->folder, name, buf_str(&text));
	buf_free(&text);
	return ok;
}

/* -- how it goes ---------------------------------------------------------------------------------------- */

static void
note(struct state *state, int error)
{
	int before = (int)counter_read(&state->broken);

	counter_set(&state->broken, (size_t)error);
	if (error != 0)
		loop_set_timer(
			state->loop, &state->own.again, clock_after(loop_now_ms(state->loop), STATE_AGAIN_MS));
	if ((error != 0) == (before != 0))
		return;
	if (error != 0)
		log_line(LOG_ERROR, "state",
			"the journal of commits cannot be written: forms of several objects are refused",
			LOG_TEXTVAL("why", strerror(error)));
	else
		log_event(LOG_INFO, "state", "the journal of commits can be written again", NULL, 0);
}

static void
on_again(struct timer *timer)
{
	struct state *state = container_of(timer, struct state, own.again);

	note(state, rewrite(state) ? 0 : errno);
}

/* -- writing -------------------------------------------------------------------------------------------- */

/* A file that somebody has removed takes all that is written, and no start would find it. False: errno says why. */
static bool
has_name(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	errno = ENOENT;
	return st.st_nlink > 0;
}

static int
sync_file(struct own_file *own)
{
	if (fdatasync(own->fd) != 0 || !has_name(own->fd))
		return errno;
	own->has_mentions = false;
	return 0;
}

static int
write_batch(struct own_file *own)
{
	if (own->batch.failed)
		return ENOMEM;
	if (!write_at(own->fd, buf_str(&own->batch), own->size))
		return errno;
	return own->waiting != NULL ? sync_file(own) : 0;
}

/* What was forgotten and could not be written is asked about once more than needed, if it comes to that. */
static void
write_all(struct state *state)
{
	struct own_file *own = &state->own;
	int error = write_batch(own);

	if (error == 0)
		own->size += own->batch.len;
	else if (ftruncate(own->fd, (off_t)own->size) != 0)
		log_line(LOG_ERROR, "state", "what could not be written cannot be cut off",
			LOG_TEXTVAL("why", strerror(errno)));
	buf_free(&own->batch);
	if (error != 0 || counter_read(&state->broken) == 0)
		note(state, error);
	own_entries_answer(own, error);
}

static void
on_sync(struct timer *timer)
{
	struct state *state = container_of(timer, struct state, own.sync);
	int error = state->own.has_mentions && counter_read(&state->broken) == 0 ? sync_file(&state->own) : 0;

	state->own.is_sync_due = false;
	if (error != 0)
		note(state, error);
}

static void
sync_later(struct own_file *own, struct loop *loop)
{
	if (own->has_mentions && !own->is_sync_due)
		own->is_sync_due = loop_set_timer(loop, &own->sync, clock_after(loop_now_ms(loop), STATE_SYNC_MS));
}

static uint64_t
on_turn(struct hook *hook, uint64_t now_ms)
{
	struct state *state = container_of(hook, struct state, own.hook);
	struct own_file *own = &state->own;

	(void)now_ms;
	if (own->batch.len == 0 && !own->batch.failed)
		return CLOCK_NEVER;
	write_all(state);
	sync_later(own, state->loop);
	if (counter_read(&state->broken) == 0 && own->size > STATE_REWRITE_AT &&
		own->size / REWRITE_TIMES > own->live_bytes && !rewrite(state))
		note(state, errno);
	return CLOCK_NEVER;
}

/* -- begin and end -------------------------------------------------------------------------------------- */

static bool
fail(const struct state *state, struct error *err, int error)
{
	if (lock_is_missing(error))
		return error_set(err, ERR_SYSTEM,
			"state: %s: its file system has no locks, so nobody could tell the living from the dead",
			state->path);
	return error_set(err, ERR_SYSTEM, "state: %s: cannot be written: %s", state->path, strerror(error));
}

bool
own_file_open(struct state *state, struct error *err)
{
	struct own_file *own = &state->own;
	bool ok = false;

	own->last_waiting = &own->waiting;
	own->hook.turn = on_turn;
	own->again.fire = on_again;
	own->sync.fire = on_sync;
	for (int i = 0; i < CREATE_TRIES && !ok; i++) {
		ok = begin_file(own, state->folder);
		if (!ok && (own->fd >= 0 || errno != EAGAIN))
			break;
	}
	if (!ok)
		return fail(state, err, errno);
	loop_add_hook(state->loop, &own->hook);
	return true;
}

/* Entries that are left were released, so nobody else has them. */
static void
free_left(struct own_file *own)
{
	while (own->live != NULL) {
		struct state_entry *entry = own->live;

		must(entry->is_left || entry->is_dropped);
		own_entries_unlink(own, entry);
		entry_free(entry);
	}
}

static void
say_left(const struct own_file *own)
{
	if (own->n_left > 0)
		log_line(LOG_WARN, "state",
			"what could not be taken back, or ended, of some forms is left to the next start",
			LOG_NUM("forms", own->n_left));
	if (own->n_owing > 0)
		log_line(LOG_WARN, "state",
			"the next start goes on telling applications of forms that do not stand",
			LOG_NUM("forms", own->n_owing));
}

void
own_file_close(struct state *state)
{
	struct own_file *own = &state->own;

	if (own->batch.len > 0)
		write_all(state); /* what was forgotten last */
	loop_clear_timer(state->loop, &own->again);
	loop_clear_timer(state->loop, &own->sync);
	if (own->n_left == 0 && own->n_owing == 0)
		unlinkat(state->folder, own->name, 0);
	say_left(own);
	free_left(own);
	buf_free(&own->batch);
	close(own->fd);
	own->fd = -1;
}
