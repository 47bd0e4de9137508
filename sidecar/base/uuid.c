// SPDX-License-Identifier: MIT
/* uuid.c - see uuid.h. */
#include "base/uuid.h"

#include "base/random.h"

#include <stddef.h>

void
uuid_make(char out[UUID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char r[16];
	char *p = out;

	random_bytes(r, sizeof r);
	r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
	r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof r; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[r[i] >> 4];
		*p++ = digits[r[i] & 0x0f];
	}
	*p = '\0';
}
