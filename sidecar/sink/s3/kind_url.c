// SPDX-License-Identifier: MIT
/* kind_url.c - where a bucket is: `endpoint`, `region`, `bucket` and `style` -> host, path and URL. */
#include "base/mem.h"
#include "sink/s3/kind_priv.h"

#include <string.h>

/* -- the names ---------------------------------------------------------------------------------------- */

static bool
is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
has_only(const char *text, const char *besides, bool upper)
{
	for (; *text != '\0'; text++)
		if (!is_lower_or_digit(*text) && !(upper && *text >= 'A' && *text <= 'Z') &&
			strchr(besides, *text) == NULL)
			return false;
	return true;
}

/* If the name is no part of a host, capitals and '_' are good, too: some stores take them. */
static void
check_bucket(struct loading *l, const struct s3_settings *s3, const struct node *node, bool is_host)
{
	size_t len = strlen(s3->bucket);

	if (len < 3 || !has_only(s3->bucket, is_host ? ".-" : "._-", !is_host) ||
		!has_only((const char[]){ s3->bucket[0], s3->bucket[len - 1], '\0' }, "", !is_host) ||
		strstr(s3->bucket, "..") != NULL)
		diag_error(l->diag, s3_spot_of(node, "bucket"),
			"bucket: a name has 3 to 63 small letters, digits, '-' and '.', and a letter or digit at each end");
}

static void
check_region(struct loading *l, const struct s3_settings *s3, const struct node *node)
{
	if (s3->region != NULL && !has_only(s3->region, "-_", true))
		diag_error(l->diag, s3_spot_of(node, "region"), "region: a name has letters, digits and '-'");
}

/* -- the URL ------------------------------------------------------------------------------------------- */

static size_t
scheme_of(const char *url)
{
	return str_starts_nocase(str_of(url), "https://") ? 8 : 7;
}

static bool
is_amazons(struct str host)
{
	static const char *const ends[] = { ".amazonaws.com", ".amazonaws.com.cn" };

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		size_t n = strlen(ends[i]);

		if (host.len > n && str_equal_nocase((struct str){ host.data + host.len - n, n }, str_of(ends[i])))
			return true;
	}
	return false;
}

static struct str
host_of(const char *url)
{
	const char *host = url + scheme_of(url);

	return (struct str){ host, strcspn(host, "/") };
}

/* The host to which libcurl connects, as it stands in Host: without a port that is the scheme's own. */
static struct str
shown_host(const char *url)
{
	const char *port = scheme_of(url) == 8 ? ":443" : ":80";
	struct str host = host_of(url);
	size_t n = strlen(port);

	if (host.len > n && memcmp(host.data + host.len - n, port, n) == 0)
		host.len -= n;
	return host;
}

/* Not with a dot in the bucket's name: in front of a host no certificate fits such a name. */
static bool
is_virtual(const struct s3_settings *s3)
{
	if (s3->style != S3_STYLE_AUTO)
		return s3->style == S3_STYLE_VIRTUAL;
	return is_amazons(shown_host(s3->peer.url)) && strchr(s3->bucket, '.') == NULL;
}

static bool
take(char **to, struct buf *from)
{
	bool ok = !from->failed;

	mem_free(*to);
	*to = ok ? str_dup(from->len > 0 ? buf_str(from) : STR("")) : NULL;
	buf_free(from);
	return *to != NULL;
}

/* endpoint -> host, path and URL of the bucket. False: out of memory. */
static bool
make_url(struct s3_settings *s3)
{
	const char *endpoint = s3->peer.url;
	size_t scheme = scheme_of(endpoint);
	struct str host = shown_host(endpoint);
	struct str prefix = str_of(endpoint + scheme + host_of(endpoint).len);
	struct buf name = { 0 }, path = { 0 }, url = { 0 };
	bool ok;

	if (is_virtual(s3))
		buf_addf(&name, "%s.%.*s", s3->bucket, STR_ARG(host));
	else
		buf_add_str(&name, host);
	buf_add_str(&path, prefix);
	if (!is_virtual(s3))
		buf_addf(&path, "/%s", s3->bucket);
	ok = take(&s3->host, &name) && take(&s3->path, &path);
	if (ok)
		buf_addf(&url, "%.*s%s%s", (int)scheme, endpoint, s3->host, s3->path);
	buf_free(&path);
	return ok && take(&s3->peer.url, &url);
}

