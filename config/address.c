// SPDX-License-Identifier: MIT
/* address.c - see address.h. A URL here is only what a destination needs: scheme, host, port, prefix.
 * Credentials in it are refused because a URL is logged; they belong into `headers` as a secret. */
#include "config/address.h"

#include "base/mem.h"
#include "config/diag.h"
#include "config/pattern.h"
#include "config/peer.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static bool
nomem(struct error *err)
{
	return error_nomem(err);
}

static bool
copy(struct str s, char **out, struct error *err)
{
	*out = str_dup(s);
	return *out != NULL || nomem(err);
}

static bool
starts_with(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && memcmp(s.data, prefix, n) == 0;
}

static struct str
skip(struct str s, size_t n)
{
	return (struct str){ s.data + n, s.len - n };
}

static bool
read_socket(struct str path, char **out, struct error *err)
{
	if (path.len == 0)
		return error_set(err, ERR_CONFIG, "\"unix:\" needs the path of a socket after it");
	if (path.len > SOCKET_PATH_MAX)
		return error_set(err, ERR_CONFIG, "the path of a socket has at most %zu bytes", SOCKET_PATH_MAX);
	for (size_t i = 0; i < path.len; i++)
		if ((unsigned char)path.data[i] < 0x20 || path.data[i] == 0x7f)
			return error_set(err, ERR_CONFIG, "a control byte cannot stand in a path");
	return copy(path, out, err);
}

static bool
check_port(struct str port, struct error *err)
{
	uint64_t n;

	if (!str_to_u64(port, &n) || n < 1 || n > 65535 || port.data[0] == '0')
		return error_set(err, ERR_CONFIG, "\"%.*s\" is not a port (1 to 65535)", SHOWN(port));
	return true;
}

static bool
is_name(struct str host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.data[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alnum && c != '-' && c != '.' && c != '_')
			return false;
	}
	return host.len > 0 && host.data[0] != '.' && host.data[0] != '-';
}

/* Only digits and dots: meant as an IPv4 address, so it must be one. */
static bool
check_host(struct str host, struct error *err)
{
	struct in6_addr address;
	bool v6 = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
	struct str inner = v6 ? (struct str){ host.data + 1, host.len - 2 } : host;
	bool numeric = true;

	for (size_t i = 0; i < inner.len; i++)
		numeric = numeric && strchr("0123456789.", inner.data[i]) != NULL;
	if (!v6 && (!numeric || inner.len == 0))
		return is_name(host) || error_set(err, ERR_CONFIG, "\"%.*s\" is not a host", SHOWN(host));
	return str_to_ip(inner, v6 ? AF_INET6 : AF_INET, &address) ||
		error_set(err, ERR_CONFIG, "\"%.*s\" is not an IPv%d address", SHOWN(inner), v6 ? 6 : 4);
}

/* "host", "host:port", "[v6]:port"; port.data is NULL where there is none. */
static bool
split_port(struct str text, struct str *host, struct str *port, struct error *err)
{
	const char *from = text.len > 0 && text.data[0] == '[' ? memchr(text.data, ']', text.len) : text.data;
	const char *colon;

	if (from == NULL)
		return error_set(err, ERR_CONFIG, "'[' without ']'");
	colon = memchr(from, ':', text.len - (size_t)(from - text.data));
	*host = (struct str){ text.data, colon != NULL ? (size_t)(colon - text.data) : text.len };
	*port = colon != NULL ? skip(text, host->len + 1) : STR_NONE;
	if (colon != NULL && memchr(port->data, ':', port->len) != NULL)
		return error_set(err, ERR_CONFIG, "an IPv6 address is written in brackets, as in [::1]:8081");
	return true;
}

bool
address_read_listen(struct str text, struct listen *out, struct error *err)
{
	struct str host, port;

	if (!copy(text, &out->source, err))
		return false;
	if (starts_with(text, "unix:"))
		return read_socket(skip(text, 5), &out->unix_socket, err);
	if (memchr(text.data, '/', text.len) != NULL)
		return error_set(err, ERR_CONFIG, "an address is host:port, or \"unix:\" and the path of a socket");
	if (!split_port(text, &host, &port, err))
		return false;
	if (port.data == NULL)
		return error_set(
			err, ERR_CONFIG, "the port is missing: an address is host:port, such as 127.0.0.1:8081");
	if (str_is(host, "*"))
		host.len = 0;
	if (!check_port(port, err) || (host.len > 0 && !check_host(host, err)))
		return false;
	if (host.len > 0 && host.data[0] == '[')
		host = (struct str){ host.data + 1, host.len - 2 };
	return copy(host, &out->host, err) && copy(port, &out->port, err);
}

