// SPDX-License-Identifier: MIT
/* credentials_answer.h - the answers in which keys come. Pure. [any] */
#ifndef PENSTOCK_S3_CREDENTIALS_ANSWER_H
#define PENSTOCK_S3_CREDENTIALS_ANSWER_H

#include "sink/s3/credentials.h"

/* JSON, as a container's endpoint and an instance's metadata have it: AccessKeyId, SecretAccessKey, Token, Expiration;
 * perhaps Code, which is "Success" then. Without an Expiration they do not expire.
 *
 * NULL: err says why (ERR_UPSTREAM): it says no, is something else, has keys that no header line may hold, or such as
 * have expired at `now_s`; or out of memory. No message holds anything of a key. */
struct s3_keys *s3_keys_from_json(struct str body, int64_t now_s, struct error *err);

/* The XML of STS; likewise. */
struct s3_keys *s3_keys_from_sts(struct str body, int64_t now_s, struct error *err);

/* What an answer that is no keys says of it, for the log: a word such as "AccessDenied", at most `most` bytes of it with the
 * NUL, and only letters, digits, '.' and '-'. False: nothing that is one. */
bool s3_keys_refusal(struct str body, char *word, size_t most);

/* "2026-11-28T12:00:00Z", also with a fraction, and with "+01:00" (RFC 3339). False: it is something else. */
bool s3_time_read(struct str text, int64_t *at_s);

#endif
