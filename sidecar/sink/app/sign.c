// SPDX-License-Identifier: MIT
/* sign.c - see sign.h. */
#include "sink/app/sign.h"

#include "base/must.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define HASH_SIZE 32
#define N_KEYS (sizeof((struct sign *)0)->keys / sizeof(char *))

bool
app_has_key(const struct sign *sign)
{
	return sign != NULL && sign->keys[0] != NULL;
}

static void
add_hex(struct buf *out, const unsigned char hash[HASH_SIZE])
{
	char hex[2 * HASH_SIZE + 1];

	str_write_hex(hex, hash, HASH_SIZE);
	buf_add_text(out, hex);
}

static bool
make_text(const struct app_signed *what, struct buf *text)
{
	unsigned char hash[HASH_SIZE];

	buf_addf(text, "%s\n%" PRId64 "\n%s\n", what->purpose, what->now_s, what->method);
	buf_add_str(text, what->target);
	buf_addf(text, "\n%s\n", what->request_id);
	if (EVP_Digest(what->body.data, what->body.len, hash, NULL, EVP_sha256(), NULL) != 1)
		return false;
	add_hex(text, hash);
	return !text->failed;
}

static bool
add_mac(const char *key, const struct buf *text, struct buf *out)
{
	unsigned char mac[HASH_SIZE];
	unsigned len = 0;

	if (HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text->data, text->len, mac, &len) ==
		NULL)
		return false;
	must(len == HASH_SIZE);
	buf_add_text(out, ",v1=");
	add_hex(out, mac);
	return true;
}

bool
app_sign(const struct sign *sign, const struct app_signed *what, struct buf *out, struct error *err)
{
	struct buf text = { 0 };
	bool ok = make_text(what, &text);

	must(app_has_key(sign));
	buf_addf(out, "t=%" PRId64 ",p=%s", what->now_s, what->purpose);
	for (size_t i = 0; ok && i < N_KEYS; i++)
		ok = sign->keys[i] == NULL || add_mac(sign->keys[i], &text, out);
	buf_free(&text);
	if (out->failed)
		return error_nomem(err);
	return ok || error_set(err, ERR_INTERNAL, "the question could not be signed");
}
