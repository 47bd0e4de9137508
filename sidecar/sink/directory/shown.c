// SPDX-License-Identifier: MIT
/* shown.c - see shown.h. */
#include "sink/directory/shown.h"

#include "sink/directory/directory.h"

static struct new_file **
bucket_of(struct shown *shown, ino_t number)
{
	return &shown->buckets[number % SHOWN_BUCKETS];
}

void
shown_add(struct new_file *file)
{
	struct new_file **bucket;
	struct stat st;

	if (file->shown == NULL || fstat(file->fd, &st) != 0)
		return;
	file->device = st.st_dev;
	file->number = st.st_ino;
	bucket = bucket_of(file->shown, file->number);
	file->next_shown = *bucket;
	*bucket = file;
}

void
shown_remove(struct new_file *file)
{
	if (file->shown == NULL)
		return;
	for (struct new_file **at = bucket_of(file->shown, file->number); *at != NULL; at = &(*at)->next_shown) {
		if (*at != file)
			continue;
		*at = file->next_shown;
		return;
	}
}

bool
shown_is_sibling(const struct new_file *file, const struct stat *st)
{
	if (file->shown == NULL)
		return false;
	for (const struct new_file *f = *bucket_of(file->shown, st->st_ino); f != NULL; f = f->next_shown)
		if (f->number == st->st_ino && f->device == st->st_dev && f->form == file->form)
			return true;
	return false;
}
