// SPDX-License-Identifier: MIT
/* credentials_file.h - reads a file that has a secret in it. [any] May block on a slow file system. */
#ifndef PENSTOCK_S3_CREDENTIALS_FILE_H
#define PENSTOCK_S3_CREDENTIALS_FILE_H

#include "base/error.h"
#include "base/str.h"

/* Reads all of a file of at most `most` bytes; the caller wipes `out` by secret_wipe(). False: err says why (ERR_CONFIG, and
 * errno is set; or ERR_NOMEM), and `out` is empty. */
bool s3_file_read(const char *path, size_t most, struct buf *out, struct error *err);

#endif
