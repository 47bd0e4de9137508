// SPDX-License-Identifier: MIT
/* kind.c - what a route file must know of destinations of type s3. No libcurl and no OpenSSL here: HAProxy's filter has this,
 * too. */
#include "base/mem.h"
#include "channel/pool.h"
#include "config/headers.h"
#include "config/memory.h"
#include "config/read.h"
#include "config/scalar.h"
#include "config/whereabouts.h"
#include "sink/s3/settings.h"

#include <string.h>

_Static_assert(KIND_KEEP_MOST <= S3_PART_MIN, "what is put in one request is no more than a part");

static struct s3_settings *
mine(const struct destination_settings *settings)
{
	return (struct s3_settings *)(uintptr_t)settings;
}

static struct spot
spot_of(const struct node *map, const char *key)
{
	const struct node *node = yaml_tree_get(map, key);

	return node != NULL ? node->spot : map->spot;
}

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

/* Some stores take capitals and '_', where the name is no part of a host. */
static void
check_bucket(struct loading *l, const struct s3_settings *s3, const struct node *node, bool is_host)
{
	size_t len = strlen(s3->bucket);

	if (len < 3 || !has_only(s3->bucket, is_host ? ".-" : "._-", !is_host) ||
		!has_only((const char[]){ s3->bucket[0], s3->bucket[len - 1], '\0' }, "", !is_host) ||
		strstr(s3->bucket, "..") != NULL)
		diag_error(l->diag, spot_of(node, "bucket"),
			"bucket: a name has 3 to 63 small letters, digits, '-' and '.', and a letter or digit at each end");
}

static void
check_region(struct loading *l, const struct s3_settings *s3, const struct node *node)
{
	if (s3->region != NULL && !has_only(s3->region, "-_", true))
		diag_error(l->diag, spot_of(node, "region"), "region: a name has letters, digits and '-'");
}

/* -- the URL ------------------------------------------------------------------------------------------- */

static size_t
scheme_of(const char *url)
{
	return str_starts_nocase(str_of(url), "https://") ? 8 : 7;
}

static bool
is_amazons(const char *host, size_t len)
{
	static const char *const ends[] = { ".amazonaws.com", ".amazonaws.com.cn" };

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		size_t n = strlen(ends[i]);

		if (len > n && memcmp(host + len - n, ends[i], n) == 0)
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

/* No certificate is for a bucket with a dot in its name, in front of a host. */
static bool
is_virtual(const struct s3_settings *s3)
{
	struct str host = host_of(s3->peer.url);

	if (s3->style != S3_STYLE_AUTO)
		return s3->style == S3_STYLE_VIRTUAL;
	return is_amazons(host.data, host.len) && strchr(s3->bucket, '.') == NULL;
}

/* As libcurl connects to it; the port that is the scheme's own does not stand in Host. */
static struct str
without_usual_port(struct str host, bool is_https)
{
	const char *port = is_https ? ":443" : ":80";
	size_t n = strlen(port);

	if (host.len > n && memcmp(host.data + host.len - n, port, n) == 0)
		host.len -= n;
	return host;
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
	struct str host = without_usual_port(host_of(endpoint), scheme == 8);
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
	return ok && take(&s3->peer.url, &url);
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
		diag_warn(l->diag, spot_of(node, "endpoint"),
			"endpoint: it has the bucket's name in it already, and gets it once more; give the store's own URL");
}

static void
link_url(struct loading *l, struct s3_settings *s3, const struct node *node)
{
	bool given = yaml_tree_get(node, "endpoint") != NULL;

	if (s3->peer.unix_socket != NULL) {
		diag_error(l->diag, spot_of(node, "endpoint"), "endpoint: http:// or https://, not a unix socket");
		return;
	}
	if ((given && s3->peer.url == NULL) || s3->bucket == NULL || s3->region == NULL)
		return; /* which was reported */
	if (!given && !use_amazons(s3)) {
		diag_nomem(l->diag);
		return;
	}
	check_bucket(l, s3, node, is_virtual(s3));
	if (scheme_of(s3->peer.url) == 7 && !is_here(host_of(s3->peer.url)))
		diag_warn(l->diag, spot_of(node, "endpoint"),
			"endpoint: over http:// everybody on the way can read and change what is stored");
	if (given)
		warn_of_bucket(l, s3, node);
	if (!make_url(s3))
		diag_nomem(l->diag);
}

/* -- what belongs together ------------------------------------------------------------------------------ */

static void
link_credentials(struct loading *l, const struct s3_settings *s3, const struct node *node)
{
	const struct node *given = yaml_tree_get(node, "credentials");
	const struct s3_credentials *keys = &s3->credentials;

	if (given == NULL || given->kind != NODE_MAP)
		return;
	if ((yaml_tree_get(given, "access_key") == NULL) != (yaml_tree_get(given, "secret_key") == NULL))
		diag_error(l->diag, given->spot, "credentials: \"access_key\" and \"secret_key\" belong together");
	if (keys->session_token != NULL && yaml_tree_get(given, "access_key") == NULL)
		diag_error(l->diag, spot_of(given, "session_token"), "session_token: belongs to an access_key");
	if (keys->profile != NULL && yaml_tree_get(given, "access_key") != NULL)
		diag_error(l->diag, spot_of(given, "profile"), "profile: either it or keys");
}

/* Whatever the signature or the upload itself needs stands there once, as penstock has it. */
static void
link_headers(struct loading *l, const struct s3_settings *s3, const struct node *node)
{
	static const char *const own[] = { "authorization", "if-none-match", "if-match", "content-md5",
		"x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-meta-penstock-id",
		"x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm", "x-amz-trailer" };

	for (size_t i = 0; i < s3->peer.n_headers; i++) {
		struct str name = str_of(s3->peer.headers[i].name);
		bool is_own = str_starts_nocase(name, "x-amz-checksum-");

		for (size_t j = 0; j < sizeof own / sizeof own[0]; j++)
			is_own = is_own || str_equal_nocase(name, str_of(own[j]));
		if (is_own)
			diag_error(l->diag, spot_of(node, "headers"), "header \"%.*s\" is set by penstock itself",
				SHOWN(name));
	}
}

static void
link_keys(struct loading *l, struct destination *d, const struct node *node)
{
	struct s3_settings *s3 = mine(d->settings);

	if (node == NULL || node->kind != NODE_MAP)
		return;
	check_region(l, s3, node);
	link_url(l, s3, node);
	link_credentials(l, s3, node);
	link_headers(l, s3, node);
	if (s3->peer.unix_socket == NULL)
		peer_link(l, &s3->peer, node);
}

/* -- the parts of its objects ---------------------------------------------------------------------------- */

/* Bytes of the largest object that any rule lets come; 0: no rule stores there. */
static uint64_t
largest_object(const struct config *c, const struct destination *d)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < c->n_routes; i++)
		for (size_t j = 0; j < c->routes[i].n_rules; j++) {
			const struct rule *rule = &c->routes[i].rules[j];
			uint64_t most = memory_largest(rule, c->routes[i].limits.body);

			if (rule->to == d && most > largest)
				largest = most;
		}
	return largest;
}

