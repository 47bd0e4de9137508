// SPDX-License-Identifier: MIT
/* load.c - see load.h.
 *
 * Happy path: paths -> files (folders in name order) -> texts -> trees (yaml_tree.c) -> struct config
 * (read.c), linked (link.c), checked (check.c). All passes run over all files even if some have errors, so
 * that one run shows everything; a config with errors is then thrown away.
 */
#include "config/load.h"

#include "base/mem.h"
#include "config/check.h"
#include "config/link.h"
#include "config/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* -- texts -------------------------------------------------------------------------------------------- */

/* A new entry in l->files; takes `name` over. NULL: out of memory. */
static struct route_file *
add_file(struct loading *l, char *name)
{
	struct route_file *more = NULL;

	if (name != NULL)
		more = mem_resize(l->files, l->n_files + 1, sizeof *more);
	if (more == NULL) {
		mem_free(name);
		diag_nomem(l->diag);
		return NULL;
	}
	l->files = more;
	l->files[l->n_files] = (struct route_file){ .source = { .name = name, .order = (unsigned)l->n_files } };
	return &l->files[l->n_files++];
}

/* A byte order mark is not part of the text (and would shift the first line's columns). */
static bool
set_text(struct loading *l, struct route_file *file, struct str text)
{
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		text = (struct str){ text.data + 3, text.len - 3 };
	file->source.text = str_dup(text);
	file->source.len = text.len;
	return file->source.text != NULL || diag_nomem(l->diag);
}

/* At most one byte more than yaml_tree_parse() takes, so that it is the one to complain. */
static bool
read_all(int fd, struct buf *out)
{
	char piece[16384];
	ssize_t n = 0;

	while (out->len <= YAML_TREE_BYTES_MAX + 3 && (n = read(fd, piece, sizeof piece)) > 0)
		buf_add(out, piece, (size_t)n);
	return n >= 0;
}

static void
report_unreadable(struct loading *l, const struct route_file *file, const char *why)
{
	struct spot spot = { .source = &file->source };

	l->incomplete = true;
	diag_error(l->diag, spot, "cannot read this: %s", why);
}

/* A pipe without a name, as in `penstock check /dev/stdin`, or a terminal: these may be waited for. A FIFO among the
 * files of a folder would be waited for until somebody writes to it. */
static bool
may_be_waited_for(int fd, const struct stat *st)
{
	struct statfs fs;

	return S_ISCHR(st->st_mode) ||
		(S_ISFIFO(st->st_mode) && fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC);
}

/* Opens without waiting. Less than 0: `why` says it. */
static int
open_readable(const char *name, const char **why)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	*why = "it is neither a file nor a pipe of the shell";
	if (fd < 0 || fstat(fd, &st) != 0)
		*why = strerror(errno);
	else if (S_ISREG(st.st_mode) || (may_be_waited_for(fd, &st) && fcntl(fd, F_SETFL, 0) == 0))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void
open_file(struct loading *l, char *name)
{
	struct route_file *file = add_file(l, name);
	struct buf text = { 0 };
	const char *why;
	int fd;

	if (file == NULL)
		return;
	fd = open_readable(file->source.name, &why);
	if (fd < 0)
		report_unreadable(l, file, why);
	else if (!read_all(fd, &text))
		report_unreadable(l, file, strerror(errno));
	else if (text.failed)
		diag_nomem(l->diag);
	else
		set_text(l, file, buf_str(&text));
	if (fd >= 0)
		close(fd);
	buf_free(&text);
}

/* -- folders ---------------------------------------------------------------------------------------------- */

struct names {
	char **items;
	size_t n;
};

static bool
is_route_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static char *
join(const char *folder, const char *name)
{
	struct buf path = { 0 };
	struct str trimmed = str_of(folder);

	while (trimmed.len > 1 && trimmed.data[trimmed.len - 1] == '/')
		trimmed.len--;
	buf_add_str(&path, trimmed);
	if (!str_is(trimmed, "/"))
		buf_add_char(&path, '/');
	buf_add_text(&path, name);
	if (path.failed)
		buf_free(&path);
	return path.data;
}

static void
add_name(struct loading *l, struct names *names, char *path)
{
	char **more = path != NULL ? mem_resize(names->items, names->n + 1, sizeof *more) : NULL;

	if (more == NULL) {
		mem_free(path);
		diag_nomem(l->diag);
		return;
	}
	names->items = more;
	names->items[names->n++] = path;
}

static int
compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* False: errno says why. */
static bool
list_folder(struct loading *l, const char *folder, struct names *names)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (dir == NULL)
		return false;
	errno = 0;
	while ((entry = readdir(dir)) != NULL)
		if (is_route_file(entry->d_name))
			add_name(l, names, join(folder, entry->d_name));
	closedir(dir);
	if (names->n > 0)
		qsort(names->items, names->n, sizeof *names->items, compare_names);
	return true;
}