bool
address_check_host(struct str text, struct error *err)
{
	struct str host, port;

	if (!split_port(text, &host, &port, err) || !check_host(host, err))
		return false;
	return port.data == NULL || check_port(port, err);
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 3986 section 3.3: one pchar; a %XX counts as one. */
static bool
is_pchar(struct str rest)
{
	char c = rest.data[0];

	if (c == '%')
		return rest.len >= 3 && is_hex(rest.data[1]) && is_hex(rest.data[2]);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

static bool
check_prefix(struct str prefix, struct error *err)
{
	size_t begin = 1;

	for (size_t i = 1; i <= prefix.len; i++) {
		struct str segment = { prefix.data + begin, i - begin };

		if (i < prefix.len && prefix.data[i] != '/') {
			if (!is_pchar(skip(prefix, i)))
				return error_set(
					err, ERR_CONFIG, "the path holds a byte that must be written as %%XX");
			continue;
		}
		if (segment.len == 0 || pattern_is_dots(segment))
			return error_set(err, ERR_CONFIG, "the path has an empty, \".\" or \"..\" segment");
		begin = i + 1;
	}
	return true;
}

/* What follows the scheme: host[:port][/prefix]. */
static bool
check_authority(struct str rest, struct error *err)
{
	const char *slash = memchr(rest.data, '/', rest.len);
	struct str authority = { rest.data, slash != NULL ? (size_t)(slash - rest.data) : rest.len };
	struct str prefix = skip(rest, authority.len);

	if (memchr(rest.data, '?', rest.len) != NULL || memchr(rest.data, '#', rest.len) != NULL)
		return error_set(err, ERR_CONFIG, "a destination's URL has no query and no fragment");
	if (memchr(authority.data, '@', authority.len) != NULL)
		return error_set(err, ERR_CONFIG,
			"no user or password in a URL; they belong into `headers` (http) or `credentials` (s3)");
	return address_check_host(authority, err) && (prefix.len == 0 || check_prefix(prefix, err));
}

bool
address_read_url(struct str text, struct http_peer *out, struct error *err)
{
	size_t scheme = starts_with(text, "http://") ? 7 : starts_with(text, "https://") ? 8 : 0;

	if (starts_with(text, "unix:"))
		return read_socket(skip(text, 5), &out->unix_socket, err);
	if (scheme == 0)
		return error_set(err, ERR_CONFIG, "a URL begins with http://, https:// or unix:");
	while (text.len > scheme && text.data[text.len - 1] == '/')
		text.len--;
	return check_authority(skip(text, scheme), err) && copy(text, &out->url, err);
}

bool
address_socket_url(const char *host, struct http_peer *out, struct error *err)
{
	struct buf url = { 0 };

	buf_addf(&url, "http://%s", host);
	if (url.failed) {
		buf_free(&url);
		return nomem(err);
	}
	out->url = url.data;
	return true;
}

/* -- two listeners ------------------------------------------------------------------------------------ */

/* "a//b/./c" -> "a/b/c". Where ".." leads only the file system knows. */
static struct str
next_step(struct str *path)
{
	struct str step;

	do {
		const char *slash;

		while (path->len > 0 && path->data[0] == '/')
			*path = skip(*path, 1);
		slash = path->len > 0 ? memchr(path->data, '/', path->len) : NULL;
		step = (struct str){ path->data, slash != NULL ? (size_t)(slash - path->data) : path->len };
		*path = skip(*path, step.len);
	} while (str_is(step, "."));
	return step;
}

static bool
same_path(struct str a, struct str b)
{
	struct str x, y;

	if ((a.data[0] == '/') != (b.data[0] == '/'))
		return false;
	do {
		x = next_step(&a);
		y = next_step(&b);
	} while (x.len > 0 && str_equal(x, y));
	return x.len == 0 && y.len == 0;
}

/* An IPv4 address as the IPv6 socket that takes its connections sees it; "" is 0.0.0.0. False: a name. */
static bool
read_ip(const char *host, struct in6_addr *out)
{
	*out = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	return *host == '\0' || inet_pton(AF_INET, host, out->s6_addr + 12) == 1 ||
		inet_pton(AF_INET6, host, out) == 1;
}

static bool
is_v4_any(const struct in6_addr *ip)
{
	static const unsigned char none[4];

	return IN6_IS_ADDR_V4MAPPED(ip) && memcmp(ip->s6_addr + 12, none, sizeof none) == 0;
}

static enum address_meeting
ips_meet(const struct in6_addr *a, const struct in6_addr *b)
{
	if (IN6_ARE_ADDR_EQUAL(a, b))
		return ADDRESS_SAME;
	if ((IN6_IS_ADDR_UNSPECIFIED(a) && is_v4_any(b)) || (is_v4_any(a) && IN6_IS_ADDR_UNSPECIFIED(b)))
		return ADDRESS_BOTH_ANY;
	if (IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_UNSPECIFIED(b))
		return ADDRESS_WITHIN;
	if ((is_v4_any(a) && IN6_IS_ADDR_V4MAPPED(b)) || (is_v4_any(b) && IN6_IS_ADDR_V4MAPPED(a)))
		return ADDRESS_WITHIN;
	return ADDRESS_APART;
}

/* No name is looked up, but which two "localhost" may be is known. */
static enum address_meeting
name_meets(const char *name, const struct in6_addr *ip)
{
	struct in6_addr v4;

	if (is_v4_any(ip) || IN6_IS_ADDR_UNSPECIFIED(ip))
		return ADDRESS_WITHIN;
	read_ip("127.0.0.1", &v4);
	if (strcasecmp(name, "localhost") == 0 && (IN6_ARE_ADDR_EQUAL(ip, &v4) || IN6_IS_ADDR_LOOPBACK(ip)))
		return ADDRESS_SAME;
	return ADDRESS_APART;
}

static enum address_meeting
hosts_meet(const char *a, const char *b)
{
	struct in6_addr x, y;
	bool a_is_ip = read_ip(a, &x), b_is_ip = read_ip(b, &y);

	if (a_is_ip && b_is_ip)
		return ips_meet(&x, &y);
	if (a_is_ip || b_is_ip)
		return a_is_ip ? name_meets(b, &x) : name_meets(a, &y);
	return strcasecmp(a, b) == 0 ? ADDRESS_SAME : ADDRESS_APART;
}

enum address_meeting
address_listen_meet(const struct listen *a, const struct listen *b)
{
	bool same;

	if (a->unix_socket != NULL || b->unix_socket != NULL) {
		same = a->unix_socket != NULL && b->unix_socket != NULL &&
			same_path(str_of(a->unix_socket), str_of(b->unix_socket));
		return same ? ADDRESS_SAME : ADDRESS_APART;
	}
	if (a->host == NULL || b->host == NULL || a->port == NULL || b->port == NULL)
		return ADDRESS_APART; /* one of them could not be read, which is reported */
	return strcmp(a->port, b->port) == 0 ? hosts_meet(a->host, b->host) : ADDRESS_APART;
}

bool
address_listen_equal(const struct listen *a, const struct listen *b)
{
	struct in6_addr ip;
	bool tcp = a->host != NULL && b->host != NULL;

	return address_listen_meet(a, b) == ADDRESS_SAME &&
		(!tcp || read_ip(a->host, &ip) == read_ip(b->host, &ip));
}

/* -- networks ------------------------------------------------------------------------------------------- */

/* Bits behind the prefix say that something else was meant. */
static bool
has_stray_bits(const struct network *network, unsigned all)
{
	for (unsigned bit = network->bits; bit < all; bit++)
		if (network->bytes[bit / 8] & (0x80u >> (bit % 8)))
			return true;
	return false;
}

bool
address_read_network(struct str text, struct network *out, struct error *err)
{
	const char *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
	struct str address = { text.data, slash != NULL ? (size_t)(slash - text.data) : text.len };
	uint64_t bits;
	unsigned all;

	*out = (struct network){ .is_v6 = address.len > 0 && memchr(address.data, ':', address.len) != NULL };
	bits = all = out->is_v6 ? 128 : 32;
	if (!str_to_ip(address, out->is_v6 ? AF_INET6 : AF_INET, out->bytes))
		return error_set(
			err, ERR_CONFIG, "\"%.*s\" is not an address or network, such as 10.0.0.0/8", SHOWN(text));
	if (slash != NULL && (!str_to_u64(skip(text, address.len + 1), &bits) || bits > all))
		return error_set(
			err, ERR_CONFIG, "\"%.*s\": the prefix is a number from 0 to %u", SHOWN(text), all);
	out->bits = (unsigned)bits;
	if (has_stray_bits(out, all))
		return error_set(err, ERR_CONFIG, "\"%.*s\" has bits set behind its prefix", SHOWN(text));
	return true;
}
