// SPDX-License-Identifier: MIT
/* credentials_answer.h - reads the answers in which keys come. Pure. [any] */
#ifndef PENSTOCK_S3_CREDENTIALS_ANSWER_H
#define PENSTOCK_S3_CREDENTIALS_ANSWER_H

#include "sink/s3/credentials.h"

/* Reads the JSON of a container's endpoint or an instance's metadata: AccessKeyId, SecretAccessKey, Token, Expiration;
 * perhaps Code, which must be "Success". Keys without an Expiration do not expire.
 *
 * NULL: err says why (ERR_UPSTREAM): the answer is a refusal or something else, its keys do not fit into a header line, or they
 * have expired at `now_s`; or out of memory. No message has any part of a key in it. */
struct s3_keys *s3_keys_from_json(struct str body, int64_t now_s, struct error *err);

/* Reads the XML of STS; likewise. */
struct s3_keys *s3_keys_from_sts(struct str body, int64_t now_s, struct error *err);

/* Finds the reason in an answer without keys, for the log: a word such as "AccessDenied", at most `most` bytes of it with the NUL,
 * and only letters, digits, '.' and '-'. False: there is none. */
bool s3_keys_refusal(struct str body, char *word, size_t most);

/* Reads "2026-11-28T12:00:00Z", also with a fraction, and with "+01:00" (RFC 3339). False: the text is something else. */
bool s3_time_read(struct str text, int64_t *at_s);

#endif
