// SPDX-License-Identifier: MIT
/* credentials.h - the keys that requests to S3 are signed with: where they come from, and what renews them.
 *
 * The source is the first of these that is set. If it fails, those behind it are not tried:
 *
 *   1 `credentials` of the route file: its keys, or its `profile`
 *   2 AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   3 web identity: AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME, asked of STS
 *   4 the profile AWS_PROFILE, or "default", of the files AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE
 *   5 a container's endpoint: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI
 *   6 the metadata of the instance, version 2, but not with AWS_EC2_METADATA_DISABLED=true
 *
 * A keyring has one source. Keys of 3, 5, 6 (and of a profile with a web identity) expire. Such a keyring has a thread of its
 * own, which fetches them anew before they do, so that signing never waits for keys:
 *
 *   EMPTY ─fetched▶ GOOD ─due: fetched anew▶ GOOD      a failure is a warning, and is tried again; the keys at hand are
 *     └─ failed, and tried again ─┘                    used until they expire
 */
#ifndef PENSTOCK_S3_CREDENTIALS_H
#define PENSTOCK_S3_CREDENTIALS_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define S3_KEYS_NEVER_EXPIRE INT64_MAX

struct s3_environment;
struct s3_keyring;

/* What the route file says. Either both keys (session_token: NULL or with them), or `profile`, or nothing: all NULL. */
struct s3_credentials {
	char *access_key, *secret_key, *session_token;
	char *profile;
};

/* A snapshot. Immutable; its references are counted, and the last one that is released wipes it. */
struct s3_keys {
	const char *access, *secret;
	const char *token;  /* of a session; NULL: none */
	int64_t obtained_s; /* since 1970, by this machine's clock */
	int64_t expires_s;  /* likewise, or S3_KEYS_NEVER_EXPIRE */
};

struct s3_keyring_setup {
	const struct s3_credentials *given; /* NULL: the route file has none */
	const char *region; /* the destination's: STS is asked in this region, unless AWS_REGION names one */
	const struct s3_environment *environment; /* NULL: the process's */
	int64_t (*now_s)(void);                   /* seconds since 1970; NULL: the system's clock */
};

/* [main] Finds the source. For that it reads files, but sends nothing. If one of `others` (those of the table before, and those
 * already opened for this one; NULLs are skipped) has the same source, returns one more reference to that, with the keys that it
 * has. NULL: err says why: a source that is named cannot be read or is not whole (ERR_CONFIG), no thread, out of memory. */
struct s3_keyring *s3_keyring_open(
	const struct s3_keyring_setup *setup, struct s3_keyring *const *others, size_t n_others, struct error *err);

/* [main] For `penstock check`: finds the source as s3_keyring_open() does, and adds it to `source` in words. False: err says
 * why that would fail. */
bool s3_keyring_look(const struct s3_keyring_setup *setup, struct buf *source, struct error *err);

/* [any] Releases a reference. The last one ends the keyring's thread, and waits for that (no longer than a turn of its loop).
 * NULL is fine. */
void s3_keyring_close(struct s3_keyring *keyring);

/* [any] The keys that are good now; to be given to s3_keys_release(). Never waits. NULL: there are none yet (ERR_BUSY), or they
 * could not be fetched or have expired (ERR_UPSTREAM). */
struct s3_keys *s3_keyring_take(struct s3_keyring *keyring, struct error *err);
void s3_keys_release(struct s3_keys *keys); /* [any] NULL is fine */

/* [any] To be called if the store has refused `keys`, which the caller holds, as expired or unknown. Has others fetched at once, if
 * these are still the keys at hand and were not fetched within the last seconds. A keyring without a thread does nothing. */
void s3_keyring_renew(struct s3_keyring *keyring, const struct s3_keys *keys);

/* [any] Are there keys to sign with? False: there are none, or they have (nearly) expired and could not be renewed; a sentence
 * without a newline is added to `why`, if not NULL. */
bool s3_keyring_is_good(struct s3_keyring *keyring, struct buf *why);

/* [any] Seconds until the keys at hand expire, or S3_KEYS_NEVER_EXPIRE. 0: they have expired, or there are none. */
int64_t s3_keyring_left_s(struct s3_keyring *keyring);

/* [any] Names the source, without a secret: "the environment", "the web identity of the environment", ... */
const char *s3_keyring_source(const struct s3_keyring *keyring);

#endif
