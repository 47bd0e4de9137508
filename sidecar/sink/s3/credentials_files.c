// SPDX-License-Identifier: MIT
/* credentials_files.c - reads the environment and the files for s3_source_decide(): see credentials_source.h. */
#include "base/secret.h"
#include "sink/s3/credentials_file.h"
#include "sink/s3/credentials_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1024 * 1024)

static const char *const names[S3_VARIABLES] = {
	[S3_AWS_ACCESS_KEY_ID] = "AWS_ACCESS_KEY_ID",
	[S3_AWS_SECRET_ACCESS_KEY] = "AWS_SECRET_ACCESS_KEY",
	[S3_AWS_SESSION_TOKEN] = "AWS_SESSION_TOKEN",
	[S3_AWS_WEB_IDENTITY_TOKEN_FILE] = "AWS_WEB_IDENTITY_TOKEN_FILE",
	[S3_AWS_ROLE_ARN] = "AWS_ROLE_ARN",
	[S3_AWS_ROLE_SESSION_NAME] = "AWS_ROLE_SESSION_NAME",
	[S3_AWS_ENDPOINT_URL_STS] = "AWS_ENDPOINT_URL_STS",
	[S3_AWS_ENDPOINT_URL] = "AWS_ENDPOINT_URL",
	[S3_AWS_REGION] = "AWS_REGION",
	[S3_AWS_DEFAULT_REGION] = "AWS_DEFAULT_REGION",
	[S3_AWS_PROFILE] = "AWS_PROFILE",
	[S3_AWS_SHARED_CREDENTIALS_FILE] = "AWS_SHARED_CREDENTIALS_FILE",
	[S3_AWS_CONFIG_FILE] = "AWS_CONFIG_FILE",
	[S3_AWS_CONTAINER_RELATIVE_URI] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	[S3_AWS_CONTAINER_FULL_URI] = "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	[S3_AWS_CONTAINER_AUTHORIZATION_TOKEN] = "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	[S3_AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	[S3_AWS_EC2_METADATA_DISABLED] = "AWS_EC2_METADATA_DISABLED",
	[S3_AWS_EC2_METADATA_SERVICE_ENDPOINT] = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
	[S3_AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE] = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
	[S3_AWS_CA_BUNDLE] = "AWS_CA_BUNDLE",
	[S3_HOME] = "HOME",
};

void
s3_environment_read(struct s3_environment *environment)
{
	for (size_t i = 0; i < S3_VARIABLES; i++)
		environment->value[i] = getenv(names[i]);
}

static bool
is_set(const char *value)
{
	return value != NULL && value[0] != '\0';
}

/* Appends the path of one of the files: `named`, in which "~/" is the home folder, as in SDKs; or, if that is not set, `usual` in
 * the home folder. If that is not known either, it appends nothing. */
static void
add_path(struct buf *path, const struct s3_environment *environment, const char *named, const char *usual)
{
	const char *home = environment->value[S3_HOME];
	bool is_in_home = !is_set(named) || strncmp(named, "~/", 2) == 0;

	if (!is_in_home)
		buf_add_text(path, named);
	else if (is_set(home))
		buf_addf(path, "%s/%s", home, is_set(named) ? named + 2 : usual);
}

static bool
read_one(const struct s3_environment *environment, enum s3_variable variable, const char *usual, struct buf *out,
	struct error *err)
{
	const char *named = environment->value[variable];
	struct buf path = { 0 };
	struct error why = { 0 };
	bool ok;

	add_path(&path, environment, named, usual);
	ok = path.failed ? error_nomem(&why) : path.len == 0 || s3_file_read(path.data, FILE_MAX, out, &why);
	if (!ok && why.kind != ERR_NOMEM && (errno == ENOENT || errno == ENOTDIR || !is_set(named)))
		ok = true;
	else if (!ok && why.kind != ERR_NOMEM)
		error_wrap(&why, "%s", names[variable]);
	if (!ok)
		*err = why;
	buf_free(&path);
	return ok;
}

bool
s3_files_read(const struct s3_environment *environment, struct s3_files *files, struct error *err)
{
	return read_one(
		       environment, S3_AWS_SHARED_CREDENTIALS_FILE, ".aws/credentials", &files->credentials, err) &&
		read_one(environment, S3_AWS_CONFIG_FILE, ".aws/config", &files->config, err);
}

void
s3_files_free(struct s3_files *files)
{
	secret_wipe(&files->credentials);
	secret_wipe(&files->config);
}