static void
report_folder(struct loading *l, const char *folder, const char *why)
{
	const struct route_file *file = add_file(l, str_dup(str_of(folder)));

	l->incomplete = true;
	if (file != NULL)
		diag_error(l->diag, (struct spot){ .source = &file->source }, "%s", why);
}

static void
open_folder(struct loading *l, const char *folder)
{
	struct names names = { 0 };

	if (!list_folder(l, folder, &names))
		report_folder(l, folder, strerror(errno));
	else if (names.n == 0 && !l->diag->nomem)
		report_folder(l, folder, "no *.yaml or *.yml file in this folder");
	for (size_t i = 0; i < names.n; i++)
		open_file(l, names.items[i]);
	mem_free(names.items);
}

static void
open_path(struct loading *l, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		open_folder(l, path);
	else
		open_file(l, str_dup(str_of(path)));
}

/* -- all passes ------------------------------------------------------------------------------------------- */

static void
parse_all(struct loading *l)
{
	for (size_t i = 0; i < l->n_files && !l->diag->nomem; i++) {
		struct route_file *file = &l->files[i];

		if (file->source.text == NULL)
			continue;
		file->root = yaml_tree_parse(&file->source, l->diag);
		l->incomplete = l->incomplete || file->root == NULL;
	}
}

/* Before the messages are printed, so that running out of memory here is one of them. */
static void
make_room_for_names(struct loading *l)
{
	l->config->files = mem_array(l->n_files, sizeof(char *));
	if (l->config->files == NULL)
		diag_nomem(l->diag);
}

/* The names of the files stay alive with the config, because every struct place points to one. The messages have used
 * them. */
static void
keep_names(struct loading *l)
{
	l->config->n_files = l->n_files;
	for (size_t i = 0; i < l->n_files; i++) {
		l->config->files[i] = l->files[i].source.name;
		l->files[i].source.name = NULL;
	}
}

static void
fini(struct loading *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		yaml_tree_free(l->files[i].root);
		mem_free(l->files[i].source.name);
		mem_free(l->files[i].source.text);
	}
	mem_free(l->files);
	mem_free(l->routes.items);
	mem_free(l->destinations.items);
	mem_free(l->destination_names.items);
	diag_fini(l->diag);
}

/* Everything after the texts are in memory; ends the run. */
static struct config *
finish(struct loading *l, struct findings *findings)
{
	struct config *config = l->config;

	parse_all(l);
	if (config != NULL && !l->diag->nomem)
		read_files(l);
	if (config != NULL && !l->diag->nomem)
		link_all(l);
	if (config != NULL && !l->diag->nomem)
		check_all(l);
	if (config != NULL && !l->diag->nomem)
		make_room_for_names(l);
	diag_print(l->diag, &findings->text);
	if (config != NULL && l->diag->errors == 0 && !l->diag->nomem)
		keep_names(l);
	findings->errors = l->diag->errors + (l->diag->nomem || config == NULL);
	findings->warnings = l->diag->warnings;
	fini(l);
	if (findings->errors == 0)
		return config;
	config_free(config);
	return NULL;
}

static struct config *
load(char *const *paths, size_t n_paths, bool elsewhere, struct findings *findings)
{
	struct diag diag = { 0 };
	struct loading l = { .diag = &diag, .config = mem_zalloc(sizeof *l.config), .elsewhere = elsewhere };

	*findings = (struct findings){ 0 };
	if (l.config == NULL)
		diag_nomem(&diag);
	for (size_t i = 0; i < n_paths; i++)
		open_path(&l, paths[i]);
	if (l.n_files == 0)
		diag_error(&diag, (struct spot){ 0 }, "no route file was given");
	return finish(&l, findings);
}

struct config *
config_load(char *const *paths, size_t n_paths, struct findings *findings)
{
	return load(paths, n_paths, false, findings);
}

struct config *
config_load_routes(char *const *paths, size_t n_paths, struct findings *findings)
{
	return load(paths, n_paths, true, findings);
}

struct config *
config_load_text(const char *name, struct str text, struct findings *findings)
{
	struct diag diag = { 0 };
	struct loading l = { .diag = &diag, .config = mem_zalloc(sizeof *l.config) };
	struct route_file *file;

	*findings = (struct findings){ 0 };
	if (l.config == NULL)
		diag_nomem(&diag);
	file = add_file(&l, str_dup(str_of(name)));
	if (file != NULL)
		set_text(&l, file, text);
	return finish(&l, findings);
}
