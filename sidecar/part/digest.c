// SPDX-License-Identifier: MIT
/* digest.c - see digest.h. */
#include "part/digest.h"

#include "base/mem.h"
#include "base/must.h"

#include <openssl/evp.h>

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *
digest_new(void)
{
	struct digest *digest = mem_zalloc(sizeof *digest);

	if (digest == NULL)
		return NULL;
	digest->ctx = EVP_MD_CTX_new();
	if (digest->ctx == NULL) {
		digest_free(digest);
		return NULL;
	}
	return digest;
}

bool
digest_begin(struct digest *digest)
{
	return EVP_DigestInit_ex(digest->ctx, EVP_sha256(), NULL) == 1;
}

/* Update and final of SHA-256 cannot fail once the context is set up. */
void
digest_add(struct digest *digest, const char *data, size_t len)
{
	int ok = EVP_DigestUpdate(digest->ctx, data, len);

	must(ok == 1);
}

void
digest_end(struct digest *digest, char hex[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int ok = EVP_DigestFinal_ex(digest->ctx, sum, &len);

	must(ok == 1 && len == 32);
	for (unsigned i = 0; i < len; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[64] = '\0';
}

void
digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->ctx);
	mem_free(digest);
}
