// SPDX-License-Identifier: MIT
/* credentials_answer.c - see credentials_answer.h. jansson reads the JSON, answer.h the XML. */
#include "sink/s3/credentials_answer.h"

#include "sink/s3/answer.h"
#include "sink/s3/credentials_keys.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* -- time --------------------------------------------------------------------------------------------- */

/* Reads `n` digits at the front of `s`, and takes them off. */
static bool
take_number(struct str *s, size_t n, int *out)
{
	*out = 0;
	if (s->len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->data[i] < '0' || s->data[i] > '9')
			return false;
		*out = *out * 10 + (s->data[i] - '0');
	}
	*s = (struct str){ s->data + n, s->len - n };
	return true;
}

static bool
take_char(struct str *s, char c)
{
	if (s->len == 0 || s->data[0] != c)
		return false;
	*s = (struct str){ s->data + 1, s->len - 1 };
	return true;
}

/* "2026-11-28T12:00:00" */
static bool
take_date(struct str *s, struct tm *tm)
{
	if (!take_number(s, 4, &tm->tm_year) || !take_char(s, '-') || !take_number(s, 2, &tm->tm_mon) ||
		!take_char(s, '-') || !take_number(s, 2, &tm->tm_mday) || !take_char(s, 'T') ||
		!take_number(s, 2, &tm->tm_hour) || !take_char(s, ':') || !take_number(s, 2, &tm->tm_min) ||
		!take_char(s, ':') || !take_number(s, 2, &tm->tm_sec))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return tm->tm_year >= 70 && tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
		tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* "Z", "+01:00" or "-0130": seconds to the east. */
static bool
take_zone(struct str *s, int *east_s)
{
	int sign = s->len > 0 && s->data[0] == '-' ? -1 : 1, hours, minutes;

	*east_s = 0;
	if (take_char(s, 'Z'))
		return true;
	if ((!take_char(s, '+') && !take_char(s, '-')) || !take_number(s, 2, &hours))
		return false;
	take_char(s, ':');
	if (!take_number(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*east_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool
s3_time_read(struct str text, int64_t *at_s)
{
	struct tm tm = { 0 };
	int east_s;

	if (!take_date(&text, &tm))
		return false;
	if (take_char(&text, '.'))
		while (text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9')
			text = (struct str){ text.data + 1, text.len - 1 };
	if (!take_zone(&text, &east_s) || text.len > 0)
		return false;
	*at_s = (int64_t)timegm(&tm) - east_s;
	return true;
}

/* -- keys --------------------------------------------------------------------------------------------- */

static struct s3_keys *
refuse(struct error *err, const char *why)
{
	error_set(err, ERR_UPSTREAM, "%s", why);
	return NULL;
}

/* Makes keys of `parts`, and fills in expires_s there. `expiration` absent: never. */
static struct s3_keys *
make_keys(struct s3_keys_parts *parts, struct str expiration, struct error *err)
{
	parts->expires_s = S3_KEYS_NEVER_EXPIRE;
	if (expiration.data != NULL && !s3_time_read(expiration, &parts->expires_s))
		return refuse(err, "it gives keys whose Expiration is not a time");
	if (parts->expires_s <= parts->obtained_s)
		return refuse(err, "it gives keys that have expired by this machine's clock");
	return s3_keys_new(parts, err);
}

/* A word that may go into the log: it is none of the secrets, and nothing that a terminal obeys. */
static bool
copy_word(struct str text, char *word, size_t most)
{
	size_t n = 0;

	for (; n < text.len && n + 1 < most; n++) {
		char c = text.data[n];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
			    c == '-'))
			break;
		word[n] = c;
	}
	word[n] = '\0';
	return n > 0;
}

static struct str
text_of(const json_t *object, const char *key)
{
	return str_of(json_string_value(json_object_get(object, key)));
}

static struct s3_keys *
keys_of_object(const json_t *object, int64_t now_s, struct error *err)
{
	struct str code = text_of(object, "Code");
	struct s3_keys_parts parts = { .access = text_of(object, "AccessKeyId"),
		.secret = text_of(object, "SecretAccessKey"),
		.token = text_of(object, "Token"),
		.obtained_s = now_s };
	char word[64];

	if (!json_is_object(object))
		return refuse(err, "it answers with something that is not keys");
	if (code.data == NULL || str_is(code, "Success"))
		return make_keys(&parts, text_of(object, "Expiration"), err);
	if (!copy_word(code, word, sizeof word))
		return refuse(err, "it has no keys");
	error_set(err, ERR_UPSTREAM, "it has no keys: %s", word);
	return NULL;
}

struct s3_keys *
s3_keys_from_json(struct str body, int64_t now_s, struct error *err)
{
	json_error_t why;
	json_t *object = json_loadb(body.data != NULL ? body.data : "", body.len, JSON_REJECT_DUPLICATES, &why);
	struct s3_keys *keys = keys_of_object(object, now_s, err);

	json_decref(object);
	return keys;
}

/* NULL: out of memory. An answer that is refused is EMPTY and has no text. */
static struct s3_answer *
read_xml(struct str body, struct error *err)
{
	struct s3_answer *answer = s3_answer_new(S3_ANSWER_MAX_BYTES);

	if (answer == NULL) {
		error_nomem(err);
		return NULL;
	}
	s3_answer_feed(answer, body);
	s3_answer_end(answer, err);
	return answer;
}

struct s3_keys *
s3_keys_from_sts(struct str body, int64_t now_s, struct error *err)
{
	struct error why = { 0 };
	struct s3_answer *answer = read_xml(body, &why);
	struct s3_keys *keys = NULL;

	if (answer != NULL && s3_answer_kind(answer) == S3_ANSWER_SESSION) {
		struct s3_keys_parts parts = { .access = s3_answer_text(answer, S3_TEXT_ACCESS_KEY),
			.secret = s3_answer_text(answer, S3_TEXT_SECRET_KEY),
			.token = s3_answer_text(answer, S3_TEXT_SESSION_TOKEN),
			.obtained_s = now_s };

		keys = make_keys(&parts, s3_answer_text(answer, S3_TEXT_EXPIRATION), err);
	} else if (why.kind == ERR_NOMEM) {
		error_nomem(err);
	} else {
		refuse(err, "it answers with something that is not keys");
	}
	s3_answer_free(answer);
	return keys;
}

/* -- refusals ----------------------------------------------------------------------------------------- */

static bool
refusal_of_json(struct str body, char *word, size_t most)
{
	json_error_t why;
	json_t *object = json_loadb(body.data, body.len, 0, &why);
	struct str code = text_of(object, "Code");
	bool ok = copy_word(code.data != NULL ? code : text_of(object, "code"), word, most);

	json_decref(object);
	return ok;
}

static bool
refusal_of_xml(struct str body, char *word, size_t most)
{
	struct error err = { 0 };
	struct s3_answer *answer = read_xml(body, &err);
	bool ok = answer != NULL && copy_word(s3_answer_text(answer, S3_TEXT_CODE), word, most);

	s3_answer_free(answer);
	return ok;
}

bool
s3_keys_refusal(struct str body, char *word, size_t most)
{
	if (body.len == 0)
		return false;
	return refusal_of_json(body, word, most) || refusal_of_xml(body, word, most);
}
