// SPDX-License-Identifier: MIT
/* uuid.c - see uuid.h. */
#include "base/uuid.h"

#include "base/must.h"

#include <stdio.h>
#include <sys/random.h>

void
uuid_make(char out[UUID_SIZE])
{
	unsigned char r[16];
	char *p = out;
	ssize_t n = getrandom(r, sizeof r, 0);

	must(n == (ssize_t)sizeof r); /* 16 bytes are never cut short once the pool is up (getrandom(2)) */
	r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
	r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof r; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += snprintf(p, 3, "%02x", r[i]);
	}
}
