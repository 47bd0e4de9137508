// SPDX-License-Identifier: MIT
/* raw_request.c - see raw_request.h. Strict where RFC 9112 lets a server be strict: lines end in CRLF, no
 * folded headers, no blank before the colon. */
#include "cmd/raw_request.h"

#include <string.h>

/* Cuts the next line off `text`, its CRLF dropped. False: there is no whole line. */
static bool
next_line(struct str *text, struct str *line)
{
	const char *end = text->len > 0 ? memmem(text->data, text->len, "\r\n", 2) : NULL;
	size_t n;

	if (end == NULL)
		return false;
	n = (size_t)(end - text->data);
	*line = (struct str){ text->data, n };
	text->data += n + 2;
	text->len -= n + 2;
	return true;
}

static bool
next_word(struct str *line, struct str *word)
{
	const char *end = line->len > 0 ? memchr(line->data, ' ', line->len) : NULL;
	size_t n = end != NULL ? (size_t)(end - line->data) : line->len;

	*word = (struct str){ line->data, n };
	line->data += n + (end != NULL);
	line->len -= n + (end != NULL);
	return n > 0;
}

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct raw_request *raw = arg;

	for (size_t i = 0; i < raw->n_headers; i++)
		if (str_equal_nocase(raw->headers[i].name, name) && nth-- == 0) {
			*value = raw->headers[i].value;
			return true;
		}
	return false;
}

static bool
read_request_line(struct raw_request *raw, struct str line)
{
	struct head *head = &raw->head;

	if (str_has_control(line) || !next_word(&line, &head->method) || !next_word(&line, &head->target))
		return false;
	head->version = line;
	return str_is_token(head->method) && line.len == 8 && str_starts_nocase(line, "HTTP/1.") &&
		memcmp(line.data, "HTTP", 4) == 0 && line.data[7] >= '0' && line.data[7] <= '9';
}

/* As http/mhd_head.c, where it is read by libmicrohttpd. */
static bool
is_coding_with_blank_behind(struct str name, struct str line)
{
	return str_equal_nocase(name, STR("transfer-encoding")) && strchr(" \t", line.data[line.len - 1]) != NULL;
}

static bool
read_header(struct raw_request *raw, struct str line)
{
	const char *colon = memchr(line.data, ':', line.len);
	struct str name = { line.data, colon != NULL ? (size_t)(colon - line.data) : 0 };

	if (str_has_control(line) || raw->n_headers == RAW_HEADERS_MAX)
		return false;
	if (!str_is_token(name) || is_coding_with_blank_behind(name, line))
		return false; /* also folded, or a blank before the colon */
	raw->headers[raw->n_headers].name = name;
	raw->headers[raw->n_headers].value = str_trim((struct str){ colon + 1, line.len - name.len - 1 });
	raw->n_headers++;
	return true;
}

bool
raw_request_read(struct raw_request *raw, struct str text, struct error *err)
{
	struct str line;

	raw->n_headers = 0;
	raw->head = (struct head){ .header = nth_header, .arg = raw };
	if (!next_line(&text, &line) || !read_request_line(raw, line))
		return error_set(err, ERR_BAD_REQUEST, "the first line is not an HTTP/1.1 request line");
	for (;;) {
		if (!next_line(&text, &line))
			return error_set(err, ERR_BAD_REQUEST, "the request's head does not end");
		if (line.len == 0)
			break;
		if (!read_header(raw, line))
			return error_set(err, ERR_BAD_REQUEST, "header line %zu is malformed", raw->n_headers + 1);
	}
	raw->rest = text;
	return true;
}

/* chunk-size [ ";" extension ] (RFC 9112 section 7.1) */
static bool
chunk_size(struct str line, size_t *size)
{
	size_t n = 0, i = 0;

	for (; i < line.len && str_hex_value(line.data[i]) >= 0; i++) {
		if (n > SIZE_MAX >> 5)
			return false;
		n = n * 16 + (size_t)str_hex_value(line.data[i]);
	}
	*size = n;
	return i > 0 && (i == line.len || line.data[i] == ';');
}

/* `penstock run` would wait for the rest, and commit nothing without it. */
static bool
cut(const struct buf *body, struct error *err, const char *where)
{
	error_set(err, ERR_TRUNCATED, "the body ends %s", where);
	err->offset = body->len;
	return false;
}

static bool
skip_trailers(struct str rest, const struct buf *body, struct error *err)
{
	struct str line = STR_NONE;

	while (next_line(&rest, &line) && line.len > 0)
		if (memchr(line.data, ':', line.len) == NULL)
			return error_set(err, ERR_BAD_REQUEST, "the chunked framing is broken");
	return (line.data != NULL && line.len == 0) || cut(body, err, "before the line behind its last chunk");
}

static bool
dechunk(struct str rest, struct buf *body, struct error *err)
{
	struct str line;
	size_t size, n;

	while (next_line(&rest, &line)) {
		if (!chunk_size(line, &size))
			return error_set(err, ERR_BAD_REQUEST, "the chunked framing is broken");
		if (size == 0)
			return skip_trailers(rest, body, err);
		n = size < rest.len ? size : rest.len;
		buf_add(body, rest.data, n);
		rest.data += n;
		rest.len -= n;
		if (n < size || rest.len < 2)
			return cut(body, err, "within a chunk");
		if (memcmp(rest.data, "\r\n", 2) != 0)
			return error_set(err, ERR_BAD_REQUEST, "the chunked framing is broken");
		rest.data += 2;
		rest.len -= 2;
	}
	return cut(body, err, "before its last chunk");
}

static bool
take(struct str rest, uint64_t length, struct buf *body, struct error *err)
{
	buf_add(body, rest.data, length < rest.len ? (size_t)length : rest.len);
	return length <= rest.len || cut(body, err, "before its Content-Length");
}

bool
raw_request_body(
	const struct raw_request *raw, bool is_chunked, uint64_t length, struct buf *body, struct error *err)
{
	bool ok = is_chunked ? dechunk(raw->rest, body, err) : take(raw->rest, length, body, err);

	return body->failed ? error_nomem(err) : ok;
}
