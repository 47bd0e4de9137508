// SPDX-License-Identifier: MIT
/* secret.c - see secret.h. */
#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool
secret_read(int fd, size_t most, struct buf *out)
{
	char piece[4096];
	ssize_t n;

	out->is_secret = true;
	while ((n = read(fd, piece, sizeof piece)) > 0 && out->len + (size_t)n <= most)
		buf_add(out, piece, (size_t)n);
	explicit_bzero(piece, sizeof piece);
	if (n > 0)
		errno = EFBIG;
	return n == 0;
}

void
secret_wipe(struct buf *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->cap);
	buf_free(text);
	text->is_secret = true;
}