static void
complain_of_size(struct loading *l, struct spot spot, const char *why, uint64_t size)
{
	struct buf text = { 0 };

	buf_add_text(&text, why);
	scalar_add_size(&text, size);
	if (text.failed)
		diag_nomem(l->diag);
	else
		diag_error(l->diag, spot, "%s", text.data);
	buf_free(&text);
}

static void
settle(struct loading *l, size_t at)
{
	const struct destination *d = &l->config->destinations[at];
	const struct node *node = l->destinations.items[at];
	uint64_t largest = largest_object(l->config, d);
	uint64_t piece = s3_plan_piece(mine(d->settings)->part_size, largest);

	if (node->kind == NODE_MAP && s3_plan_parts(largest, piece) > S3_PARTS_MAX)
		complain_of_size(l, spot_of(node, "part_size"),
			"part_size: 10,000 parts are too few for the largest object that a rule lets come; it takes parts of ",
			s3_plan_part_size(largest));
}

static void
free_settings(struct destination_settings *settings)
{
	struct s3_settings *s3 = mine(settings);

	headers_wipe(s3->credentials.access_key);
	headers_wipe(s3->credentials.secret_key);
	headers_wipe(s3->credentials.session_token);
	mem_free(s3->credentials.profile);
	mem_free(s3->host);
	mem_free(s3->path);
	mem_free(s3->region);
	mem_free(s3->bucket);
	mem_free(s3->content_type);
	peer_free(&s3->peer);
}

/* -- its traits ---------------------------------------------------------------------------------------- */

static bool
place(const struct config *config, size_t at, bool elsewhere, struct buf *out)
{
	const struct s3_settings *s3 = s3_settings(&config->destinations[at]);

	(void)elsewhere;
	if (s3->host == NULL || s3->path == NULL)
		return false;
	whereabouts_add_url(out, s3->peer.url);
	return true;
}

static bool
can_undo(const struct destination_settings *settings)
{
	return mine(settings)->undo_delete;
}

static size_t
keep_max(const struct destination_settings *settings)
{
	return (size_t)mine(settings)->put_max;
}

/* One part, what is asked beside it, and what has to be remembered of each. */
static uint64_t
form_memory(const struct destination_settings *settings, uint64_t largest)
{
	uint64_t piece = s3_plan_piece(mine(settings)->part_size, largest);
	uint64_t chunks = s3_plan_chunks(piece, CHUNK_SIZE) + S3_REQUEST_CHUNKS;

	return chunks * CHUNK_SIZE + CHUNK_SIZE + s3_plan_receipts(largest, piece);
}

/* As for http: four ends, each of which may be asked for again. */
static uint64_t
silence_ms(const struct destination_settings *settings)
{
	const struct http_peer *peer = &mine(settings)->peer;
	uint64_t once = (peer->idle_ms < peer->total_ms ? peer->idle_ms : peer->total_ms) +
		peer->connect_ms * (peer->retry_connect + 1);

	return 4 * once;
}

static const struct http_peer *
ready_peer(const struct destination_settings *settings)
{
	return mine(settings)->ready_connect ? &mine(settings)->peer : NULL;
}

const struct destination_kind s3_kind = {
	.word = "s3",
	.noun = "an s3 destination",
	.keys = &s3_keys,
	.settings_size = sizeof(struct s3_settings),
	.traits = KIND_LENGTH | KIND_LASTS | KIND_UPLOADS,
	.style = TEMPLATE_FOR_KEY,
	.link = link_keys,
	.settle = settle,
	.free = free_settings,
	.place = place,
	.can_undo = can_undo,
	.keep_max = keep_max,
	.form_memory = form_memory,
	.silence_ms = silence_ms,
	.ready_peer = ready_peer,
};
