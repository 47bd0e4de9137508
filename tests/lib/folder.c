// SPDX-License-Identifier: MIT
/* folder.c - see folder.h. */
#include "lib/folder.h"

#include "lib/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[32];

int
folder_make(void)
{
	snprintf(path, sizeof path, "/tmp/penstock-test-XXXXXX");
	return mkdtemp(path) != NULL ? open(path, O_RDONLY | O_DIRECTORY) : -1;
}

const char *
folder_path(void)
{
	return path;
}

int
folder_remove(int folder)
{
	char command[64];

	close(folder);
	snprintf(command, sizeof command, "rm -rf %s", path);
	return system(command); // NOLINT(cert-env33-c): a folder of our own making
}

const char *
folder_content(int folder, const char *name)
{
	static char text[64];
	int fd = openat(folder, name, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

	assert_true(n >= 0);
	text[n] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

void
folder_limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}
