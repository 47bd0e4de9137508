// SPDX-License-Identifier: MIT
/* digest.c - the stage for `digest` and `verify`: the digests that a rule asks for, and those that a part says of itself, all in one pass.
 * What was asked for becomes a fact, in lower-case hex, under the name that the route file has for it; what a part has said has to be so. SHAs (FIPS 180-4) and MD5 (RFC 1321) are OpenSSL's, CRCs those of base/crc.h, the
 * highest byte first; they use the processor's instructions if it has any.
 *
 * OpenSSL's contexts are kept for the form's next part, because making one costs more than digesting a small part. */
#include "base/crc.h"
#include "base/must.h"
#include "stage/claims.h"
#include "stage/stage.h"

#include <openssl/evp.h>

extern const struct stage digest_stage;

static const struct {
	enum digest bit;
	const char *name;
	const EVP_MD *(*md)(void); /* NULL: a CRC */
	enum crc crc;
	size_t len; /* bytes of a CRC */
} kinds[] = {
	{ DIGEST_SHA256, "sha256", EVP_sha256, CRC_32C, 0 },
	{ DIGEST_SHA512, "sha512", EVP_sha512, CRC_32C, 0 },
	{ DIGEST_SHA1, "sha1", EVP_sha1, CRC_32C, 0 },
	{ DIGEST_MD5, "md5", EVP_md5, CRC_32C, 0 },
	{ DIGEST_CRC32C, "crc32c", NULL, CRC_32C, 4 },
	{ DIGEST_CRC64NVME, "crc64nvme", NULL, CRC_64NVME, 8 },
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

struct digests {
	EVP_MD_CTX *ctx[N_KINDS]; /* NULL: not wanted yet, or a CRC */
	uint64_t crc[N_KINDS];
	struct claims claims; /* of the part */
	unsigned wanted;      /* those of the part: asked for, or said */
};

static bool
wanted(const struct rule *rule)
{
	return rule != NULL && (rule->digests != 0 || rule->verify.headers != 0);
}

/* A context that has its algorithm already is begun anew with NULL for it. */
static bool
begin_md(struct digests *digests, size_t i, struct error *err)
{
	const EVP_MD *md = NULL;

	if (digests->ctx[i] == NULL) {
		digests->ctx[i] = EVP_MD_CTX_new();
		md = kinds[i].md();
	}
	if (digests->ctx[i] == NULL)
		return error_nomem(err);
	if (EVP_DigestInit_ex(digests->ctx[i], md, NULL) == 1)
		return true;
	return error_set(err, ERR_INTERNAL, "OpenSSL does not make %s here", kinds[i].name);
}

static bool
begin(void *arg, const struct stage_part *part, struct error *err)
{
	struct digests *digests = arg;

	if (!claims_read(&digests->claims, part, err))
		return false;
	digests->wanted = part->rule->digests | digests->claims.digests;
	for (size_t i = 0; i < N_KINDS; i++) {
		if ((digests->wanted & kinds[i].bit) == 0)
			continue;
		digests->crc[i] = 0;
		if (kinds[i].md != NULL && !begin_md(digests, i, err))
			return false;
	}
	return true;
}

/* Update and final cannot fail once the context is set up. */
static bool
look(void *arg, const struct stage_part *part, const char *data, size_t len, struct error *err)
{
	struct digests *digests = arg;

	(void)part;
	(void)err;
	for (size_t i = 0; i < N_KINDS; i++) {
		if ((digests->wanted & kinds[i].bit) == 0)
			continue;
		if (kinds[i].md == NULL) {
			digests->crc[i] = crc_add(kinds[i].crc, digests->crc[i], data, len);
		} else {
			int ok = EVP_DigestUpdate(digests->ctx[i], data, len);

			must(ok == 1);
		}
	}
	return true;
}

/* Returns the length of the digest in bytes. */
static size_t
finish(struct digests *digests, size_t i, unsigned char out[EVP_MAX_MD_SIZE])
{
	unsigned len = (unsigned)kinds[i].len;
	uint64_t crc = digests->crc[i];

	if (kinds[i].md == NULL) {
		for (size_t at = len; at > 0; at--, crc >>= 8)
			out[at - 1] = (unsigned char)crc;
	} else {
		int ok = EVP_DigestFinal_ex(digests->ctx[i], out, &len);

		must(ok == 1);
	}
	return len;
}

static bool
add_hex(struct facts *facts, const char *name, const unsigned char *bytes, size_t len)
{
	char hex[2 * EVP_MAX_MD_SIZE + 1];

	str_write_hex(hex, bytes, len);
	return facts_add(facts, name, (struct str){ hex, 2 * len });
}

static bool
end_one(struct digests *digests, size_t i, const struct stage_part *part, struct error *err)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	size_t len = finish(digests, i, bytes);

	if ((part->rule->digests & kinds[i].bit) != 0 && !add_hex(part->facts, kinds[i].name, bytes, len))
		return error_nomem(err);
	if (claims_are_so(&digests->claims, kinds[i].bit, kinds[i].name, bytes, len, err))
		return true;
	err->offset = part->data_at + part->size;
	return false;
}

static bool
end(void *arg, const struct stage_part *part, struct error *err)
{
	struct digests *digests = arg;

	for (size_t i = 0; i < N_KINDS; i++)
		if ((digests->wanted & kinds[i].bit) != 0 && !end_one(digests, i, part, err))
			return false;
	return true;
}

static void
drop(void *arg)
{
	struct digests *digests = arg;

	for (size_t i = 0; i < N_KINDS; i++)
		EVP_MD_CTX_free(digests->ctx[i]);
}

const struct stage digest_stage = {
	.size = sizeof(struct digests), .wanted = wanted, .begin = begin, .look = look, .end = end, .drop = drop
};
