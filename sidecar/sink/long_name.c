// SPDX-License-Identifier: MIT
/* long_name.c - see safe_name_priv.h: `names.long: shorten`.
 *
 * Only what a client has brought is cut, never the template's text, a date or a UUID: they keep names apart. Of the longest value the
 * end is cut away, in front of its extension, and a hash of the whole name stands in its place: two names that differ anywhere before
 * differ behind. It is made of the name as it would have been written, so that the same name is always cut to the same one. */
#include "sink/safe_name_priv.h"

#include "base/file_name.h"

#include <openssl/evp.h>
#include <stdio.h>

#define HASH_BYTES 8                   /* of SHA-256: one in 2^64 by chance */
#define HASH_TEXT (1 + 2 * HASH_BYTES) /* "_" and hex; a '-' behind ".penstock" would make a name of ours */

/* Bytes of one value that stand side by side; `tail` begins its extension, the dot included. */
struct run {
	size_t from, tail, end;
	size_t length;
};

static bool
make_hash(const struct safe_name *name, char hash[HASH_TEXT + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf whole = { 0 };
	bool ok;

	safe_name_write(name, 0, name->bytes.len, &whole);
	ok = !whole.failed && EVP_Digest(whole.data, whole.len, digest, NULL, EVP_sha256(), NULL) == 1;
	buf_free(&whole);
	hash[0] = '_';
	for (size_t i = 0; i < HASH_BYTES && ok; i++)
		snprintf(hash + 1 + 2 * i, 3, "%02x", digest[i]);
	return ok;
}

static size_t
run_end(const struct safe_name *name, size_t from, size_t end)
{
	size_t to = from;

	while (to < end && mark_at(name, to) == mark_at(name, from))
		to++;
	return to;
}

/* A shorter one would be no shorter for its hash. */
static bool
find_longest(struct safe_name *name, size_t from, size_t end, struct run *longest)
{
	*longest = (struct run){ .length = HASH_TEXT };
	for (size_t to; from < end; from = to) {
		struct run run = { .from = from };
		struct str extension;

		to = run.end = run_end(name, from, end);
		if (mark_at(name, from) < MARK_VALUE)
			continue;
		extension = file_name_extension((struct str){ name->bytes.data + from, to - from });
		run.tail = to - (extension.len > 0 ? extension.len + 1 : 0);
		run.length = safe_name_length(name, from, run.tail);
		if (run.length > longest->length)
			*longest = run;
	}
	return longest->length > HASH_TEXT;
}

/* Puts the hash in the place of bytes [from, end). */
static void
put_hash(struct safe_name *name, size_t from, size_t end, const char *hash)
{
	struct buf bytes = { 0 }, marks = { 0 };

	buf_add(&bytes, name->bytes.data, from);
	buf_add(&marks, name->marks.data, from);
	buf_add(&bytes, hash, HASH_TEXT);
	for (size_t i = 0; i < HASH_TEXT; i++)
		buf_add_char(&marks, (char)MARK_PLAIN);
	buf_add(&bytes, name->bytes.data + end, name->bytes.len - end);
	buf_add(&marks, name->marks.data + end, name->marks.len - end);
	if (bytes.failed || marks.failed) {
		error_nomem(&name->error);
		buf_free(&bytes);
		buf_free(&marks);
		return;
	}
	buf_free(&name->bytes);
	buf_free(&name->marks);
	name->bytes = bytes;
	name->marks = marks;
}

/* Keeps as many characters of it as have `room`. */
static void
cut(struct safe_name *name, const struct run *run, size_t room, const char *hash)
{
	size_t at = run->from, used = 0;

	while (at < run->tail) {
		size_t n = safe_name_unit(name, at, run->tail);

		used += safe_name_length(name, at, at + n);
		if (used > room)
			break;
		at += n;
	}
	put_hash(name, at, run->tail, hash);
}

/* Bytes [from, end) of it to at most `max`. Returns where they end then. */
static size_t
shorten(struct safe_name *name, size_t from, size_t end, size_t max, const char *hash)
{
	size_t length = safe_name_length(name, from, end);
	struct run run;

	while (length > max && !error_is_set(&name->error) && find_longest(name, from, end, &run)) {
		size_t over = length - max + HASH_TEXT, before = name->bytes.len;

		cut(name, &run, run.length > over ? run.length - over : 0, hash);
		end = end + name->bytes.len - before;
		length = safe_name_length(name, from, end);
	}
	return end;
}

static void
shorten_segments(struct safe_name *name, const char *hash)
{
	for (size_t from = 0, end; from < name->bytes.len && !error_is_set(&name->error); from = end + 1) {
		end = safe_name_segment_end(name, from);
		end = shorten(name, from, end, SAFE_NAME_SEGMENT_MAX, hash);
	}
}

void
long_name_shorten(struct safe_name *name)
{
	size_t from = is_key(name) && name->bytes.len > 0 && name->bytes.data[0] == '/';
	char hash[HASH_TEXT + 1];

	if (!make_hash(name, hash)) {
		error_nomem(&name->error);
		return;
	}
	if (!is_http(name))
		shorten_segments(name, hash);
	shorten(name, from, name->bytes.len, is_key(name) ? SAFE_NAME_KEY_MAX : SAFE_NAME_MAX, hash);
}
