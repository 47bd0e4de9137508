// SPDX-License-Identifier: MIT
/* sum.c - see sum.h. S3 writes a CRC as its bytes, the highest first, in base64. */
#include "sink/s3/sum.h"

#include "base/crc.h"
#include "base/must.h"
#include "base/str.h"

#include <openssl/evp.h>
#include <string.h>

static const struct {
	const char *header, *word;
	size_t len;
	enum crc crc;
} kinds[] = {
	[S3_SUM_NONE] = { NULL, NULL, 0, CRC_32C },
	[S3_SUM_CRC32C] = { "x-amz-checksum-crc32c", "CRC32C", 4, CRC_32C },
	[S3_SUM_CRC64NVME] = { "x-amz-checksum-crc64nvme", "CRC64NVME", 8, CRC_64NVME },
	[S3_SUM_SHA256] = { "x-amz-checksum-sha256", "SHA256", 32, CRC_32C },
};

static bool
is_crc(enum s3_sum_kind kind)
{
	return kind == S3_SUM_CRC32C || kind == S3_SUM_CRC64NVME;
}

bool
s3_sum_begin(struct s3_sum *sum, enum s3_sum_kind kind, struct error *err)
{
	*sum = (struct s3_sum){ .kind = kind };
	if (kind != S3_SUM_SHA256)
		return true;
	sum->sha = EVP_MD_CTX_new();
	if (sum->sha != NULL && EVP_DigestInit_ex(sum->sha, EVP_sha256(), NULL) == 1)
		return true;
	s3_sum_drop(sum);
	return error_nomem(err);
}

/* Update and final of SHA-256 cannot fail once the context is set up. */
void
s3_sum_add(struct s3_sum *sum, const void *data, size_t len)
{
	if (is_crc(sum->kind))
		sum->crc = crc_add(kinds[sum->kind].crc, sum->crc, data, len);
	if (sum->kind == S3_SUM_SHA256) {
		int ok = EVP_DigestUpdate(sum->sha, data, len);

		must(ok == 1);
	}
}

static void
write_crc(struct s3_digest *out, uint64_t crc)
{
	for (size_t i = out->len; i > 0; i--) {
		out->bytes[i - 1] = (uint8_t)crc;
		crc >>= 8;
	}
}

static uint64_t
read_crc(const struct s3_digest *digest)
{
	uint64_t crc = 0;

	for (size_t i = 0; i < digest->len; i++)
		crc = crc << 8 | digest->bytes[i];
	return crc;
}

static void
write_base64(struct s3_digest *digest)
{
	EVP_EncodeBlock((unsigned char *)digest->base64, digest->bytes, (int)digest->len);
}

void
s3_sum_end(struct s3_sum *sum, struct s3_digest *out)
{
	*out = (struct s3_digest){ .kind = sum->kind, .len = kinds[sum->kind].len };
	if (is_crc(sum->kind))
		write_crc(out, sum->crc);
	if (sum->kind == S3_SUM_SHA256) {
		int ok = EVP_DigestFinal_ex(sum->sha, out->bytes, NULL);

		must(ok == 1);
	}
	write_base64(out);
	s3_sum_drop(sum);
}

void
s3_sum_drop(struct s3_sum *sum)
{
	EVP_MD_CTX_free(sum->sha);
	*sum = (struct s3_sum){ .kind = S3_SUM_NONE };
}

void
s3_digest_hex(const struct s3_digest *digest, char hex[S3_DIGEST_HEX_SIZE])
{
	str_write_hex(hex, digest->bytes, digest->len);
}

void
s3_digest_join(struct s3_digest *whole, const struct s3_digest *part, uint64_t len)
{
	enum crc crc = kinds[part->kind].crc;
	uint64_t joined = crc_join(crc, read_crc(whole), read_crc(part), len);

	must(is_crc(part->kind) && (whole->kind == part->kind || whole->kind == S3_SUM_NONE));
	*whole = (struct s3_digest){ .kind = part->kind, .len = part->len };
	write_crc(whole, joined);
	write_base64(whole);
}

const char *
s3_sum_header(enum s3_sum_kind kind)
{
	return kinds[kind].header;
}

const char *
s3_sum_word(enum s3_sum_kind kind)
{
	return kinds[kind].word;
}
