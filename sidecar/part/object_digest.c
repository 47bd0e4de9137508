// SPDX-License-Identifier: MIT
/* object_digest.c - see object_digest.h. A dictionary of byte sequences (RFC 8941): "sha-256=:BASE64:, sha-512=:BASE64:". */
#include "part/object_digest.h"

#include "base/base64.h"
#include "base/must.h"

static const struct {
	const char *fact, *name;
} kinds[] = { { "sha256", "sha-256" }, { "sha512", "sha-512" } };

bool
object_digest_say(struct delivery *delivery, const struct facts *facts)
{
	struct buf *out = &delivery->digest;

	if (!delivery->order.says_digest)
		return true;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const char *hex = facts_find(facts, kinds[i].fact);

		if (hex == NULL)
			continue;
		buf_addf(out, "%s%s=:", out->len > 0 ? ", " : "", kinds[i].name);
		base64_add_hex(out, str_of(hex));
		buf_add_char(out, ':');
	}
	must(out->failed || out->len > 0); /* `penstock check` has seen that one is made */
	delivery->order.digest = out->data;
	return !out->failed;
}
