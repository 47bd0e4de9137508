// SPDX-License-Identifier: MIT
/* sign.h - pure: AWS Signature Version 4 as S3 wants it, as a header line or as a presigned query.
 *
 * S3 signs a path as it is sent: escaped once, no dots resolved, no slashes merged. Therefore a path, and each name and value of a
 * query, must be made by s3_escape(), and sent exactly as they were signed.
 *
 * [any] No clock and no state of its own; nothing is kept of what it is given. Keys derived on the way are wiped.
 */
#ifndef PENSTOCK_S3_SIGN_H
#define PENSTOCK_S3_SIGN_H

#include "base/error.h"
#include "base/str.h"

#include <time.h>

#define S3_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
/* of an empty body */
#define S3_EMPTY_PAYLOAD "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S3_DATE_SIZE sizeof "20130524T000000Z"
#define S3_PRESIGN_MAX_S (7u * 24 * 3600) /* S3 takes no link that lives longer */

struct s3_sign_keys {
	const char *access, *secret;
	const char *token; /* of a session; NULL: these keys have none */
};

struct s3_sign_line {
	const char *name; /* in any case */
	struct str value; /* as sent */
};

struct s3_sign_request {
	const char *method;
	struct str host; /* as sent in Host: with a port that is not the scheme's own */
	struct str path; /* as sent, with its first slash */
	struct str
		query; /* without '?', names and values escaped, in any order: "uploads", "uploadId=x&partNumber=1" */
	const struct s3_sign_line *lines; /* are signed beside Host and the x-amz-* lines of struct s3_signed */
	size_t n_lines;
	const char *payload; /* the body's SHA-256 in hex, or S3_UNSIGNED_PAYLOAD */
	const char *region;
	const char *service; /* "s3"; for another one there is no x-amz-content-sha256 */
	time_t now;
};

/* What is to be sent beside the lines of the request. */
struct s3_signed {
	char date[S3_DATE_SIZE]; /* x-amz-date */
	struct buf authorization;
	struct buf query; /* in place of the request's: sorted, "uploads" as "uploads=" */
};

/* Signs the request in a line Authorization. With that line the caller must send Host, the request's lines, x-amz-date,
 * x-amz-content-sha256 (the request's payload; for "s3" only) and, if the keys have a token, x-amz-security-token. `out` must be
 * zeroed, or one that was filled before, which is overwritten. The caller gives it to s3_signed_free() after either result.
 * False: err says why (memory, or the library). */
bool s3_sign(const struct s3_sign_request *request, const struct s3_sign_keys *keys, struct s3_signed *out,
	struct error *err);
void s3_signed_free(struct s3_signed *out); /* back to the zeroed state */

/* Appends to `query` the query of a link that is good for `expires_s` (1 to S3_PRESIGN_MAX_S): the request's own, the X-Amz-* and
 * the signature. A client that follows the link must send the request's lines, too; for S3 the payload must be
 * S3_UNSIGNED_PAYLOAD. False: err says why, and `query` is not whole. */
bool s3_presign(const struct s3_sign_request *request, const struct s3_sign_keys *keys, unsigned expires_s,
	struct buf *query, struct error *err);

/* Appends text, with every byte but A-Z a-z 0-9 - . _ ~ as %XX. `keep_slash`: '/' stays, too, as it must in a key, and must not in
 * a name or value of a query. */
void s3_escape(struct buf *out, struct str text, bool keep_slash);

#endif
