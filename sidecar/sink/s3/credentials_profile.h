// SPDX-License-Identifier: MIT
/* credentials_profile.h - one profile of the two files that all SDKs share, ~/.aws/credentials and ~/.aws/config. Pure. [any]
 *
 * There is no library for these files outside the SDKs. They are not quite the INI that others read:
 *
 *   [default]                        in `config` the others are [profile NAME], in `credentials` [NAME]
 *   aws_access_key_id = AKIA...      names in any case; a section that stands twice goes on; of a name that stands twice the
 *                                    last one counts
 *   s3 =                             a line that is indented deeper than its setting belongs to that one's value: none that
 *     max_queue_size = 10            is read here has such
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
	/* what penstock does not do: to run a program, to log somebody in, to go from one role to another */
	S3_PROFILE_PROCESS,
	S3_PROFILE_SSO_SESSION,
	S3_PROFILE_SSO_START_URL,
	S3_PROFILE_SOURCE_PROFILE,
	S3_PROFILE_CREDENTIAL_SOURCE,
	S3_PROFILE_KEYS,
};

struct s3_profile {
	bool is_there;
	struct str value[S3_PROFILE_KEYS]; /* within the text; absent or empty: not said */
};

const char *s3_profile_word(enum s3_profile_key key); /* as it is written: "aws_access_key_id" */

/* Adds what `text`, all of a file of that kind, says of the profile `name`. False: it cannot be read; err (ERR_CONFIG) names the
 * line, and nothing of what stands there. */
bool s3_profile_read(
	struct str text, enum s3_profile_file kind, struct str name, struct s3_profile *profile, struct error *err);

#endif
