// SPDX-License-Identifier: MIT
/* credentials_url.c - see credentials_url.h. Addresses are known only in the form that inet_pton(3) reads. Others that libcurl
 * takes ("127.1", "0x7f000001") are not recognised, and so they are not safe. */
#include "sink/s3/credentials_url.h"

#include <string.h>
#include <sys/socket.h>

static bool
is_of_url(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= 0x20 || s.data[i] >= 0x7f || strchr("\"<>\\^`{|}#", s.data[i]) != NULL)
			return false;
	return true;
}

static bool
is_https(struct str text)
{
	return str_starts_nocase(text, "https://");
}

/* What follows "http://" or "https://". */
static struct str
behind_scheme(struct str text)
{
	size_t n = is_https(text) ? 8 : 7;

	return (struct str){ text.data + n, text.len - n };
}

bool
s3_url_split(struct str text, struct str *base, struct str *target)
{
	struct str rest, authority;

	if (!is_of_url(text) || !(is_https(text) || str_starts_nocase(text, "http://")))
		return false;
	rest = authority = behind_scheme(text);
	for (size_t i = 0; i < authority.len; i++)
		if (rest.data[i] == '/' || rest.data[i] == '?')
			authority.len = i;
	if (authority.len == 0 || memchr(authority.data, '@', authority.len) != NULL)
		return false;
	*base = (struct str){ text.data, (size_t)(authority.data - text.data) + authority.len };
	*target = (struct str){ rest.data + authority.len, rest.len - authority.len };
	return true;
}

/* The host alone of "host", "host:80" or "[::1]:80". Empty: there is none. */
static struct str
host_of(struct str authority)
{
	const char *end = memchr(authority.data, authority.data[0] == '[' ? ']' : ':', authority.len);
	size_t len = end != NULL ? (size_t)(end - authority.data) : authority.len;

	if (authority.data[0] != '[')
		return (struct str){ authority.data, len };
	if (end == NULL || (len + 1 < authority.len && end[1] != ':'))
		return (struct str){ "", 0 };
	return (struct str){ authority.data + 1, len - 1 };
}

static bool
is_same_ipv6(const unsigned char address[16], const char *text)
{
	unsigned char other[16];

	return str_to_ip(str_of(text), AF_INET6, other) && memcmp(address, other, sizeof other) == 0;
}

bool
s3_url_is_safe(struct str base)
{
	struct str host = host_of(behind_scheme(base));
	unsigned char address[16];

	if (is_https(base) || str_equal_nocase(host, STR("localhost")))
		return true;
	if (str_to_ip(host, AF_INET, address))
		return address[0] == 127 || str_is(host, "169.254.170.2") || str_is(host, "169.254.170.23");
	return str_to_ip(host, AF_INET6, address) &&
		(is_same_ipv6(address, "::1") || is_same_ipv6(address, "fd00:ec2::23"));
}
