// SPDX-License-Identifier: MIT
/* credentials_source.h - decides once, in the order of credentials.h, which source a keyring has. Pure, but for the two functions
 * that read the environment and the files. */
#ifndef PENSTOCK_S3_CREDENTIALS_SOURCE_H
#define PENSTOCK_S3_CREDENTIALS_SOURCE_H

#include "sink/s3/credentials.h"

enum s3_variable {
	S3_AWS_ACCESS_KEY_ID,
	S3_AWS_SECRET_ACCESS_KEY,
	S3_AWS_SESSION_TOKEN,
	S3_AWS_WEB_IDENTITY_TOKEN_FILE,
	S3_AWS_ROLE_ARN,
	S3_AWS_ROLE_SESSION_NAME,
	S3_AWS_ENDPOINT_URL_STS,
	S3_AWS_ENDPOINT_URL,
	S3_AWS_REGION,
	S3_AWS_DEFAULT_REGION,
	S3_AWS_PROFILE,
	S3_AWS_SHARED_CREDENTIALS_FILE,
	S3_AWS_CONFIG_FILE,
	S3_AWS_CONTAINER_RELATIVE_URI,
	S3_AWS_CONTAINER_FULL_URI,
	S3_AWS_CONTAINER_AUTHORIZATION_TOKEN,
	S3_AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
	S3_AWS_EC2_METADATA_DISABLED,
	S3_AWS_EC2_METADATA_SERVICE_ENDPOINT,
	S3_AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE,
	S3_AWS_CA_BUNDLE,
	S3_HOME,
	S3_VARIABLES,
};

/* Borrowed texts. NULL or empty: not set. */
struct s3_environment {
	const char *value[S3_VARIABLES];
};

/* [main] Reads the process's environment. */
void s3_environment_read(struct s3_environment *environment);

/* The texts of both shared files; absent: there is no such file. */
struct s3_files {
	struct buf credentials, config;
};

/* [main] Reads the two files from where the environment says that they are. It is no error if one is not there, or if one in the
 * home folder may not be read. False: a file that the environment names cannot be read (ERR_CONFIG), or out of memory. */
bool s3_files_read(const struct s3_environment *environment, struct s3_files *files, struct error *err);
void s3_files_free(struct s3_files *files);

enum s3_source_kind {
	S3_SOURCE_STATIC,       /* keys that do not expire: ACCESS, SECRET, perhaps TOKEN */
	S3_SOURCE_WEB_IDENTITY, /* STS: BASE, TARGET, ROLE, SESSION_NAME, TOKEN_FILE */
	S3_SOURCE_CONTAINER,    /* BASE, TARGET, perhaps AUTHORIZATION or a TOKEN_FILE with one in it */
	S3_SOURCE_INSTANCE,     /* BASE */
};

enum s3_source_text {
	S3_SOURCE_WORDS, /* for people: "the environment" */
	S3_SOURCE_ACCESS,
	S3_SOURCE_SECRET,
	S3_SOURCE_TOKEN,
	S3_SOURCE_BASE,
	S3_SOURCE_TARGET,
	S3_SOURCE_ROLE,
	S3_SOURCE_SESSION_NAME,
	S3_SOURCE_TOKEN_FILE,
	S3_SOURCE_AUTHORIZATION,
	S3_SOURCE_CA_FILE,
	S3_SOURCE_TEXTS,
};

struct s3_source {
	enum s3_source_kind kind;
	char *text[S3_SOURCE_TEXTS]; /* owned; NULL: none */
};

/* Does s3_source_decide() need the files? */
bool s3_source_wants_files(const struct s3_credentials *given, const struct s3_environment *environment);

/* Fills in `source`, which the caller gives to s3_source_free() after either result. False: err says which source is set but not
 * whole, or that none is set (ERR_CONFIG), or out of memory. */
bool s3_source_decide(const struct s3_keyring_setup *setup, const struct s3_environment *environment,
	const struct s3_files *files, struct s3_source *source, struct error *err);

bool s3_source_equal(const struct s3_source *a, const struct s3_source *b);
void s3_source_free(struct s3_source *source); /* wipes it */

#endif
