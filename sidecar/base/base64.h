// SPDX-License-Identifier: MIT
/* base64.h - base64 as RFC 4648 section 4 has it. Pure, any thread. */
#ifndef PENSTOCK_BASE64_H
#define PENSTOCK_BASE64_H

#include "base/str.h"

#define BASE64_LENGTH(bytes) (((bytes) + 2) / 3 * 4) /* of so many bytes, with the padding */
#define BASE64_DIGITS(bytes) (((bytes)*8 + 5) / 6)   /* ... and without */

/* Appends the bytes of lower-case hex, two digits for each. */
void base64_add_hex(struct buf *out, struct str hex);

/* Writes len * 6 / 8 bytes for digits without padding; bits that are left over say nothing. False: something is no digit. */
bool base64_read(struct str digits, unsigned char *out);

#endif
