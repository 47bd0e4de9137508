// SPDX-License-Identifier: MIT
/* whole_file.c - see whole_file.h. */
#include "base/whole_file.h"

#include <errno.h>
#include <unistd.h>

bool
whole_file_read(int fd, struct buf *out)
{
	char piece[16384];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_add(out, piece, (size_t)n);
	if (out->failed)
		errno = ENOMEM;
	return n == 0 && !out->failed;
}
