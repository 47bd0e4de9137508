// SPDX-License-Identifier: MIT
/* answer_rows.c - see answer_rows.h. */
#include "sink/s3/answer_rows.h"

static const struct {
	const char *root;
	enum s3_answer_kind kind;
} roots[] = {
	{ "Error", S3_ANSWER_ERROR },
	{ "ErrorResponse", S3_ANSWER_ERROR },
	{ "InitiateMultipartUploadResult", S3_ANSWER_CREATED },
	{ "CompleteMultipartUploadResult", S3_ANSWER_COMPLETED },
	{ "ListMultipartUploadsResult", S3_ANSWER_UPLOADS },
	{ "AssumeRoleWithWebIdentityResponse", S3_ANSWER_SESSION },
};

#define SESSION "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/"
#define WORD_MAX 256
#define ID_MAX 2048
#define KEY_MAX 4096 /* 1,024 bytes, each escaped */
#define TOKEN_MAX 16384

static const struct s3_answer_row rows[] = {
	{ "Error/Code", S3_TEXT_CODE, WORD_MAX, true },
	{ "Error/Message", S3_TEXT_MESSAGE, 1024, true },
	{ "Error/RequestId", S3_TEXT_REQUEST_ID, WORD_MAX, true },
	{ "Error/ServerTime", S3_TEXT_SERVER_TIME, WORD_MAX, true },
	{ "Error/Region", S3_TEXT_REGION, WORD_MAX, true },
	{ "ErrorResponse/Error/Code", S3_TEXT_CODE, WORD_MAX, true },
	{ "ErrorResponse/Error/Message", S3_TEXT_MESSAGE, 1024, true },
	{ "ErrorResponse/RequestId", S3_TEXT_REQUEST_ID, WORD_MAX, true },
	{ "InitiateMultipartUploadResult/UploadId", S3_TEXT_UPLOAD_ID, ID_MAX, false },
	{ "CompleteMultipartUploadResult/ETag", S3_TEXT_ETAG, WORD_MAX, false },
	{ "CompleteMultipartUploadResult/ChecksumCRC32C", S3_TEXT_CRC32C, WORD_MAX, false },
	{ "CompleteMultipartUploadResult/ChecksumCRC64NVME", S3_TEXT_CRC64NVME, WORD_MAX, false },
	{ "CompleteMultipartUploadResult/ChecksumSHA256", S3_TEXT_SHA256, WORD_MAX, false },
	{ "CompleteMultipartUploadResult/ChecksumType", S3_TEXT_CHECKSUM_TYPE, WORD_MAX, false },
	{ "ListMultipartUploadsResult/IsTruncated", S3_TEXT_IS_TRUNCATED, WORD_MAX, false },
	{ "ListMultipartUploadsResult/NextKeyMarker", S3_TEXT_NEXT_KEY_MARKER, KEY_MAX, false },
	{ "ListMultipartUploadsResult/NextUploadIdMarker", S3_TEXT_NEXT_UPLOAD_ID_MARKER, ID_MAX, false },
	{ S3_UPLOAD_PATH "/Key", S3_UPLOAD_KEY, KEY_MAX, false },
	{ S3_UPLOAD_PATH "/UploadId", S3_UPLOAD_ID, ID_MAX, false },
	{ S3_UPLOAD_PATH "/Initiated", S3_UPLOAD_INITIATED, WORD_MAX, false },
	{ SESSION "AccessKeyId", S3_TEXT_ACCESS_KEY, WORD_MAX, false },
	{ SESSION "SecretAccessKey", S3_TEXT_SECRET_KEY, WORD_MAX, false },
	{ SESSION "SessionToken", S3_TEXT_SESSION_TOKEN, TOKEN_MAX, false },
	{ SESSION "Expiration", S3_TEXT_EXPIRATION, WORD_MAX, false },
};

/* The texts that an answer of a kind must have. */
static const struct {
	enum s3_answer_kind kind;
	unsigned text;
	const char *element;
} needs[] = {
	{ S3_ANSWER_CREATED, S3_TEXT_UPLOAD_ID, "UploadId" },
	{ S3_ANSWER_SESSION, S3_TEXT_ACCESS_KEY, "AccessKeyId" },
	{ S3_ANSWER_SESSION, S3_TEXT_SECRET_KEY, "SecretAccessKey" },
	{ S3_ANSWER_SESSION, S3_TEXT_SESSION_TOKEN, "SessionToken" },
	{ S3_ANSWER_SESSION, S3_TEXT_EXPIRATION, "Expiration" },
};

const struct s3_answer_row *
s3_answer_row_of(struct str path)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (str_is(path, rows[i].path))
			return &rows[i];
	return NULL;
}

enum s3_answer_kind
s3_answer_kind_of(struct str root)
{
	for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
		if (str_is(root, roots[i].root))
			return roots[i].kind;
	return S3_ANSWER_OTHER;
}

const char *
s3_answer_missing(enum s3_answer_kind kind, const struct buf *texts)
{
	for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
		if (needs[i].kind == kind && texts[needs[i].text].len == 0)
			return needs[i].element;
	return NULL;
}
