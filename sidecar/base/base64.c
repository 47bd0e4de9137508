// SPDX-License-Identifier: MIT
/* base64.c - see base64.h. */
#include "base/base64.h"

#include "base/must.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_add_hex(struct buf *out, struct str hex)
{
	unsigned bits = 0, n = 0;
	size_t written = 0;

	must(hex.len % 2 == 0);
	for (size_t i = 0; i < hex.len; i++) {
		bits = bits << 4 | (unsigned)str_hex_value(hex.data[i]);
		n += 4;
		if (i + 1 == hex.len && n % 6 != 0) { /* what is missing is zero bits */
			bits <<= 6 - n % 6;
			n += 6 - n % 6;
		}
		for (; n >= 6; n -= 6, written++)
			buf_add_char(out, alphabet[bits >> (n - 6) & 63]);
	}
	for (; written % 4 != 0; written++)
		buf_add_char(out, '=');
}

bool
base64_read(struct str digits, unsigned char *out)
{
	uint32_t bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < digits.len; i++) {
		const char *at = digits.data[i] != '\0' ? strchr(alphabet, digits.data[i]) : NULL;

		if (at == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if ((i + 1) * 6 / 8 > n)
			out[n++] = (unsigned char)(bits >> ((i + 1) * 6 % 8));
	}
	return true;
}
