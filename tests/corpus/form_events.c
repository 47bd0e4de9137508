// SPDX-License-Identifier: MIT
/* form_events.c - form_events CONTENT_TYPE FILE: feeds a body to the form room whole, in two pieces at every split,
 * and in steps of 1, 7 and 61 bytes, checks that the events and the verdict are the same every time, and prints
 * them. Exit 0: always the same (whatever the verdict), and the scanner of HAProxy's filter agrees (lib/agree.h); 1: not.
 *
 * Output: "part\tFIELD\tFILENAME or -\tTYPE or -\tSIZE\tSHA256" per part (FIELD and FILENAME in hex), then
 * "whole", or "refused\tKIND\tOFFSET\tSENTENCE". Bodies over 64 KiB are split at their first and last 4 KiB and at
 * 997 places in between. */
#include "base/mem.h"
#include "source/multipart/form.h"

#include "lib/agree.h"

#include <openssl/evp.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recorder {
	struct buf text;
	EVP_MD_CTX *digest;
	uint64_t size;
};

static void
add_hex(struct buf *out, struct str s)
{
	if (s.data == NULL)
		buf_add_char(out, '-');
	for (size_t i = 0; i < s.len; i++)
		buf_addf(out, "%02x", (unsigned char)s.data[i]);
}

static bool
on_begin(void *arg, const struct part_head *head)
{
	struct recorder *recorder = arg;

	buf_add_text(&recorder->text, "part\t");
	add_hex(&recorder->text, head->field);
	buf_add_char(&recorder->text, '\t');
	add_hex(&recorder->text, head->filename);
	buf_add_char(&recorder->text, '\t');
	buf_add_str(&recorder->text, head->type.data != NULL ? head->type : STR("-"));
	recorder->size = 0;
	return EVP_DigestInit_ex(recorder->digest, EVP_sha256(), NULL) == 1;
}

static bool
on_data(void *arg, const char *data, size_t len)
{
	struct recorder *recorder = arg;

	recorder->size += len;
	return EVP_DigestUpdate(recorder->digest, data, len) == 1;
}

static bool
on_end(void *arg, uint64_t size)
{
	struct recorder *recorder = arg;
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_DigestFinal_ex(recorder->digest, sum, &len) != 1)
		return false;
	buf_addf(&recorder->text, "\t%" PRIu64 "\t", size);
	add_hex(&recorder->text, (struct str){ (const char *)sum, len });
	buf_add_char(&recorder->text, '\n');
	return size == recorder->size;
}

static const struct source_events events = { .on_begin = on_begin, .on_data = on_data, .on_end = on_end };

/* Feeds `first` bytes, then pieces of `step`. */
static void
record(struct recorder *recorder, struct str type, struct str body, size_t first, size_t step)
{
	struct form_limits limits = { .parts = 10000, .part_head = 16384 };
	struct boundary boundary;
	struct error err = { 0 };
	struct form *form = NULL;
	bool ok = boundary_read(type, &boundary, &err);

	buf_clear(&recorder->text);
	if (ok)
		ok = (form = form_new(&boundary, &limits, &events, recorder, &err)) != NULL;
	for (size_t at = 0; ok && at < body.len;) {
		size_t n = at == 0 && first > 0 ? first : step;

		if (n > body.len - at)
			n = body.len - at;
		ok = form_feed(form, body.data + at, n, &err);
		at += n;
	}
	if (ok && form_finish(form, &err))
		buf_add_text(&recorder->text, "whole\n");
	else
		buf_addf(&recorder->text, "\nrefused\t%s\t%" PRId64 "\t%s\n", error_kind_name(err.kind),
			(int64_t)err.offset, err.message);
	form_free(form);
}

/* Also with limits that most bodies pass: whatever the scanner refuses, the form refuses too. */
static bool
scanner_agrees(struct str type, struct str body, size_t first, size_t step)
{
	const struct limits limits[] = { { .body = LIMIT_NONE, .parts = 10000, .part_head = 16384 },
		{ .body = body.len / 2, .parts = 2, .part_head = 64 } };
	struct boundary boundary;
	struct error err = { 0 };
	struct buf why = { 0 };
	bool ok = true;

	if (!boundary_read(type, &boundary, &err))
		return true;
	for (size_t i = 0; ok && i < 2; i++)
		ok = agree(&boundary, &limits[i], body, (struct cut){ first, step }, &why);
	if (!ok)
		fprintf(stderr, "first %zu, then steps of %zu:\n%s\n", first, step, why.data);
	buf_free(&why);
	return ok;
}

static bool
same(struct recorder *recorder, struct str type, struct str body, size_t first, size_t step,
	const struct buf *whole)
{
	record(recorder, type, body, first, step);
	if (str_equal(buf_str(&recorder->text), buf_str(whole)))
		return body.len > 4096 && first > 0 ? true : scanner_agrees(type, body, first, step);
	fprintf(stderr, "first %zu, then steps of %zu, differs:\n%s---- from whole:\n%s", first, step,
		recorder->text.data, whole->data);
	return false;
}

static bool
try_all(struct recorder *recorder, struct str type, struct str body, const struct buf *whole)
{
	size_t stride = body.len > 65536 ? body.len / 997 : 1;
	bool ok = same(recorder, type, body, 0, 1, whole) && same(recorder, type, body, 0, 7, whole) &&
		same(recorder, type, body, 0, 61, whole);

	for (size_t at = 1; ok && at < body.len; at++) {
		if (stride > 1 && at > 4096 && at + 4096 < body.len && at % stride != 0)
			continue;
		ok = same(recorder, type, body, at, body.len, whole);
	}
	return ok;
}

static bool
read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char piece[65536];
	size_t n;

	if (file == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof piece, file)) > 0)
		buf_add(out, piece, n);
	fclose(file);
	return true;
}

int
main(int argc, char **argv)
{
	struct recorder recorder = { .digest = EVP_MD_CTX_new() };
	struct buf body = { 0 }, whole = { 0 };
	struct error err = { 0 };
	bool ok;

	if (argc != 3 || recorder.digest == NULL || !read_file(argv[2], &body) || !form_setup(&err))
		return 2;
	record(&recorder, str_of(argv[1]), buf_str(&body), 0, body.len > 0 ? body.len : 1);
	buf_add_str(&whole, buf_str(&recorder.text));
	fputs(whole.data, stdout);
	ok = try_all(&recorder, str_of(argv[1]), buf_str(&body), &whole);
	form_teardown();
	buf_free(&body);
	buf_free(&whole);
	buf_free(&recorder.text);
	EVP_MD_CTX_free(recorder.digest);
	return ok ? 0 : 1;
}
