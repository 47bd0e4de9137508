// SPDX-License-Identifier: MIT
/* gateway_files.c - see gateway_priv.h: what is written may be written again until somebody has edited it.
 *
 * Each file begins with a line that ends in the sum of the others: "# ...; not edited: 0123456789abcdef". A file whose sum
 * is another, or that has none, is the user's. */
#include "cmd/gateway_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SEAL "; not edited: "
#define SEAL_DIGITS 16

/* FNV-1a: it shows that a file was edited, unless the editor wanted to hide it. */
static uint64_t
sum_of(const char *text, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3u;
	return sum;
}

void
gateway_seal(struct buf *text)
{
	struct buf sealed = { 0 };
	const char *rest = text->failed || text->data == NULL ? NULL : memchr(text->data, '\n', text->len);
	size_t first;

	if (rest == NULL)
		return;
	first = (size_t)(rest - text->data);
	buf_add(&sealed, text->data, first);
	buf_addf(&sealed, SEAL "%016" PRIx64, sum_of(rest, text->len - first));
	buf_add(&sealed, rest, text->len - first);
	buf_free(text);
	*text = sealed;
}

static bool
is_sealed(const struct buf *text)
{
	const char *rest = text->data == NULL ? NULL : memchr(text->data, '\n', text->len);
	char seal[sizeof SEAL + SEAL_DIGITS];
	size_t len = sizeof seal - 1;

	if (rest == NULL || (size_t)(rest - text->data) < len)
		return false;
	snprintf(seal, sizeof seal, SEAL "%016" PRIx64, sum_of(rest, text->len - (size_t)(rest - text->data)));
	return memcmp(rest - len, seal, len) == 0;
}

/* False: it cannot be read, or out of memory. */
static bool
read_file(FILE *file, struct buf *text)
{
	char piece[4096];
	size_t n;

	while ((n = fread(piece, 1, sizeof piece, file)) > 0)
		buf_add(text, piece, n);
	return !ferror(file) && !text->failed;
}

bool
gateway_may_replace(const char *folder, const char *name, struct error *err)
{
	struct buf text = { 0 };
	char path[PATH_MAX];
	FILE *file;
	bool ok;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		return errno == ENOENT || error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (!read_file(file, &text))
		ok = error_set(err, ERR_SYSTEM, "%s: cannot be read", path);
	else
		ok = is_sealed(&text) ||
			error_set(err, ERR_CONFIG,
				"%s is not as penstock wrote it, so nothing was written (--force would write over it)",
				path);
	fclose(file);
	buf_free(&text);
	return ok;
}

bool
gateway_write_file(const char *folder, const struct gateway_file *out, struct error *err)
{
	char path[PATH_MAX];
	FILE *file;
	bool ok;

	if (out->text.failed)
		return error_nomem(err);
	snprintf(path, sizeof path, "%s/%s", folder, out->name);
	file = fopen(path, "w");
	if (file == NULL)
		return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	ok = fwrite(out->text.data, 1, out->text.len, file) == out->text.len;
	if (fclose(file) != 0 || !ok)
		return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	return true;
}
