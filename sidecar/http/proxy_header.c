// SPDX-License-Identifier: MIT
/* proxy_header.c - see proxy_header.h. What follows the header belongs to the client and must stay in the socket, so
 * it is first told how many bytes may be taken. */
#include "http/proxy_header.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define V1_MAX 107 /* with its CRLF */
#define V2_HEAD 16 /* signature, version and command, family, length */

static const unsigned char signature[12] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

static bool
is_v2(const unsigned char *data, size_t len)
{
	return len > 0 && memcmp(data, signature, len < sizeof signature ? len : sizeof signature) == 0;
}

static bool
is_v1(const unsigned char *data, size_t len)
{
	return len > 0 && memcmp(data, "PROXY ", len < 6 ? len : 6) == 0;
}

/* Bytes of the whole header of version 2, or of what is known to come. */
static size_t
v2_length(const unsigned char *data, size_t len)
{
	return len < V2_HEAD ? V2_HEAD : V2_HEAD + ((size_t)data[14] << 8 | data[15]);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
proxy_header_takes(const unsigned char *data, size_t have, const unsigned char *next, size_t n)
{
	const unsigned char *first = have > 0 ? data : next, *end;
	size_t whole;

	if (n == 0 || (have > 0 && data[have - 1] == '\n' && is_v1(data, have)))
		return 0;
	if (is_v2(first, have > 0 ? have : 1)) {
		whole = least(v2_length(data, have), PROXY_HEADER_MAX);
		return whole > have ? least(whole - have, n) : 0;
	}
	if (!is_v1(first, have > 0 ? have : 1) || have >= V1_MAX)
		return 0;
	n = least(n, V1_MAX - have);
	end = memchr(next, '\n', n);
	return end != NULL ? (size_t)(end - next) + 1 : n;
}

/* -- version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" ----------------------------------------- */

static struct str
next_word(struct str *rest)
{
	const char *blank = rest->len > 0 ? memchr(rest->data, ' ', rest->len) : NULL;
	size_t n = blank != NULL ? (size_t)(blank - rest->data) : rest->len;
	struct str word = { rest->data, n };

	n += blank != NULL;
	*rest = (struct str){ rest->data + n, rest->len - n };
	return word;
}

static bool
read_port(struct str text, in_port_t *port)
{
	uint64_t n;

	if (!str_to_u64(text, &n) || n > 65535)
		return false;
	*port = htons((uint16_t)n);
	return true;
}

static enum proxy_result
read_v1_address(struct str rest, int family, struct sockaddr_storage *client, socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)client;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)client;
	bool is_v4 = family == AF_INET;
	struct in6_addr ignored;
	in_port_t ignored_port;

	*client = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	*len = is_v4 ? sizeof *v4 : sizeof *v6;
	if (!str_to_ip(next_word(&rest), family, is_v4 ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr) ||
		!str_to_ip(next_word(&rest), family, &ignored) ||
		!read_port(next_word(&rest), is_v4 ? &v4->sin_port : &v6->sin6_port) ||
		!read_port(rest, &ignored_port))
		return PROXY_BAD;
	return PROXY_DONE;
}

static enum proxy_result
read_v1(struct str line, struct sockaddr_storage *client, socklen_t *len)
{
	struct str protocol;

	if (line.data[line.len - 1] != '\n')
		return line.len < V1_MAX ? PROXY_MORE : PROXY_BAD;
	if (line.len < 2 || line.data[line.len - 2] != '\r')
		return PROXY_BAD;
	line.len -= 2;
	next_word(&line);
	protocol = next_word(&line);
	if (str_is(protocol, "UNKNOWN"))
		return PROXY_UNKNOWN;
	if (str_is(protocol, "TCP4"))
		return read_v1_address(line, AF_INET, client, len);
	return str_is(protocol, "TCP6") ? read_v1_address(line, AF_INET6, client, len) : PROXY_BAD;
}

/* -- version 2 ------------------------------------------------------------------------------------------ */

static enum proxy_result
read_v2_address(const unsigned char *data, size_t len, struct sockaddr_storage *client, socklen_t *client_len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)client;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)client;
	unsigned family = data[13] >> 4;
	bool is_stream = (data[13] & 15) == 1;

	*client = (struct sockaddr_storage){ 0 };
	if ((family == 1 || family == 2) && !is_stream) /* what we have accepted is one */
		return PROXY_BAD;
	if (family == 1 && len >= V2_HEAD + 12) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, data + V2_HEAD, 4);
		memcpy(&v4->sin_port, data + V2_HEAD + 8, 2);
		*client_len = sizeof *v4;
		return PROXY_DONE;
	}
	if (family == 2 && len >= V2_HEAD + 36) {
		v6->sin6_family = AF_INET6;
		memcpy(&v6->sin6_addr, data + V2_HEAD, 16);
		memcpy(&v6->sin6_port, data + V2_HEAD + 32, 2);
		*client_len = sizeof *v6;
		return PROXY_DONE;
	}
	return family == 0 || family == 3 ? PROXY_UNKNOWN : PROXY_BAD; /* unspecified, or a unix socket */
}

static enum proxy_result
read_v2(const unsigned char *data, size_t len, struct sockaddr_storage *client, socklen_t *client_len)
{
	size_t whole = v2_length(data, len);

	if (whole > PROXY_HEADER_MAX)
		return PROXY_BAD;
	if (len < whole)
		return PROXY_MORE;
	if (data[12] == 0x20) /* version 2, LOCAL */
		return PROXY_LOCAL;
	if (data[12] != 0x21) /* version 2, PROXY */
		return PROXY_BAD;
	return read_v2_address(data, len, client, client_len);
}

enum proxy_result
proxy_header_read(const unsigned char *data, size_t len, struct sockaddr_storage *client, socklen_t *client_len)
{
	if (len == 0)
		return PROXY_MORE;
	if (is_v2(data, len))
		return read_v2(data, len, client, client_len);
	if (is_v1(data, len))
		return read_v1((struct str){ (const char *)data, len }, client, client_len);
	return PROXY_BAD;
}
