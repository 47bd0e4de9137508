// SPDX-License-Identifier: MIT
/* sum.h - the checksum of a part or an object that S3 compares with what it received, made while the bytes pass.
 *
 * NONE ─begin▶ open ─add…▶ open ─end▶ NONE, with the digest        (drop: to NONE, without one)
 *
 * [any] One thread at a time for each sum.
 */
#ifndef PENSTOCK_S3_SUM_H
#define PENSTOCK_S3_SUM_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum s3_sum_kind {
	S3_SUM_NONE,      /* add does nothing, and end gives a digest of no bytes */
	S3_SUM_CRC32C,    /* Castagnoli; RFC 3720 section 12.1 */
	S3_SUM_CRC64NVME, /* NVM Command Set Specification 1.0, section 5.2.1.3.4 */
	S3_SUM_SHA256,
};

struct s3_sum {
	enum s3_sum_kind kind;
	uint64_t crc;
	void *sha; /* EVP_MD_CTX of SHA256 */
};

#define S3_DIGEST_MAX 32
#define S3_DIGEST_BASE64_SIZE 45
#define S3_DIGEST_HEX_SIZE 65

struct s3_digest {
	enum s3_sum_kind kind;
	size_t len; /* bytes; 0 for NONE */
	uint8_t bytes[S3_DIGEST_MAX];
	char base64[S3_DIGEST_BASE64_SIZE]; /* for the line s3_sum_header(), and for Complete's Part */
};

/* False: out of memory; then the sum is NONE. */
bool s3_sum_begin(struct s3_sum *sum, enum s3_sum_kind kind, struct error *err);
void s3_sum_add(struct s3_sum *sum, const void *data, size_t len);
void s3_sum_end(struct s3_sum *sum, struct s3_digest *out); /* nothing is left to be freed */
void s3_sum_drop(struct s3_sum *sum);                       /* a zeroed one is fine */

/* Writes the digest in lower-case hex. Of a SHA-256 that is the payload of struct s3_sign_request. */
void s3_digest_hex(const struct s3_digest *digest, char hex[S3_DIGEST_HEX_SIZE]);

/* For CRCs only: `whole` becomes the digest of its own bytes followed by the `len` bytes of `part`. So the parts' digests give
 * the one that the store has for the object (FULL_OBJECT). A zeroed `whole` is that of no bytes. */
void s3_digest_join(struct s3_digest *whole, const struct s3_digest *part, uint64_t len);

const char *s3_sum_header(enum s3_sum_kind kind); /* "x-amz-checksum-crc32c"; NONE: NULL */
const char *s3_sum_word(enum s3_sum_kind kind); /* "CRC32C": x-amz-checksum-algorithm, Checksum<WORD>; NONE: NULL */

#endif
