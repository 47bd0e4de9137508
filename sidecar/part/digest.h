// SPDX-License-Identifier: MIT
/* digest.h - SHA-256 of bytes that pass by (FIPS 180-4), by OpenSSL's EVP. One per form, used for one part
 * after another; belongs to one thread. */
#ifndef PENSTOCK_DIGEST_H
#define PENSTOCK_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_HEX_SIZE 65 /* 64 hex digits and a NUL */

struct digest;

struct digest *digest_new(void);          /* NULL: out of memory */
bool digest_begin(struct digest *digest); /* false: out of memory */
void digest_add(struct digest *digest, const char *data, size_t len);
void digest_end(struct digest *digest, char hex[DIGEST_HEX_SIZE]); /* lower-case */
void digest_free(struct digest *digest);                           /* NULL is fine */

#endif
