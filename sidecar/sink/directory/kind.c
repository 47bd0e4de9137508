// SPDX-License-Identifier: MIT
/* kind.c - what a route file must know of destinations of type directory. */
#include "base/mem.h"
#include "config/loading.h"
#include "config/whereabouts.h"
#include "sink/directory/settings.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SILENCE_MS 120000 /* a folder has no time-outs: so long may a disk take */

/* A start makes the folder itself, but not what it lies in. */
static bool
would_be_made(const char *path)
{
	struct str whole = str_of(path);
	char *outer;
	struct stat st;
	bool is_there;

	while (whole.len > 1 && path[whole.len - 1] == '/')
		whole.len--;
	while (whole.len > 0 && path[whole.len - 1] != '/')
		whole.len--;
	outer = str_dup(whole.len > 0 ? whole : str_of("."));
	is_there = outer != NULL && stat(outer, &st) == 0 && S_ISDIR(st.st_mode);
	mem_free(outer);
	return is_there;
}

static const char *
why_no_folder(const char *path, int error)
{
	if (error == ENOENT && (path[0] == '~' || strchr(path, '$') != NULL))
		return "the folder is not there; '~' and '$' stand for themselves here, no shell replaces them";
	if (error == ENOENT && would_be_made(path))
		return "the folder is not there; `penstock run` makes it";
	if (error == ENOENT)
		return "the folder is not there, nor is the one that it is to lie in; `penstock run` would not start";
	return NULL;
}

/* Only a warning: the folder may be mounted or made before the program runs. */
static void
warn_of_folder(struct loading *l, struct destination *d, const struct node *node)
{
	const struct node *path = yaml_tree_scalar(node, "path");
	const char *given = directory_settings(d)->path;
	struct stat st;

	if (path == NULL || given == NULL || l->elsewhere)
		return;
	if (stat(given, &st) != 0) {
		const char *why = why_no_folder(given, errno);

		diag_warn(l->diag, path->spot, "path: %s", why != NULL ? why : strerror(errno));
	} else if (!S_ISDIR(st.st_mode))
		diag_warn(l->diag, path->spot, "path: this is not a folder");
}

static bool
is_same_folder(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* NULL: no destination before it has the same folder. */
static const char *
known_place(const struct config *config, size_t at, const char *path)
{
	for (size_t i = 0; i < at; i++) {
		const struct destination *d = &config->destinations[i];

		if (d->kind == &directory_kind && d->at != NULL &&
			is_same_folder(directory_settings(d)->path, path))
			return d->at;
	}
	return NULL;
}

static bool
place(const struct config *config, size_t at, bool elsewhere, struct buf *out)
{
	const char *path = directory_settings(&config->destinations[at])->path;
	const char *known = path != NULL && !elsewhere ? known_place(config, at, path) : NULL;

	if (path == NULL)
		return false;
	if (known != NULL || elsewhere)
		buf_add_text(out, known != NULL ? known : path);
	else
		whereabouts_add_path(out, path);
	return true;
}

static void
free_settings(struct destination_settings *settings)
{
	mem_free(((struct directory_settings *)(void *)settings)->path);
}

static bool
can_undo(const struct destination_settings *settings)
{
	(void)settings;
	return true;
}

static bool
restores(const struct destination_settings *settings)
{
	(void)settings;
	return true;
}

static uint64_t
silence_ms(const struct destination_settings *settings)
{
	(void)settings;
	return SILENCE_MS;
}

const struct destination_kind directory_kind = {
	.word = "directory",
	.noun = "a directory",
	.keys = &directory_keys,
	.settings_size = sizeof(struct directory_settings),
	.traits = KIND_LOCAL | KIND_LASTS | KIND_NAMES_LATE,
	.style = TEMPLATE_FOR_FILE,
	.link = warn_of_folder,
	.free = free_settings,
	.place = place,
	.can_undo = can_undo,
	.restores = restores,
	.silence_ms = silence_ms,
};
