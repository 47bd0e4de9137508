// SPDX-License-Identifier: MIT
/* claims.c - see claims.h. Both headers of RFC 9530 are dictionaries of byte sequences (RFC 8941): "sha-256=:BASE64:, md5=:BASE64:".
 * Of that grammar just this much is read, and anything else is refused. */
#include "stage/claims.h"

#include "base/base64.h"

#include <string.h>

static const struct {
	const char *name; /* in the header (RFC 9530 section 7.2) */
	enum digest digest;
	size_t len;
} known[] = {
	{ "sha-256", DIGEST_SHA256, 32 },
	{ "sha-512", DIGEST_SHA512, 64 },
	{ "sha", DIGEST_SHA1, 20 },
	{ "md5", DIGEST_MD5, 16 },
	{ "crc32c", DIGEST_CRC32C, 4 },
};

#define N_KNOWN (sizeof known / sizeof known[0])

static const struct {
	enum verify bit;
	const char *name;
} headers[] = {
	{ VERIFY_CONTENT_DIGEST, "content-digest" },
	{ VERIFY_REPR_DIGEST, "repr-digest" },
	{ VERIFY_CONTENT_MD5, "content-md5" },
};

static bool
refuse(struct error *err, uint64_t offset, const char *header, const char *why)
{
	error_set(err, ERR_RULE, "its %s %s", header, why);
	error_name_limit(err, "verify");
	err->offset = offset;
	return false;
}

/* -- one claim ------------------------------------------------------------------------------------------- */

/* Exactly `len` bytes, with or without the padding (RFC 8941 section 4.2.7 takes both). */
static bool
decode(struct str text, unsigned char *out, size_t len)
{
	size_t digits = BASE64_DIGITS(len);

	while (text.len > digits && text.len <= BASE64_LENGTH(len) && text.data[text.len - 1] == '=')
		text.len--;
	return text.len == digits && base64_read(text, out);
}

static bool
has_claim(const struct claims *claims, const char *header, enum digest digest)
{
	for (size_t i = 0; i < claims->n; i++)
		if (claims->list[i].header == header && claims->list[i].digest == digest)
			return true;
	return false;
}

/* False: it is said twice, or of another length. */
static bool
add(struct claims *claims, const char *header, size_t kind, struct str base64)
{
	struct claim *claim;

	if (has_claim(claims, header, known[kind].digest))
		return false;
	claim = &claims->list[claims->n];
	if (!decode(base64, claim->bytes, known[kind].len))
		return false;
	claim->digest = known[kind].digest;
	claim->header = header;
	claim->len = known[kind].len;
	claims->digests |= (unsigned)known[kind].digest;
	claims->n++;
	return true;
}

/* -- a dictionary of them -------------------------------------------------------------------------------- */

static struct str
skip_blanks(struct str s)
{
	while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = (struct str){ s.data + 1, s.len - 1 };
	return s;
}

static bool
is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("_-.*", c) != NULL);
}

/* Takes "key=:BASE64:" off the front. */
static bool
take_member(struct str *rest, struct str *key, struct str *base64)
{
	const char *end;
	size_t n = 0;

	while (n < rest->len && is_key_char(rest->data[n]))
		n++;
	*key = (struct str){ rest->data, n };
	if (n == 0 || rest->len < n + 2 || rest->data[n] != '=' || rest->data[n + 1] != ':')
		return false;
	*rest = (struct str){ rest->data + n + 2, rest->len - n - 2 };
	end = memchr(rest->data, ':', rest->len);
	if (end == NULL)
		return false;
	*base64 = (struct str){ rest->data, (size_t)(end - rest->data) };
	*rest = skip_blanks((struct str){ end + 1, rest->len - base64->len - 1 });
	return true;
}

/* Behind a comma another one has to follow. */
static bool
take_comma(struct str *rest)
{
	if (rest->len == 0)
		return true;
	if (rest->data[0] != ',')
		return false;
	*rest = skip_blanks((struct str){ rest->data + 1, rest->len - 1 });
	return rest->len > 0;
}

static bool
read_member(struct claims *claims, const char *header, struct str key, struct str base64)
{
	for (size_t i = 0; i < N_KNOWN; i++)
		if (str_is(key, known[i].name))
			return add(claims, header, i, base64);
	return true;
}

static bool
read_dictionary(struct claims *claims, const char *header, struct str rest)
{
	struct str key, base64;

	if (rest.len == 0)
		return false;
	while (rest.len > 0)
		if (!take_member(&rest, &key, &base64) || !take_comma(&rest) ||
			!read_member(claims, header, key, base64))
			return false;
	return true;
}

/* -- all ------------------------------------------------------------------------------------------------- */

static bool
read_header(struct claims *claims, const struct stage_part *part, size_t i, struct error *err)
{
	const char *name = headers[i].name;
	size_t before = claims->n;
	struct str value, second;
	bool ok;

	if (!part->header(part->header_arg, str_of(name), 0, &value))
		return true;
	if (part->header(part->header_arg, str_of(name), 1, &second))
		return refuse(err, part->at, name, "stands twice");
	if (headers[i].bit == VERIFY_CONTENT_MD5)
		ok = read_member(claims, name, STR("md5"), str_trim(value));
	else
		ok = read_dictionary(claims, name, str_trim(value));
	if (!ok)
		return refuse(err, part->at, name, "cannot be read");
	return claims->n > before ||
		refuse(err, part->at, name,
			"has no digest that is compared here: sha-256, sha-512, sha, md5, crc32c");
}

bool
claims_read(struct claims *claims, const struct stage_part *part, struct error *err)
{
	const struct rule_verify *verify = &part->rule->verify;

	claims->n = 0;
	claims->digests = 0;
	for (size_t i = 0; i < sizeof headers / sizeof headers[0] && part->header != NULL; i++)
		if ((verify->headers & (unsigned)headers[i].bit) != 0 && !read_header(claims, part, i, err))
			return false;
	if (claims->n > 0 || verify->headers == 0 || !verify->refuses_missing)
		return true;
	error_set(err, ERR_RULE, "it says no digest of its bytes, and its rule wants one");
	error_name_limit(err, "verify");
	err->offset = part->at;
	return false;
}

bool
claims_are_so(const struct claims *claims, enum digest digest, const char *name, const unsigned char *bytes,
	size_t len, struct error *err)
{
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->list[i];

		if (claim->digest != digest || (claim->len == len && memcmp(claim->bytes, bytes, len) == 0))
			continue;
		error_set(err, ERR_RULE, "its bytes have another %s than its %s says", name, claim->header);
		error_name_limit(err, "verify");
		return false;
	}
	return true;
}
