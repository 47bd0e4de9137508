// SPDX-License-Identifier: MIT
/* test_s3_profile.c - the two files that all SDKs share: how people write them, and where they are. */
#include "lib/check.h"
#include "sink/s3/credentials_profile.h"
#include "sink/s3/credentials_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct text_row {
	const char *text;
	enum s3_profile_file kind;
	const char *name, *want; /* "access secret token", "-": not there, "line N" */
};

static const struct text_row texts[] = {
	{ "[p]\r\naws_access_key_id = A\r\naws_secret_access_key = S\r\n", S3_PROFILE_CREDENTIALS, "p", "A S -" },
	{ "\xef\xbb\xbf[p]\naws_access_key_id=A\n", S3_PROFILE_CREDENTIALS, "p", "A - -" },
	{ "[p]\naws_access_key_id=A", S3_PROFILE_CREDENTIALS, "p", "A - -" }, /* no line feed at the end */
	{ "# one\n ; two\n\n[p] # three\nAWS_Access_Key_ID\t=\tA ; four\naws_secret_access_key = S/+#;= # five\n",
		S3_PROFILE_CREDENTIALS, "p", "A S/+#;= -" },
	{ "[p]\naws_access_key_id=\naws_secret_access_key = # nothing\n", S3_PROFILE_CREDENTIALS, "p", "- - -" },
	{ "[p]\naws_access_key_id=A\n[q]\naws_access_key_id=B\n[p]\naws_secret_access_key=S\n",
		S3_PROFILE_CREDENTIALS, "p", "A S -" },
	{ "[p]\naws_access_key_id=A\naws_access_key_id=B\n", S3_PROFILE_CREDENTIALS, "p", "B - -" },
	{ "[p]\n  aws_access_key_id=A\n  aws_secret_access_key=S\n", S3_PROFILE_CREDENTIALS, "p", "A S -" },
	{ "[p]\ns3 =\n  aws_access_key_id = nested\naws_secret_access_key=S\n", S3_PROFILE_CREDENTIALS, "p",
		"- S -" },
	{ "[p]\ns3 =\n  [q]\n  anything\naws_session_token=T\n", S3_PROFILE_CREDENTIALS, "p", "- - T" },
	{ "[ p ]\naws_access_key_id=A\n", S3_PROFILE_CREDENTIALS, "p", "A - -" },
	{ "[p]\naws_access_key_id=A\n", S3_PROFILE_CREDENTIALS, "P", "none" },
	{ "[profile p]\naws_access_key_id=A\n", S3_PROFILE_CREDENTIALS, "p", "none" },
	{ "[profile p]\naws_access_key_id=A\n", S3_PROFILE_CONFIG, "p", "A - -" },
	{ "[profile\t \"my own\"]\naws_access_key_id=A\n", S3_PROFILE_CONFIG, "my own", "A - -" },
	{ "[p]\naws_access_key_id=A\n", S3_PROFILE_CONFIG, "p", "none" },
	{ "[default]\naws_access_key_id=A\n", S3_PROFILE_CONFIG, "default", "A - -" },
	{ "[profile default]\naws_access_key_id=A\n", S3_PROFILE_CONFIG, "default", "A - -" },
	{ "[profiles p]\n[profile]\n[]\n[sso-session p]\n", S3_PROFILE_CONFIG, "p", "none" },
	{ "", S3_PROFILE_CREDENTIALS, "p", "none" },
	{ "[p]\n", S3_PROFILE_CREDENTIALS, "p", "- - -" },
	{ "aws_access_key_id=A\n[p]\n", S3_PROFILE_CREDENTIALS, "p", "line 1 is neither a section nor a setting" },
	{ "[p]\n\n=A\n", S3_PROFILE_CREDENTIALS, "p", "line 3 is neither a section nor a setting" },
	{ "[p] aws_access_key_id=A\n", S3_PROFILE_CREDENTIALS, "p", "line 1 is neither a section nor a setting" },
	{ "[p]\n[q\n", S3_PROFILE_CREDENTIALS, "p", "line 2 is neither a section nor a setting" },
	{ "[q]\nwhat is this\n[p]\n", S3_PROFILE_CREDENTIALS, "p", "line 2 is neither a section nor a setting" },
};

static void
add_value(struct buf *out, struct str value)
{
	if (value.len > 0)
		buf_add_str(out, value);
	else
		buf_add_char(out, '-');
}

static void
a_profile_is_found_in_what_people_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct s3_profile got = { 0 };
		struct error err = { 0 };
		struct buf told = { 0 };
		/* a copy of just its length: whatever reads behind it is found by ASan */
		size_t len = strlen(texts[i].text);
		char *text = malloc(len > 0 ? len : 1);

		assert_non_null(text);
		memcpy(text, texts[i].text, len);
		if (!s3_profile_read((struct str){ text, len }, texts[i].kind, str_of(texts[i].name), &got, &err)) {
			buf_add_text(&told, err.message);
		} else if (!got.is_there) {
			buf_add_text(&told, "none");
		} else {
			add_value(&told, got.value[S3_PROFILE_ACCESS]);
			buf_add_char(&told, ' ');
			add_value(&told, got.value[S3_PROFILE_SECRET]);
			buf_add_char(&told, ' ');
			add_value(&told, got.value[S3_PROFILE_TOKEN]);
		}
		assert_string_equal(told.data, texts[i].want);
		buf_free(&told);
		free(text);
	}
}

static void
write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void
files_are_where_the_environment_says(void **state)
{
	char folder[] = "/tmp/penstock-s3-XXXXXX", named[128], aws[64];
	struct s3_environment environment = { 0 };
	struct s3_files files = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(aws, sizeof aws, "%s/.aws", folder);
	assert_int_equal(mkdir(aws, 0700), 0);
	write_file(aws, "credentials", "home", 0600);
	write_file(folder, "config", "named", 0600);
	snprintf(named, sizeof named, "%s/config", folder);

	assert_true(s3_files_read(&environment, &files, &err)); /* without a home there is none */
	assert_int_equal(files.credentials.len + files.config.len, 0);
	environment.value[S3_HOME] = folder;
	assert_true(s3_files_read(&environment, &files, &err));
	assert_string_equal(files.credentials.data, "home");
	assert_int_equal(files.config.len, 0);
	s3_files_free(&files);
	environment.value[S3_AWS_CONFIG_FILE] = named;
	environment.value[S3_AWS_SHARED_CREDENTIALS_FILE] = "~/config";
	assert_true(s3_files_read(&environment, &files, &err));
	assert_string_equal(files.credentials.data, "named");
	assert_string_equal(files.config.data, "named");
	s3_files_free(&files);
	environment.value[S3_AWS_SHARED_CREDENTIALS_FILE] = "/nowhere/at/all"; /* as the SDKs: there is none */
	assert_true(s3_files_read(&environment, &files, &err));
	assert_int_equal(files.credentials.len, 0);
	s3_files_free(&files);
	environment.value[S3_AWS_CONFIG_FILE] = folder;
	assert_false(s3_files_read(&environment, &files, &err));
	assert_non_null(strstr(err.message, "AWS_CONFIG_FILE: "));
	assert_non_null(strstr(err.message, "Is a directory"));
	s3_files_free(&files);

	unlink(named);
	snprintf(named, sizeof named, "%s/credentials", aws);
	unlink(named);
	rmdir(aws);
	rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_profile_is_found_in_what_people_write),
		cmocka_unit_test(files_are_where_the_environment_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
