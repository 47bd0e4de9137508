// SPDX-License-Identifier: MIT
/* trust.c - see trust.h. Each proxy appends the address that it saw to the list, so the list is read from its end for
 * as long as the one who wrote that entry is trusted. */
#include "intake/trust.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct address {
	bool is_v6;
	unsigned char bytes[16];
};

static bool
is_mapped(const unsigned char bytes[16])
{
	static const unsigned char prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(bytes, prefix, sizeof prefix) == 0;
}

static void
unmap(struct address *address)
{
	if (!address->is_v6 || !is_mapped(address->bytes))
		return;
	memmove(address->bytes, address->bytes + 12, 4);
	address->is_v6 = false;
}

static bool
in_network(const struct network *network, const struct address *address)
{
	unsigned bytes = network->bits / 8, bits = network->bits % 8;
	unsigned char mask = (unsigned char)(0xff00u >> bits);

	if (network->is_v6 != address->is_v6 || memcmp(network->bytes, address->bytes, bytes) != 0)
		return false;
	return bits == 0 || ((network->bytes[bytes] ^ address->bytes[bytes]) & mask) == 0;
}

static bool
is_trusted(const struct trust *trust, const struct address *address)
{
	for (size_t i = 0; i < trust->n_networks; i++)
		if (in_network(&trust->networks[i], address))
			return true;
	return false;
}

/* False: not an address of the internet. */
static bool
address_of(const struct sockaddr *from, struct address *to)
{
	*to = (struct address){ .is_v6 = from->sa_family == AF_INET6 };
	if (from->sa_family == AF_INET)
		memcpy(to->bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
	else if (from->sa_family == AF_INET6)
		memcpy(to->bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
	else
		return false;
	unmap(to);
	return true;
}

bool
trust_has(const struct trust *trust, const struct sockaddr *from)
{
	struct address address;

	if (from->sa_family == AF_UNIX)
		return trust->unix_sockets;
	return address_of(from, &address) && is_trusted(trust, &address);
}

static void
print(const struct address *address, char out[TRUST_ADDRESS_MAX])
{
	inet_ntop(address->is_v6 ? AF_INET6 : AF_INET, address->bytes, out, TRUST_ADDRESS_MAX);
}

static bool
read_plain_address(struct str text, bool is_v6, struct address *out)
{
	char copied[INET6_ADDRSTRLEN + 1] = "";

	if (text.len == 0 || text.len >= sizeof copied || memchr(text.data, '\0', text.len) != NULL)
		return false;
	memcpy(copied, text.data, text.len);
	*out = (struct address){ .is_v6 = is_v6 };
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, copied, out->bytes) != 1)
		return false;
	unmap(out);
	return true;
}

/* Nothing, or ":80". RFC 7239 also has names for ports (":_hidden"); who writes those is asked for addresses. */
static bool
is_port(struct str text)
{
	uint64_t n;

	return text.len == 0 ||
		(text.data[0] == ':' && str_to_u64((struct str){ text.data + 1, text.len - 1 }, &n) && n <= 65535);
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80" */
static bool
read_address(struct str text, struct address *out)
{
	const char *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
	const char *close = text.len > 0 && text.data[0] == '[' ? memchr(text.data, ']', text.len) : NULL;
	const char *end = text.data + text.len;

	if (close != NULL)
		return is_port((struct str){ close + 1, (size_t)(end - close) - 1 }) &&
			read_plain_address(
				(struct str){ text.data + 1, (size_t)(close - text.data) - 1 }, true, out);
	if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon) - 1) != NULL)
		return read_plain_address(text, true, out);
	if (colon == NULL)
		return read_plain_address(text, false, out);
	return is_port((struct str){ colon, (size_t)(end - colon) }) &&
		read_plain_address((struct str){ text.data, (size_t)(colon - text.data) }, false, out);
}

/* Takes what stands behind the last comma. */
static struct str
take_last(struct str *list)
{
	size_t n = list->len;
	struct str last;

	while (n > 0 && list->data[n - 1] != ',')
		n--;
	last = (struct str){ list->data + n, list->len - n };
	list->len = n > 0 ? n - 1 : 0;
	return str_trim(last);
}

/* The value of for= in one element of Forwarded: a token, or in quotes. */
static struct str
for_of(struct str element)
{
	while (element.len > 0) {
		const char *semicolon = memchr(element.data, ';', element.len);
		size_t n = semicolon != NULL ? (size_t)(semicolon - element.data) : element.len;
		struct str pair = str_trim((struct str){ element.data, n });

		n += semicolon != NULL;
		element = (struct str){ element.data + n, element.len - n };
		if (!str_starts_nocase(pair, "for="))
			continue;
		pair = (struct str){ pair.data + 4, pair.len - 4 };
		if (pair.len >= 2 && pair.data[0] == '"' && pair.data[pair.len - 1] == '"')
			pair = (struct str){ pair.data + 1, pair.len - 2 };
		return pair;
	}
	return STR("");
}

/* Goes through the lines of a header from the last to the first. False: it has none. */
static bool
walk(const struct trust *trust, const struct head *head, struct str name, bool is_forwarded,
	char out[TRUST_ADDRESS_MAX])
{
	struct str line;
	size_t n = 0;

	while (head->header(head->arg, name, n, &line))
		n++;
	if (n == 0)
		return false;
	while (n-- > 0 && head->header(head->arg, name, n, &line))
		while (line.len > 0) {
			struct str element = take_last(&line);
			struct address address;

			if (!read_address(is_forwarded ? for_of(element) : element, &address))
				return true;
			print(&address, out);
			if (!is_trusted(trust, &address))
				return true;
		}
	return true;
}

void
trust_client(const struct trust *trust, const struct sockaddr *peer, const struct head *head,
	char out[TRUST_ADDRESS_MAX])
{
	struct address address;

	if (address_of(peer, &address))
		print(&address, out);
	else
		snprintf(out, TRUST_ADDRESS_MAX, "unix");
	if (!trust_has(trust, peer))
		return;
	if (!walk(trust, head, STR("x-forwarded-for"), false, out))
		walk(trust, head, STR("forwarded"), true, out);
}

/* -- traceparent ------------------------------------------------------------------------------------ */

/* The next `n` bytes are lower-case hex digits and not all zero, and `c` follows ('\0': anything does). */
static bool
take_hex(struct str *s, size_t n, bool may_be_zero, char c)
{
	bool is_zero = true;

	if (s->len < n + (c != '\0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (str_hex_value(s->data[i]) < 0 || (s->data[i] >= 'A' && s->data[i] <= 'F'))
			return false;
		is_zero = is_zero && s->data[i] == '0';
	}
	if ((is_zero && !may_be_zero) || (c != '\0' && s->data[n] != c))
		return false;
	n += c != '\0';
	*s = (struct str){ s->data + n, s->len - n };
	return true;
}

bool
trust_is_traceparent(struct str s)
{
	bool is_first = str_starts_nocase(s, "00-");

	if (str_starts_nocase(s, "ff") || !take_hex(&s, 2, true, '-') || !take_hex(&s, 32, false, '-') ||
		!take_hex(&s, 16, false, '-') || !take_hex(&s, 2, true, '\0'))
		return false;
	return s.len == 0 || (!is_first && s.data[0] == '-' && !str_has_control(s));
}
