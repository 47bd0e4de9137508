// SPDX-License-Identifier: MIT
/* fuzz_origin.c - who the client is, by what came before it or in its head. Any bytes of a PROXY header are read the same
 * however they come in pieces, and never beyond their end; any X-Forwarded-For and Forwarded give an address or nothing.
 *
 * The input is a byte of bits (1: a PROXY header follows, else lines of a head; 2 and 4: their names are X-Forwarded-For
 * and Forwarded, by turns), a byte for the size of the pieces, then the text. */
#include "http/proxy_header.h"
#include "request/trust.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

/* -- PROXY headers ------------------------------------------------------------------------------------ */

struct read {
	unsigned char data[PROXY_HEADER_MAX];
	size_t len;
	enum proxy_result result;
	struct sockaddr_storage client;
	socklen_t client_len;
};

/* As http/proxy_handshake.c does it: takes what belongs to the header of each piece. */
static void
read_in_pieces(const uint8_t *text, size_t n, size_t piece, struct read *out)
{
	size_t takes = 1;

	*out = (struct read){ .result = PROXY_MORE };
	while (out->result == PROXY_MORE && takes > 0 && out->len < n) {
		size_t there = n - out->len < piece ? n - out->len : piece;

		takes = proxy_header_takes(out->data, out->len, text + out->len, there);
		promise(takes <= there && out->len + takes <= PROXY_HEADER_MAX);
		memcpy(out->data + out->len, text + out->len, takes);
		out->len += takes;
		out->result = proxy_header_read(out->data, out->len, &out->client, &out->client_len);
	}
}

static void
try_proxy_header(const uint8_t *text, size_t n, size_t piece)
{
	static struct read whole, cut;

	read_in_pieces(text, n, n + 1, &whole);
	read_in_pieces(text, n, piece, &cut);
	promise(whole.result == cut.result);
	promise(whole.result == PROXY_BAD || whole.len == cut.len);
	if (whole.result != PROXY_DONE)
		return;
	promise(whole.client_len == cut.client_len && memcmp(&whole.client, &cut.client, whole.client_len) == 0);
	promise(whole.client.ss_family == AF_INET || whole.client.ss_family == AF_INET6);
	promise(proxy_header_takes(whole.data, whole.len, (const unsigned char *)"x", 1) == 0);
}

/* -- headers ------------------------------------------------------------------------------------------ */

struct lines {
	struct str values[LINES_MAX];
	size_t n;
	unsigned bits;
};

static bool
is_named(const struct lines *lines, size_t i, struct str name)
{
	bool is_forwarded = lines->bits & 2 ? i % 2 == 0 : (lines->bits & 4) != 0;

	return str_equal_nocase(name, is_forwarded ? STR("forwarded") : STR("x-forwarded-for"));
}

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct lines *lines = arg;

	for (size_t i = 0; i < lines->n; i++)
		if (is_named(lines, i, name) && nth-- == 0) {
			*value = lines->values[i];
			return true;
		}
	return false;
}

static void
read_lines(struct str text, struct lines *lines)
{
	while (text.len > 0 && lines->n < LINES_MAX) {
		const char *end = memchr(text.data, '\n', text.len);
		size_t n = end != NULL ? (size_t)(end - text.data) : text.len;

		lines->values[lines->n++] = str_trim((struct str){ text.data, n });
		n += end != NULL;
		text = (struct str){ text.data + n, text.len - n };
	}
}

/* The peer is trusted, and so is 10.0.0.0/8. */
static void
try_head(struct str text, unsigned bits)
{
	struct network ten = { .bytes = { 10 }, .bits = 8 };
	struct trust trust = { .networks = &ten, .n_networks = 1 };
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001) };
	struct lines lines = { .bits = bits };
	struct head head = { .header = nth_header, .arg = &lines };
	char out[TRUST_ADDRESS_MAX];
	struct in6_addr address;

	read_lines(text, &lines);
	memset(out, 'x', sizeof out);
	trust_client(&trust, (const struct sockaddr *)&peer, &head, out);
	promise(memchr(out, '\0', sizeof out) != NULL);
	promise(inet_pton(AF_INET, out, &address) == 1 || inet_pton(AF_INET6, out, &address) == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] & 1)
		try_proxy_header(data + 2, size - 2, data[1] + 1u);
	else
		try_head((struct str){ (const char *)data + 2, size - 2 }, data[0]);
	return 0;
}
