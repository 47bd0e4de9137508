// SPDX-License-Identifier: MIT
/* credentials_file.h - a file that holds a secret. [any] May wait for a slow file system. */
#ifndef PENSTOCK_S3_CREDENTIALS_FILE_H
#define PENSTOCK_S3_CREDENTIALS_FILE_H

#include "base/error.h"
#include "base/str.h"

/* All of it, for secret_wipe(). False: err says why (ERR_CONFIG, and errno; or ERR_NOMEM), and `out` is empty. */
bool s3_file_read(const char *path, size_t most, struct buf *out, struct error *err);

#endif
