// SPDX-License-Identifier: MIT
/* trust.c - see trust.h. Each proxy appends the address that it saw to the list, so an entry counts for as long as all
 * who wrote behind it are trusted. The list is read from its beginning, for quotes cannot be read backwards: an address
 * that is not trusted, and something that is no address, both make what came before them worthless. */
#include "request/trust.h"

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
	*out = (struct address){ .is_v6 = is_v6 };
	if (!str_to_ip(text, is_v6 ? AF_INET6 : AF_INET, out->bytes))
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

/* -- the list ------------------------------------------------------------------------------------------ */

struct search {
	const struct trust *trust;
	struct address found;
	bool has_found;
};

/* The next entry of the list. */
static void
see(struct search *search, struct str text)
{
	struct address address;
	bool is_one = text.data != NULL && read_address(text, &address);

	if (is_one && search->has_found && is_trusted(search->trust, &address))
		return;
	search->has_found = is_one;
	if (is_one)
		search->found = address;
}

static void
drop(struct str *s, size_t n)
{
	s->data += n;
	s->len -= n;
}

/* X-Forwarded-For: addresses with commas between them. */
static void
see_plain_line(struct search *search, struct str line)
{
	const char *comma;

	while ((comma = memchr(line.data, ',', line.len)) != NULL) {
		size_t n = (size_t)(comma - line.data);

		see(search, str_trim((struct str){ line.data, n }));
		drop(&line, n + 1);
	}
	see(search, str_trim(line));
}

/* What is in the quotes, its backslashes as they are: no address has one. False: they do not end. */
static bool
take_quoted(struct str *s, struct str *value)
{
	size_t n = 1;

	for (; n < s->len && s->data[n] != '"'; n++)
		n += s->data[n] == '\\';
	if (n >= s->len)
		return false;
	*value = (struct str){ s->data + 1, n - 1 };
	drop(s, n + 1);
	return true;
}

static bool
is_one_of(char c, const char *chars)
{
	return c != '\0' && strchr(chars, c) != NULL;
}

/* May be more than a token: many write ports and IPv6 without quotes. False: there is none, or a quote in it. */
static bool
take_word(struct str *s, struct str *value)
{
	size_t n = 0;

	while (n < s->len && !is_one_of(s->data[n], ",; \t\"\\"))
		n++;
	if (n == 0 || (n < s->len && is_one_of(s->data[n], "\"\\")))
		return false;
	*value = (struct str){ s->data, n };
	drop(s, n);
	return true;
}

/* "for=192.0.2.1". False: malformed, or a second for= for one element. */
static bool
take_pair(struct str *s, struct str *who)
{
	struct str name = { s->data, 0 }, value;

	while (name.len < s->len && str_is_token_char(s->data[name.len]))
		name.len++;
	if (name.len == 0 || name.len == s->len || s->data[name.len] != '=')
		return false;
	drop(s, name.len + 1);
	if (!(s->len > 0 && s->data[0] == '"' ? take_quoted : take_word)(s, &value))
		return false;
	if (!str_equal_nocase(name, STR("for")))
		return true;
	if (who->data != NULL)
		return false;
	*who = value;
	return true;
}

/* "proto=http; for=192.0.2.1" up to a comma. False: malformed. */
static bool
take_element(struct str *s, struct str *who)
{
	*who = STR_NONE;
	for (;;) {
		*s = str_trim(*s);
		if (s->len > 0 && !is_one_of(s->data[0], ",;") && !take_pair(s, who))
			return false;
		*s = str_trim(*s);
		if (s->len == 0 || s->data[0] == ',')
			return true;
		if (s->data[0] != ';')
			return false;
		drop(s, 1);
	}
}

/* Forwarded (RFC 7239 section 4). A proxy copies into it what the client sent (host="..."), so a line is read by its
 * grammar, and one that is malformed anywhere says nothing: who knows where its quotes were meant to end? */
static void
see_forwarded_line(struct search *search, struct str line)
{
	struct str who;

	for (;; drop(&line, 1)) {
		if (!take_element(&line, &who))
			who = line = STR_NONE;
		see(search, who);
		if (line.len == 0)
			return;
	}
}

/* False: no line of that name. */
static bool
search_header(struct search *search, const struct head *head, const char *name,
	void (*see_line)(struct search *, struct str))
{
	struct str line;
	size_t n = 0;

	for (; head->header(head->arg, str_of(name), n, &line); n++)
		if (line.len > 0)
			see_line(search, line);
	return n > 0;
}

void
trust_client(const struct trust *trust, const struct sockaddr *peer, const struct head *head,
	char out[TRUST_ADDRESS_MAX])
{
	struct search search = { .trust = trust };
	struct address address;

	if (address_of(peer, &address))
		print(&address, out);
	else
		snprintf(out, TRUST_ADDRESS_MAX, "%s", peer->sa_family == AF_UNIX ? "unix" : "unknown");
	if (!trust_has(trust, peer))
		return;
	if (!search_header(&search, head, "x-forwarded-for", see_plain_line))
		search_header(&search, head, "forwarded", see_forwarded_line);
	if (search.has_found)
		print(&search.found, out);
}

void
trust_counted(const char *client, char out[TRUST_ADDRESS_MAX])
{
	struct address address;

	if (strchr(client, ':') == NULL || !read_plain_address(str_of(client), true, &address) || !address.is_v6) {
		snprintf(out, TRUST_ADDRESS_MAX, "%s", client);
		return;
	}
	memset(address.bytes + 8, 0, 8);
	print(&address, out);
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
