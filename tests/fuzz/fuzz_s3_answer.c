// SPDX-License-Identifier: MIT
/* fuzz_s3_answer.c - any bytes as an answer of S3: whole and in pieces they say the same or are refused both times, and every
 * text is within its bound. The first two bytes of the input are the size of the pieces and the bound of the answer. */
#include "sink/s3/answer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX 16384

static void
note_upload(void *arg, const struct s3_answer_upload *upload)
{
	if (upload->key.len == 0 || upload->upload_id.len == 0)
		abort();
	buf_add_str(arg, upload->key);
	buf_add_str(arg, upload->upload_id);
	buf_add_str(arg, upload->initiated);
}

/* Texts never have a NUL, so that they can be told apart by it. */
static void
note_texts(const struct s3_answer *answer, struct buf *said)
{
	buf_addf(said, "%d", (int)s3_answer_kind(answer));
	for (unsigned i = 0; i < S3_TEXTS; i++) {
		struct str text = s3_answer_text(answer, (enum s3_answer_text)i);

		if (text.len > TEXT_MAX || (text.len > 0 && memchr(text.data, '\0', text.len) != NULL))
			abort();
		buf_add(said, text.data != NULL ? "=" : "-", 1);
		buf_add(said, text.data, text.len);
		buf_add_char(said, '\0');
	}
}

/* False: refused. */
static bool
read_answer(struct str body, size_t max_bytes, size_t piece, struct buf *said)
{
	struct s3_answer *answer = s3_answer_new(max_bytes);
	struct error err = { 0 };
	bool ok;

	s3_answer_on_upload(answer, note_upload, said);
	while (body.len > 0) {
		size_t n = body.len < piece ? body.len : piece;

		if (!s3_answer_feed(answer, (struct str){ body.data, n }))
			break;
		body = (struct str){ body.data + n, body.len - n };
	}
	ok = s3_answer_end(answer, &err);
	if (ok == error_is_set(&err))
		abort();
	if (ok)
		note_texts(answer, said);
	s3_answer_free(answer);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, pieces = { 0 };
	struct str body;
	size_t max_bytes;
	bool ok;

	if (size < 2)
		return 0;
	body = (struct str){ (const char *)data + 2, size - 2 };
	max_bytes = data[1] < 64 ? data[1] * (size_t)8 : S3_ANSWER_MAX_BYTES;
	ok = read_answer(body, max_bytes, size, &whole);
	if (read_answer(body, max_bytes, data[0] % 64u + 1, &pieces) != ok)
		abort();
	if (ok && !str_equal(buf_str(&whole), buf_str(&pieces)))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
