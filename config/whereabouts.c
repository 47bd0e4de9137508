// SPDX-License-Identifier: MIT
/* whereabouts.c - see whereabouts.h.
 *
 * http: scheme, host and port as a server would compare them (letter case, a dot at the end, default ports, the names of
 * this machine), then the prefix as written: who compares names decodes it. Which address a name stands for may change,
 * so none is looked up. Folders: the path without links, "." and ".."; the same folder by another path (a bind mount) has
 * the path of the first. */
#include "config/whereabouts.h"

#include "base/mem.h"
#include "config/kind.h"
#include "config/template.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* -- http --------------------------------------------------------------------------------------------- */

static bool
is_this_machine(struct str host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "::1" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (str_equal_nocase(host, str_of(names[i])))
			return true;
	return false;
}

/* "::0001" and "::1" are one address. */
static void
add_ip(struct buf *out, struct str host)
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];

	if (str_to_ip(host, AF_INET6, bytes) && inet_ntop(AF_INET6, bytes, text, sizeof text) != NULL)
		buf_add_text(out, is_this_machine(str_of(text)) ? "localhost" : text);
	else
		buf_add_str(out, host);
}

static void
add_name(struct buf *out, struct str host)
{
	if (host.len > 1 && host.data[host.len - 1] == '.')
		host.len--;
	if (is_this_machine(host)) {
		buf_add_text(out, "localhost");
		return;
	}
	for (size_t i = 0; i < host.len; i++)
		buf_add_char(out, str_lower(host.data[i]));
}

/* "host", "host:port", "[v6]:port". */
static void
add_authority(struct buf *out, struct str authority, const char *usual_port)
{
	bool is_v6 = authority.len > 0 && authority.data[0] == '[';
	const char *from = is_v6 ? memchr(authority.data, ']', authority.len) : authority.data;
	const char *end = authority.data + authority.len;
	const char *colon = from != NULL && from < end ? memchr(from, ':', (size_t)(end - from)) : NULL;
	struct str host = { authority.data, colon != NULL ? (size_t)(colon - authority.data) : authority.len };

	if (is_v6 && host.len > 2)
		add_ip(out, (struct str){ host.data + 1, host.len - 2 });
	else
		add_name(out, host);
	buf_add_char(out, ':');
	if (colon != NULL)
		buf_add(out, colon + 1, (size_t)(end - colon - 1));
	else
		buf_add_text(out, usual_port);
}

void
whereabouts_add_url(struct buf *out, const char *url)
{
	bool tls = strncmp(url, "https://", 8) == 0;
	const char *authority = url + (tls ? 8 : 7);
	size_t len = strcspn(authority, "/");

	buf_add_text(out, tls ? "https://" : "http://");
	add_authority(out, (struct str){ authority, len }, tls ? "443" : "80");
	buf_add_text(out, authority + len);
}

/* -- files -------------------------------------------------------------------------------------------- */

/* As far as the path is there; what is missing stands as it was written. Even "." may be missing. */
void
whereabouts_add_path(struct buf *out, const char *path)
{
	char *real = realpath(path, NULL);
	const char *slash = strrchr(path, '/');
	char *parent;

	if (real != NULL || slash == path || strcmp(path, ".") == 0) {
		buf_add_text(out, real != NULL ? real : path);
		free(real); // NOLINT: realpath() took it from malloc()
		return;
	}
	parent = slash != NULL ? str_dup((struct str){ path, (size_t)(slash - path) }) : str_dup(str_of("."));
	if (parent != NULL)
		whereabouts_add_path(out, parent);
	out->failed = out->failed || parent == NULL;
	mem_free(parent);
	buf_addf(out, "/%s", slash != NULL ? slash + 1 : path);
}

/* -- all ---------------------------------------------------------------------------------------------- */

bool
whereabouts_find(struct config *config, bool elsewhere)
{
	for (size_t i = 0; i < config->n_destinations; i++) {
		struct destination *d = &config->destinations[i];
		struct buf at = { 0 };

		if (d->kind == NULL || !d->kind->place(config, i, elsewhere, &at))
			continue;
		if (at.failed) {
			buf_free(&at);
			return false;
		}
		while (at.len > 1 && at.data[at.len - 1] == '/')
			at.data[--at.len] = '\0';
		d->at = at.data;
	}
	return true;
}

static void
add_whole_name(struct buf *out, const struct rule *rule)
{
	const char *source = rule->target->source;

	buf_addf(out, "%s/%s", strcmp(rule->to->at, "/") == 0 ? "" : rule->to->at, source + strspn(source, "/"));
}

bool
whereabouts_rules_meet(const struct rule *a, const struct rule *b, bool *same)
{
	struct buf left = { 0 }, right = { 0 };
	bool ok;

	*same = a->to == b->to && template_equal(a->target, b->target);
	if (*same || a->to->at == NULL || b->to->at == NULL || a->to->kind->style != b->to->kind->style)
		return true;
	add_whole_name(&left, a);
	add_whole_name(&right, b);
	ok = !left.failed && !right.failed;
	*same = ok && strcmp(left.data, right.data) == 0;
	buf_free(&left);
	buf_free(&right);
	return ok;
}
