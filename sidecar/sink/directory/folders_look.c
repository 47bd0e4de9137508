// SPDX-License-Identifier: MIT
/* folders_look.c - the part of folders.h that looks after open folders: can they be written, is everything settled? */
#include "base/clock.h"
#include "base/log.h"
#include "sink/directory/directory.h"
#include "sink/directory/folder.h"
#include "sink/directory/folders_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAY_AGAIN_MS 60000u
#define SLOW_S 3u

/* -- trying [lookout] --------------------------------------------------------------------------------- */

/* 0, or an errno. */
static int
try_to_write(int folder)
{
	int fd = folder_open_nameless(folder, NEW_FILE_PREFIX), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, "", 1) != 1)
		error = errno;
	close(fd);
	return error;
}

static void
note_error(struct folder *folder, const struct destination *to, int error)
{
	int before = (int)counter_read(&folder->error);

	counter_set(&folder->error, (size_t)error);
	if ((error != 0) == (before != 0))
		return;
	if (error != 0)
		log_line(LOG_WARN, "sink", "the folder of a destination cannot be written",
			LOG_TEXTVAL("destination", to->name), LOG_TEXTVAL("why", strerror(error)));
	else
		log_line(LOG_INFO, "sink", "the folder of a destination can be written again",
			LOG_TEXTVAL("destination", to->name));
}

/* Somebody may have removed what was in the way, or the journal; an application may have answered. */
static void
settle_again(const struct folders *folders, struct folder *folder)
{
	uint64_t now = clock_now_ms();
	bool say = now >= clock_after(folder->said_ms, SAY_AGAIN_MS);

	if (say)
		folder->said_ms = now;
	folders_sweep(folders, folder, say);
}

static void
look_at(const struct folders *folders, struct folder *folder, const struct destination *to, bool write)
{
	counter_set(&folder->trying_since, (size_t)(clock_now_ms() / 1000 + 1));
	if (write)
		note_error(folder, to, try_to_write(folder->home.fd));
	if (!folder_is_settled(folder))
		settle_again(folders, folder);
	counter_set(&folder->trying_since, 0);
}

/* The destination that is the first to have this folder. */
static bool
is_first(const struct folders *folders, size_t destination)
{
	for (size_t i = 0; i < destination; i++)
		if (folders->of[i] == folders->of[destination])
			return false;
	return folders->of[destination] != NULL;
}

/* By each of its names. */
static void
tell_settled(const struct folders *folders, const struct config *config, const struct folder *folder)
{
	for (size_t i = 0; i < folders->n; i++)
		if (folders->of[i] == folder)
			folders_tell_settled(folders, i, &config->destinations[i]);
}

void
folders_look(const struct folders *folders, const struct config *config, bool write)
{
	for (size_t i = 0; i < folders->n; i++) {
		bool was_unsettled = folders->of[i] != NULL && !folder_is_settled(folders->of[i]);

		if (is_first(folders, i))
			look_at(folders, folders->of[i], &config->destinations[i], write);
		if (was_unsettled)
			tell_settled(folders, config, folders->of[i]);
	}
}

/* -- telling [any] ------------------------------------------------------------------------------------ */

static bool
is_slow(const struct folder *folder)
{
	size_t since = counter_read(&folder->trying_since);

	return since > 0 && clock_now_ms() / 1000 + 1 >= since + SLOW_S;
}

static bool
is_good(const struct folder *folder, const char *name, struct buf *why)
{
	int error = (int)counter_read(&folder->error);
	size_t unsettled = counter_read(&folder->unsettled);
	bool slow = is_slow(folder);

	if (slow)
		buf_addf(why, "destination \"%s\": its folder does not answer\n", name);
	else if (error != 0)
		buf_addf(why, "destination \"%s\": its folder cannot be written: %s\n", name, strerror(error));
	if (unsettled > 0)
		buf_addf(why,
			"destination \"%s\": %zu commit%s cut short could not be taken back; the log says why\n",
			name, unsettled, PLURAL(unsettled));
	return !slow && error == 0 && unsettled == 0;
}

bool
folders_are_good(const struct folders *folders, const struct config *config, struct buf *why)
{
	bool good = true;

	for (size_t i = 0; i < folders->n; i++)
		if (is_first(folders, i))
			good = is_good(folders->of[i], config->destinations[i].name, why) && good;
	return good;
}
