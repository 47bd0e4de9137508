// SPDX-License-Identifier: MIT
/* credentials_profile.c - see credentials_profile.h. Line by line; nothing is copied. */
#include "sink/s3/credentials_profile.h"

#include <string.h>

static const char *const words[S3_PROFILE_KEYS] = {
	[S3_PROFILE_ACCESS] = "aws_access_key_id",
	[S3_PROFILE_SECRET] = "aws_secret_access_key",
	[S3_PROFILE_TOKEN] = "aws_session_token",
	[S3_PROFILE_ROLE] = "role_arn",
	[S3_PROFILE_TOKEN_FILE] = "web_identity_token_file",
	[S3_PROFILE_SESSION_NAME] = "role_session_name",
	[S3_PROFILE_PROCESS] = "credential_process",
	[S3_PROFILE_SSO_SESSION] = "sso_session",
	[S3_PROFILE_SSO_START_URL] = "sso_start_url",
	[S3_PROFILE_SOURCE_PROFILE] = "source_profile",
	[S3_PROFILE_CREDENTIAL_SOURCE] = "credential_source",
};

struct reader {
	struct str rest; /* of the text */
	unsigned line;   /* number of the line that was read last */
	enum s3_profile_file kind;
	struct str wanted; /* name of the profile */
	bool in_section, is_wanted, has_setting;
	size_t indent; /* of the section's last setting */
};

const char *
s3_profile_word(enum s3_profile_key key)
{
	return words[key];
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct str
without_front(struct str s, size_t n)
{
	return (struct str){ s.data + n, s.len - n };
}

static struct str
trim(struct str s)
{
	while (s.len > 0 && is_blank(s.data[0]))
		s = without_front(s, 1);
	while (s.len > 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

static bool
is_comment(char c)
{
	return c == '#' || c == ';';
}

/* Cuts off a comment. It begins at the front or behind a blank, because a secret may have a '#' elsewhere. */
static struct str
without_comment(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_comment(s.data[i]) && (i == 0 || is_blank(s.data[i - 1])))
			s.len = i;
	return trim(s);
}

/* False: there is no line any more. */
static bool
next_line(struct reader *r, struct str *line)
{
	const char *end;

	if (r->rest.len == 0)
		return false;
	end = memchr(r->rest.data, '\n', r->rest.len);
	*line = (struct str){ r->rest.data, end != NULL ? (size_t)(end - r->rest.data) : r->rest.len };
	r->rest = without_front(r->rest, line->len + (end != NULL));
	r->line++;
	return true;
}

static struct str
without_quotes(struct str s)
{
	if (s.len >= 2 && (s.data[0] == '"' || s.data[0] == '\'') && s.data[s.len - 1] == s.data[0])
		return (struct str){ s.data + 1, s.len - 2 };
	return s;
}

/* Does the section of this name, as it stands between the brackets, belong to the profile? */
static bool
names_profile(const struct reader *r, struct str section)
{
	static const char prefix[] = "profile";
	size_t len = sizeof prefix - 1;

	if (r->kind == S3_PROFILE_CREDENTIALS)
		return str_equal(without_quotes(section), r->wanted);
	if (str_equal(section, r->wanted))
		return str_is(section, "default");
	if (section.len <= len || memcmp(section.data, prefix, len) != 0 || !is_blank(section.data[len]))
		return false;
	return str_equal(without_quotes(trim(without_front(section, len))), r->wanted);
}

/* False: the bracket is not closed, or something else than a comment follows it. */
static bool
begin_section(struct reader *r, struct str line, struct s3_profile *profile)
{
	const char *end = memchr(line.data, ']', line.len);
	size_t len;

	if (end == NULL)
		return false;
	len = (size_t)(end - line.data);
	if (without_comment(without_front(line, len + 1)).len > 0)
		return false;
	r->in_section = true;
	r->has_setting = false;
	r->is_wanted = names_profile(r, trim((struct str){ line.data + 1, len - 1 }));
	profile->is_there = profile->is_there || r->is_wanted;
	return true;
}

/* False: the line is no setting, or belongs to no section. */
static bool
take_setting(struct reader *r, struct str line, size_t indent, struct s3_profile *profile)
{
	const char *equals = memchr(line.data, '=', line.len);
	struct str name, value;

	if (equals == NULL || equals == line.data || !r->in_section)
		return false;
	name = trim((struct str){ line.data, (size_t)(equals - line.data) });
	value = without_comment(without_front(line, (size_t)(equals - line.data) + 1));
	r->has_setting = true;
	r->indent = indent;
	for (size_t i = 0; r->is_wanted && i < S3_PROFILE_KEYS; i++)
		if (str_equal_nocase(name, str_of(words[i])))
			profile->value[i] = value;
	return true;
}

static bool
take_line(struct reader *r, struct str line, struct s3_profile *profile)
{
	struct str text = trim(line);
	size_t indent = (size_t)(text.data - line.data);

	if (text.len == 0 || is_comment(text.data[0]))
		return true;
	if (r->has_setting && indent > r->indent)
		return true;
	return text.data[0] == '[' ? begin_section(r, text, profile) : take_setting(r, text, indent, profile);
}

bool
s3_profile_read(
	struct str text, enum s3_profile_file kind, struct str name, struct s3_profile *profile, struct error *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct reader r = { .rest = text, .kind = kind, .wanted = name };
	struct str line;

	if (text.len >= 3 && memcmp(text.data, bom, 3) == 0)
		r.rest = without_front(text, 3);
	while (next_line(&r, &line))
		if (!take_line(&r, line, profile))
			return error_set(err, ERR_CONFIG, "line %u is neither a section nor a setting", r.line);
	return true;
}
