// SPDX-License-Identifier: MIT
/* folder.h - a folder of a test's own below /tmp. */
#ifndef PENSTOCK_TEST_FOLDER_H
#define PENSTOCK_TEST_FOLDER_H

#include <sys/resource.h>

/* Makes it, and opens it. Less than 0: it cannot be made. */
int folder_make(void);
const char *folder_path(void); /* of the last one that was made */

/* Closes it and removes it with all that is in it. 0: it is gone. */
int folder_remove(int folder);

/* Of a file in it, at most 63 bytes, up to the next call. "": it is not there. */
const char *folder_content(int folder, const char *name);

/* No file of this process, wherever it is, grows beyond so many bytes (RLIM_INFINITY: any): a longer write fails by EFBIG. */
void folder_limit_files(rlim_t bytes);

#endif
