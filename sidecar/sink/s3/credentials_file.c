// SPDX-License-Identifier: MIT
/* credentials_file.c - see credentials_file.h. */
#include "sink/s3/credentials_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* False: errno says why. */
static bool
read_all(int fd, size_t most, struct buf *out)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0 && out->len + (size_t)n <= most)
		buf_add(out, piece, (size_t)n);
	explicit_bzero(piece, sizeof piece);
	if (n > 0)
		errno = EFBIG;
	return n == 0;
}

bool
s3_file_read(const char *path, size_t most, struct buf *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), why = errno;
	bool ok = fd >= 0 && read_all(fd, most, out);

	if (fd >= 0) {
		why = errno;
		close(fd);
	}
	if (ok && !out->failed)
		return true;
	s3_file_wipe(out);
	if (ok)
		return error_nomem(err);
	error_set(err, ERR_CONFIG, "%s: %s", path, strerror(why));
	errno = why;
	return false;
}

void
s3_file_wipe(struct buf *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->cap);
	buf_free(text);
}
