// SPDX-License-Identifier: MIT
/* fuzz_s3_credentials.c - any bytes as one of the shared files, and as an answer with keys: what is found lies within them, and
 * whatever comes out as keys may stand in a header line. */
#include "sink/s3/credentials_answer.h"
#include "sink/s3/credentials_profile.h"
#include "sink/s3/credentials_url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_within(struct str part, struct str whole)
{
	if (part.data != NULL && (part.data < whole.data || part.data + part.len > whole.data + whole.len))
		abort();
}

static void
check_profile(struct str text, enum s3_profile_file kind)
{
	struct s3_profile profile = { 0 };
	struct error err = { 0 };
	bool ok = s3_profile_read(text, kind, STR("default"), &profile, &err);

	if (ok == error_is_set(&err))
		abort();
	for (size_t i = 0; i < S3_PROFILE_KEYS; i++)
		check_within(profile.value[i], text);
}

static void
check_visible(const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		if (*text <= 0x20 || *text >= 0x7f)
			abort();
}

static void
check_keys(struct s3_keys *keys, const struct error *err)
{
	if ((keys == NULL) != error_is_set(err) || (keys != NULL && keys->expires_s <= keys->obtained_s))
		abort();
	if (keys != NULL) {
		check_visible(keys->access);
		check_visible(keys->secret);
		check_visible(keys->token);
	}
	s3_keys_release(keys);
}

static void
check_url(struct str text)
{
	struct str base, target;

	if (!s3_url_split(text, &base, &target))
		return;
	check_within(base, text);
	check_within(target, text);
	if (base.len + target.len != text.len)
		abort();
	s3_url_is_safe(base);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct error json = { 0 }, xml = { 0 };
	char word[16];
	int64_t at_s;

	check_profile(text, S3_PROFILE_CREDENTIALS);
	check_profile(text, S3_PROFILE_CONFIG);
	check_keys(s3_keys_from_json(text, 0, &json), &json);
	check_keys(s3_keys_from_sts(text, 0, &xml), &xml);
	if (s3_keys_refusal(text, word, sizeof word))
		check_visible(word);
	s3_time_read(text, &at_s);
	check_url(text);
	return 0;
}
