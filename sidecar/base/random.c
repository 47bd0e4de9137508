// SPDX-License-Identifier: MIT
/* random.c - see random.h. A form needs three times a few bytes, and a call costs as much for 16 of them as for 256. */
#include "base/random.h"

#include "base/must.h"

#include <string.h>
#include <sys/random.h>

static _Thread_local struct {
	unsigned char bytes[256]; /* so many are never cut short once the kernel's pool is up (getrandom(2)) */
	size_t left;              /* at the end of it */
} store;

static void
fill(void)
{
	ssize_t n = getrandom(store.bytes, sizeof store.bytes, 0);

	must(n == (ssize_t)sizeof store.bytes);
	store.left = sizeof store.bytes;
}

void
random_bytes(void *out, size_t len)
{
	unsigned char *from;

	must(len <= RANDOM_MOST);
	if (len > store.left)
		fill();
	from = store.bytes + sizeof store.bytes - store.left;
	memcpy(out, from, len);
	explicit_bzero(from, len);
	store.left -= len;
}
