// SPDX-License-Identifier: MIT
/* answer.h - the XML with which S3 (and STS) answers, read as it arrives.
 *
 *   WAITING ─a byte that is no white space▶ READING ─end of a whole document▶ READ
 *                                              └─────────────not one▶ REFUSED
 *
 * White space before the document's first element has no limit, because with it S3 keeps the connection alive while it completes
 * an upload. The document itself is not trusted: it is refused if it has a DTD (and so if it declares an entity), an encoding that
 * is not UTF-8, more than `max_bytes`, elements too deep, a text too long, or a text twice, or if it is cut short. Elements that
 * are not in answer_rows.c are skipped.
 *
 * [any] One thread at a time for each answer.
 */
#ifndef PENSTOCK_S3_ANSWER_H
#define PENSTOCK_S3_ANSWER_H

#include "base/error.h"
#include "base/str.h"

enum s3_answer_kind {
	S3_ANSWER_EMPTY,     /* no document: no bytes, or white space alone */
	S3_ANSWER_ERROR,     /* <Error>, which S3 sends under 200 too; STS's <ErrorResponse> */
	S3_ANSWER_CREATED,   /* <InitiateMultipartUploadResult>: has its UPLOAD_ID */
	S3_ANSWER_COMPLETED, /* <CompleteMultipartUploadResult> */
	S3_ANSWER_UPLOADS,   /* <ListMultipartUploadsResult> */
	S3_ANSWER_SESSION,   /* STS's <AssumeRoleWithWebIdentityResponse>: has all four texts of SESSION below */
	S3_ANSWER_OTHER,     /* any other document */
};

enum s3_answer_text {
	S3_TEXT_CODE,        /* ERROR: "NoSuchUpload" */
	S3_TEXT_MESSAGE,     /* ERROR: a sentence, cut if it is long */
	S3_TEXT_REQUEST_ID,  /* ERROR */
	S3_TEXT_SERVER_TIME, /* ERROR, RequestTimeTooSkewed: the store's clock */
	S3_TEXT_REGION,      /* ERROR, AuthorizationHeaderMalformed: where the bucket is */
	S3_TEXT_UPLOAD_ID,   /* CREATED */
	S3_TEXT_ETAG,        /* COMPLETED */
	S3_TEXT_CRC32C,      /* COMPLETED: in base64; of parts' sums "…-N" unless CHECKSUM_TYPE is FULL_OBJECT */
	S3_TEXT_CRC64NVME,
	S3_TEXT_SHA256,
	S3_TEXT_CHECKSUM_TYPE,
	S3_TEXT_IS_TRUNCATED, /* UPLOADS: "true": ask again with key-marker and upload-id-marker */
	S3_TEXT_NEXT_KEY_MARKER,
	S3_TEXT_NEXT_UPLOAD_ID_MARKER,
	S3_TEXT_ACCESS_KEY, /* SESSION */
	S3_TEXT_SECRET_KEY,
	S3_TEXT_SESSION_TOKEN,
	S3_TEXT_EXPIRATION, /* "2026-11-28T12:00:00Z" */
	S3_TEXTS,
};

/* One <Upload> of UPLOADS. */
struct s3_answer_upload {
	struct str key; /* as it stands in the answer: URL-encoded if the request said encoding-type=url */
	struct str upload_id;
	struct str initiated; /* "2026-11-28T12:00:00.000Z" */
};

#define S3_ANSWER_MAX_BYTES ((size_t)64 << 10)        /* enough for all but UPLOADS */
#define S3_ANSWER_UPLOADS_MAX_BYTES ((size_t)8 << 20) /* 1,000 uploads with keys of 1,024 escaped bytes */

struct s3_answer;

/* NULL: out of memory. */
struct s3_answer *s3_answer_new(size_t max_bytes);

/* on_upload() is called within s3_answer_feed() for each upload of a list; what it is given is valid during the call. If the list
 * is refused later, the uploads that were told before were read well, but there may be more. */
void s3_answer_on_upload(
	struct s3_answer *answer, void (*on_upload)(void *arg, const struct s3_answer_upload *upload), void *arg);

/* Reads the next bytes of the body. False: refused; there is no need to read further, s3_answer_end() says why. */
bool s3_answer_feed(struct s3_answer *answer, struct str bytes);

/* To be called once, when the body has ended. False: err says why the answer is refused (ERR_UPSTREAM, or ERR_NOMEM). */
bool s3_answer_end(struct s3_answer *answer, struct error *err);

/* To be called after s3_answer_end(). An answer that was refused is EMPTY. */
enum s3_answer_kind s3_answer_kind(const struct s3_answer *answer);

/* The text has a NUL behind it, and is valid until s3_answer_free(). STR_NONE: the answer does not have it, or was refused. */
struct str s3_answer_text(const struct s3_answer *answer, enum s3_answer_text which);

void s3_answer_free(struct s3_answer *answer); /* NULL is fine; wipes the texts, which may be keys */

#endif
