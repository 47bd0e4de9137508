// SPDX-License-Identifier: MIT
/* s3_asks.c - fills in `s3->ask`, and what it points to, for each call but UploadPart, for which s3_part.c does it. It sends
 * nothing: `penstock explain` uses it, too. */
#include "base/must.h"
#include "sink/s3/order_priv.h"

/* Adds the lines that the object keeps. Returns how many there are; two more fit behind them. */
static size_t
put_object_lines(struct s3 *s3)
{
	const struct order *order = s3->order;
	size_t n = 0;

	must(order->n_lines + 4 <= S3_LINES_MAX);
	s3->lines[n++] = (struct exchange_line){ "Content-Type",
		order->type != NULL ? order->type : "application/octet-stream" };
	s3->lines[n++] = (struct exchange_line){ "x-amz-meta-penstock-id", s3->id };
	for (size_t i = 0; i < order->n_lines; i++)
		s3->lines[n++] = (struct exchange_line){ order->lines[i].name, order->lines[i].value };
	return n;
}

void
s3_ask_create(struct s3 *s3)
{
	const struct s3_settings *to = s3_to(s3);
	size_t n = put_object_lines(s3);

	s3->lines[n++] = (struct exchange_line){ "x-amz-checksum-algorithm", s3_sum_word(to->checksum) };
	s3->lines[n++] = (struct exchange_line){ "x-amz-checksum-type",
		to->checksum == S3_SUM_CRC64NVME ? "FULL_OBJECT" : NULL };
	s3->ask = (struct s3_ask){
		.op = S3_OP_CREATE,
		.method = "POST",
		.query = STR("uploads="),
		.lines = s3->lines,
		.n_lines = n,
		.headers = S3_HEADERS_ALL,
		.body = EXCHANGE_WHOLE,
		.whole = STR(""),
		.payload = S3_EMPTY_PAYLOAD,
		.wants_document = true,
		.document = S3_ANSWER_CREATED,
		.tries_more = to->retry_parts,
		.until_ms = CLOCK_NEVER,
	};
}

void
s3_ask_put(struct s3 *s3)
{
	const struct s3_settings *to = s3_to(s3);
	size_t n = put_object_lines(s3);

	s3->lines[n++] = (struct exchange_line){ s3_sum_header(to->checksum),
		to->checksum != S3_SUM_NONE ? s3->digest.base64 : NULL };
	s3->lines[n++] = (struct exchange_line){ "If-None-Match", to->refuses_existing ? "*" : NULL };
	s3->ask = (struct s3_ask){
		.op = S3_OP_PUT,
		.method = "PUT",
		.lines = s3->lines,
		.n_lines = n,
		.headers = S3_HEADERS_ALL,
		.unit = s3->order->unit,
		.payload = to->checksum == S3_SUM_SHA256 ? s3->payload : S3_UNSIGNED_PAYLOAD,
		.is_conflict_once = true,
		.tries_more = to->retry_parts,
		.until_ms = CLOCK_NEVER,
	};
}

void
s3_ask_complete(struct s3 *s3)
{
	const struct s3_settings *to = s3_to(s3);

	buf_clear(&s3->query);
	buf_addf(&s3->query, "uploadId=%s", s3->upload.data);
	s3->lines[0] = (struct exchange_line){ "Content-Type", "application/xml" };
	s3->lines[1] = (struct exchange_line){ "If-None-Match", to->refuses_existing ? "*" : NULL };
	s3->ask = (struct s3_ask){
		.op = S3_OP_COMPLETE,
		.method = "POST",
		.query = buf_str(&s3->query),
		.lines = s3->lines,
		.n_lines = 2,
		.headers = S3_HEADERS_SOME,
		.body = EXCHANGE_READ,
		.payload = S3_UNSIGNED_PAYLOAD,
		.wants_document = true,
		.document = S3_ANSWER_COMPLETED,
		.is_patient = true,
		.tries_more = to->retry_parts,
		.until_ms = CLOCK_NEVER,
	};
}

void
s3_ask_head(struct s3 *s3)
{
	s3->ask = (struct s3_ask){
		.op = S3_OP_HEAD,
		.method = "HEAD",
		.headers = S3_HEADERS_SOME,
		.body = EXCHANGE_NO_BODY,
		.payload = S3_EMPTY_PAYLOAD,
		.tries_more = s3_to(s3)->retry_parts,
		.until_ms = CLOCK_NEVER,
	};
}

void
s3_ask_abort(struct s3 *s3)
{
	buf_clear(&s3->query);
	buf_addf(&s3->query, "uploadId=%s", s3->upload.data);
	s3->ask = (struct s3_ask){
		.op = S3_OP_ABORT,
		.method = "DELETE",
		.query = buf_str(&s3->query),
		.headers = S3_HEADERS_SOME,
		.body = EXCHANGE_NO_BODY,
		.payload = S3_EMPTY_PAYLOAD,
		.tries_more = UINT32_MAX,
		.until_ms = s3->abort_by_ms,
	};
}

void
s3_ask_delete(struct s3 *s3)
{
	buf_clear(&s3->query);
	if (s3->version[0] != '\0') {
		buf_add_text(&s3->query, "versionId=");
		s3_escape(&s3->query, str_of(s3->version), false);
	}
	s3->ask = (struct s3_ask){
		.op = S3_OP_DELETE,
		.method = "DELETE",
		.query = s3->query.len > 0 ? buf_str(&s3->query) : STR_NONE,
		.headers = S3_HEADERS_SOME,
		.body = EXCHANGE_NO_BODY,
		.payload = S3_EMPTY_PAYLOAD,
		.tries_more = s3_to(s3)->retry_parts,
		.until_ms = CLOCK_NEVER,
	};
}
