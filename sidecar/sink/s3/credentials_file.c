// SPDX-License-Identifier: MIT
/* credentials_file.c - see credentials_file.h. */
#include "sink/s3/credentials_file.h"

#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool
s3_file_read(const char *path, size_t most, struct buf *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), why = errno;
	bool ok = fd >= 0 && secret_read(fd, most, out);

	if (fd >= 0) {
		why = errno;
		close(fd);
	}
	if (ok && !out->failed)
		return true;
	secret_wipe(out);
	if (ok)
		return error_nomem(err);
	error_set(err, ERR_CONFIG, "%s: %s", path, strerror(why));
	errno = why;
	return false;
}