/* An IPv4 address has a number as its last label, which no name has; an IPv6 address is in brackets (RFC 3986 section 3.2.2). */
static bool
is_address(struct str host)
{
	size_t end = 0, begin;

	while (end < host.len && host.data[end] != ':' && host.data[0] != '[')
		end++;
	for (begin = end; begin > 0 && host.data[begin - 1] >= '0' && host.data[begin - 1] <= '9';)
		begin--;
	return host.data[0] == '[' || (begin < end && (begin == 0 || host.data[begin - 1] == '.'));
}

/* The bucket's name goes in front of the host. */
static void
check_virtual(struct loading *l, const struct s3_settings *s3, const struct node *node)
{
	if (!is_virtual(s3))
		return;
	if (is_address(host_of(s3->peer.url)))
		diag_error(l->diag, s3_spot_of(node, "style"),
			"style: virtual puts the bucket in front of the name of the store, and this endpoint has an address");
	else if (scheme_of(s3->peer.url) == 8 && strchr(s3->bucket, '.') != NULL)
		diag_warn(l->diag, s3_spot_of(node, "style"),
			"style: no usual certificate is for a bucket with a dot in its name, in front of a host; with path, any is");
}

static bool
use_amazons(struct s3_settings *s3)
{
	struct buf url = { 0 };

	buf_addf(
		&url, "https://s3.%s.amazonaws.com%s", s3->region, strncmp(s3->region, "cn-", 3) == 0 ? ".cn" : "");
	return take(&s3->peer.url, &url);
}

static bool
is_here(struct str host)
{
	static const char *const names[] = { "localhost", "127.", "[::1]" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (str_starts_nocase(host, names[i]))
			return true;
	return false;
}

/* The bucket's name is added to it, in front or behind. */
static void
warn_of_bucket(struct loading *l, const struct s3_settings *s3, const struct node *node)
{
	struct str url = str_of(s3->peer.url), host = host_of(s3->peer.url);
	size_t n = strlen(s3->bucket), path = scheme_of(url.data) + host.len;
	bool in_host = host.len > n && host.data[n] == '.' && memcmp(host.data, s3->bucket, n) == 0;
	bool in_path = url.len - path > n && url.data[url.len - n - 1] == '/' &&
		memcmp(url.data + url.len - n, s3->bucket, n) == 0;

	if (in_host || in_path)
		diag_warn(l->diag, s3_spot_of(node, "endpoint"),
			"endpoint: it has the bucket's name in it already, and gets it once more; give the store's own URL");
}

void
s3_kind_link_url(struct loading *l, struct s3_settings *s3, const struct node *node)
{
	bool given = yaml_tree_get(node, "endpoint") != NULL;

	check_region(l, s3, node);
	if (s3->peer.unix_socket != NULL) {
		diag_error(
			l->diag, s3_spot_of(node, "endpoint"), "endpoint: http:// or https://, not a unix socket");
		return;
	}
	if ((given && s3->peer.url == NULL) || s3->bucket == NULL || s3->region == NULL)
		return; /* this was reported */
	if (!given && !use_amazons(s3)) {
		diag_nomem(l->diag);
		return;
	}
	check_bucket(l, s3, node, is_virtual(s3));
	check_virtual(l, s3, node);
	if (scheme_of(s3->peer.url) == 7 && !is_here(host_of(s3->peer.url)))
		diag_warn(l->diag, s3_spot_of(node, "endpoint"),
			"endpoint: over http:// everybody on the way can read and change what is stored");
	if (given)
		warn_of_bucket(l, s3, node);
	if (!make_url(s3))
		diag_nomem(l->diag);
}
