// SPDX-License-Identifier: MIT
/* credentials_profile.h - reads one profile of the two files that all SDKs share, ~/.aws/credentials and ~/.aws/config. Pure. [any]
 *
 * No library outside the SDKs reads these files. They are not quite the INI that other libraries read:
 *
 *   [default]                        in `config` the others are [profile NAME], in `credentials` [NAME]
 *   aws_access_key_id = AKIA...      names in any case; the second of two sections of one name continues the first; of two
 *                                    settings of one name the last one counts
 *   s3 =                             a line that is indented deeper than the setting above belongs to the value of that; no
 *     max_queue_size = 10            setting that is read here has such lines
 *   # or ; begins a comment, at the beginning of a line or behind a blank
 */
#ifndef PENSTOCK_S3_CREDENTIALS_PROFILE_H
#define PENSTOCK_S3_CREDENTIALS_PROFILE_H

#include "base/error.h"
#include "base/str.h"

enum s3_profile_file { S3_PROFILE_CREDENTIALS, S3_PROFILE_CONFIG };

enum s3_profile_key {
	S3_PROFILE_ACCESS,
	S3_PROFILE_SECRET,
	S3_PROFILE_TOKEN,
	S3_PROFILE_ROLE,
	S3_PROFILE_TOKEN_FILE,
	S3_PROFILE_SESSION_NAME,
	/* ways to get keys that penstock does not have: a program, a login, one role by another */
	S3_PROFILE_PROCESS,
	S3_PROFILE_SSO_SESSION,
	S3_PROFILE_SSO_START_URL,
	S3_PROFILE_SOURCE_PROFILE,
	S3_PROFILE_CREDENTIAL_SOURCE,
	S3_PROFILE_KEYS,
};

struct s3_profile {
	bool is_there;
	struct str value[S3_PROFILE_KEYS]; /* within the text; absent or empty: not set */
};

const char *s3_profile_word(enum s3_profile_key key); /* its name in the files: "aws_access_key_id" */

/* Adds to `profile` what `text`, all of a file of that kind, says of the profile `name`. False: it cannot be read; err (ERR_CONFIG)
 * has the number of the line, and nothing of its text. */
bool s3_profile_read(
	struct str text, enum s3_profile_file kind, struct str name, struct s3_profile *profile, struct error *err);

#endif
