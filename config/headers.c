// SPDX-License-Identifier: MIT
/* headers.c - see headers.h.
 *
 * A value is text, { env: NAME } or { file: PATH }. Of a file the last newline is dropped, because editors
 * and `echo` add one. A line feed inside a value would end the header line and begin another (RFC 9110
 * section 5.5), so control bytes are refused. What curl frames and what penstock sends
 * itself (sink/http/http.c) may not be set here: it would stand there twice.
 */
#include "config/headers.h"

#include "base/mem.h"
#include "base/secret.h"
#include "config/object_head.h"
#include "config/pattern.h"
#include "config/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 65536u

static const char *const own_names[] = { "content-length", "transfer-encoding", "expect", "connection", "host",
	"te", "trailer", "upgrade", "keep-alive", "proxy-connection", "content-type", "x-request-id",
	"x-forwarded-for", "traceparent" };

static bool
cannot_read(struct loading *l, const struct node *path)
{
	diag_error(l->diag, path->spot, "secret file %.*s: %s", SHOWN(path->text), strerror(errno));
	return false;
}

static bool
secret_from_file(struct loading *l, const struct node *path, struct buf *out)
{
	int fd = open(path->chars, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool ok;

	if (fd < 0)
		return cannot_read(l, path);
	ok = fstat(fd, &st) == 0 && secret_read(fd, SECRET_MAX, out);
	if (!ok)
		cannot_read(l, path);
	else if ((st.st_mode & S_IROTH) != 0)
		diag_warn(l->diag, path->spot, "secret file %.*s is readable by everyone", SHOWN(path->text));
	close(fd);
	if (ok && out->len > 0 && out->data[out->len - 1] == '\n')
		out->len -= out->len > 1 && out->data[out->len - 2] == '\r' ? 2 : 1;
	return ok;
}

static bool
secret_from_env(struct loading *l, const struct node *name, struct buf *out)
{
	const char *value = getenv(name->chars);

	if (value == NULL) {
		diag_error(l->diag, name->spot, "environment variable %.*s is not set", SHOWN(name->text));
		return false;
	}
	buf_add_text(out, value);
	return true;
}

/* { env: NAME } or { file: PATH }. False: reported. */
static bool
read_secret(struct loading *l, const struct key *key, const struct node *node, struct buf *out)
{
	const struct node *env = yaml_tree_get(node, "env"), *file = yaml_tree_get(node, "file");
	const struct node *from = env != NULL ? env : file;

	if (from == NULL || node->n != 1) {
		diag_error(l->diag, node->spot, "a secret is written { env: NAME } or { file: PATH }");
		return false;
	}
	if (!loading_is_scalar(l, key, from))
		return false;
	if (from->text.len == 0) {
		diag_error(l->diag, from->spot, "%s: the text is empty", env != NULL ? "env" : "file");
		return false;
	}
	if (l->elsewhere)
		buf_add_char(out, '-');
	else
		return env != NULL ? secret_from_env(l, env, out) : secret_from_file(l, file, out);
	return true;
}

/* RFC 9110 section 5.5: visible bytes, SP, HTAB and obs-text, no blank at the ends. */
static bool
is_value(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.data[i] < 0x20 && s.data[i] != '\t') || s.data[i] == 0x7f)
			return false;
	return s.len > 0 && str_trim(s).len == s.len;
}

/* `what` begins the sentence about one that cannot stand in a header. */
static void
read_value(struct loading *l, const struct key *key, const struct node *node, const char *what, char **out)
{
	struct buf value = { 0 };
	bool ok = true;

	if (node->kind == NODE_MAP)
		ok = read_secret(l, key, node, &value);
	else if (!loading_is_scalar(l, key, node))
		ok = false;
	else
		buf_add_str(&value, node->text);
	if (ok && !is_value(buf_str(&value)) && !value.failed)
		diag_error(l->diag, node->spot,
			"%s may not be empty, begin or end with a blank, or hold a control byte", what);
	if (ok)
		*out = value.failed ? NULL : str_dup(buf_str(&value));
	if (ok && *out == NULL)
		diag_nomem(l->diag);
	secret_wipe(&value);
}

static bool
is_own(struct str name)
{
	for (size_t i = 0; i < sizeof own_names / sizeof own_names[0]; i++)
		if (str_equal_nocase(name, str_of(own_names[i])))
			return true;
	return false;
}

/* As WSGI, PHP and Rack have it, to whom all of these are one variable. */
static char
letter_of(char c)
{
	return c == '_' || c == '.' ? '-' : str_lower(c);
}

/* `own`: in lower case, with '-' alone. */
static bool
reads_as(struct str name, const char *own, bool begins)
{
	size_t len = strlen(own);

	if (name.len < len || (name.len > len && !begins))
		return false;
	for (size_t i = 0; i < len; i++)
		if (letter_of(name.data[i]) != own[i])
			return false;
	return true;
}

/* What a client says under these names would be taken for penstock's word, or is about its connection or its body. */
const char *
headers_judge_passed(struct str name)
{
	static const char *const not_passed[] = { "x-forwarded-method", "x-forwarded-proto", "x-forwarded-host",
		"x-forwarded-uri", "forwarded", "proxy-authorization", "proxy-authenticate", "content-encoding",
		"content-range", "http2-settings" };
	static const char *const own = "is set by penstock itself, or is about the client's connection or body";

	if (!pattern_is_token(name))
		return "is not the name of a header";
	if (reads_as(name, "penstock-", true) || reads_as(name, "x-penstock-", true))
		return "is penstock's own: an application believes it";
	for (size_t i = 0; i < sizeof own_names / sizeof own_names[0]; i++)
		if (reads_as(name, own_names[i], false))
			return own;
	for (size_t i = 0; i < sizeof not_passed / sizeof not_passed[0]; i++)
		if (reads_as(name, not_passed[i], false))
			return own;
	return NULL;
}

/* The body is the object's, not the client's; the request is ours. */
const char *
headers_judge_stored(struct str name)
{
	static const char *const method[] = { "x-http-method", "x-http-method-override", "x-method-override" };
	const char *wrong = headers_judge_passed(name);

	if (wrong != NULL)
		return wrong;
	if (reads_as(name, "content-", true))
		return "is about the client's body, which is not what a store gets";
	for (size_t i = 0; i < sizeof method / sizeof method[0]; i++)
		if (reads_as(name, method[i], false))
			return "would make another request of penstock's";
	return NULL;
}

static bool
is_name(struct loading *l, const struct node *map, size_t at)
{
	const struct node *name = map->keys[at];

	if (!pattern_is_token(name->text)) {
		diag_error(l->diag, name->spot, "\"%.*s\" is not the name of a header", SHOWN(name->text));
		return false;
	}
	if (is_own(name->text) || str_starts_nocase(name->text, "penstock-")) {
		diag_error(l->diag, name->spot, "header \"%.*s\" is set by penstock itself", SHOWN(name->text));
		return false;
	}
	for (size_t i = 0; i < at; i++) {
		if (!str_equal_nocase(name->text, map->keys[i]->text) || str_equal(name->text, map->keys[i]->text))
			continue;
		diag_error(l->diag, name->spot, "header \"%.*s\" stands twice", SHOWN(name->text));
		diag_note(l->diag, map->keys[i]->spot, "the first one is here");
		return false;
	}
	return true;
}

/* Whoever writes "{grant.user}" means the user's name. */
static void
warn_of_placeholder(struct loading *l, const struct node *node)
{
	struct error err = { 0 };
	struct span span;
	struct template *t = node->kind == NODE_SCALAR ? template_parse(node->text, TEMPLATE_FOR_TEXT, &span, &err)
						       : NULL;
	bool has = false;

	for (size_t i = 0; t != NULL && i < t->n_pieces; i++)
		has = has || t->pieces[i].kind != TEMPLATE_TEXT;
	template_free(t);
	if (err.kind == ERR_NOMEM)
		diag_nomem(l->diag);
	if (has)
		diag_warn(l->diag, node->spot,
			"this text is sent as it is; { template: TEXT } has its placeholders filled in");
}

static struct template *
read_template(struct loading *l, const struct key *key, const struct node *map)
{
	const struct node *text = yaml_tree_get(map, "template");
	struct error err = { 0 };
	struct template *t = NULL;
	struct span span;

	if (map->n != 1) {
		diag_error(
			l->diag, map->spot, "a value that is made for each object is written { template: TEXT }");
	} else if (!loading_is_scalar(l, key, text)) {
		return NULL;
	} else if (text->text.len == 0) {
		diag_error(l->diag, text->spot, "template: the text is empty");
	} else if ((t = template_parse(text->text, TEMPLATE_FOR_TEXT, &span, &err)) == NULL) {
		if (err.kind == ERR_NOMEM)
			diag_nomem(l->diag);
		else
			diag_error(
				l->diag, yaml_tree_spot(text, span.offset, span.len), "template: %s", err.message);
	}
	return t;
}

static void
read_line(struct loading *l, const struct key *key, const struct node *node, struct header_line *line)
{
	if (key->type == KEY_LINES && node->kind == NODE_MAP && yaml_tree_get(node, "template") != NULL) {
		line->made = read_template(l, key, node);
		return;
	}
	read_value(l, key, node, "the value of a header", &line->value);
	if (key->type == KEY_LINES)
		warn_of_placeholder(l, node);
}

void
headers_read(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	struct header_lines *lines = (struct header_lines *)(void *)((char *)base + key->offset);

	if (node->kind != NODE_MAP) {
		diag_error(l->diag, node->spot, "%s is a mapping (name: value), not %s", key->name,
			yaml_tree_kind(node));
		return;
	}
	if (node->n > HEADERS_MAX) {
		diag_error(l->diag, node->spot, "%s: more than %u header lines", key->name, HEADERS_MAX);
		return;
	}
	if (node->n == 0 || !loading_grow(l, &lines->items, 0, node->n, sizeof *lines->items))
		return;
	for (size_t i = 0; i < node->n && !l->diag->nomem; i++) {
		struct header_line *line = &lines->items[lines->n];

		if (!is_name(l, node, i))
			continue;
		lines->n++;
		line->name = str_dup(node->keys[i]->text);
		if (line->name == NULL)
			diag_nomem(l->diag);
		read_line(l, key, node->items[i], line);
	}
}

bool
headers_has(const struct header_lines *lines, struct str name)
{
	for (size_t i = 0; i < lines->n; i++)
		if (lines->items[i].name != NULL && str_equal_nocase(str_of(lines->items[i].name), name))
			return true;
	return false;
}

void
headers_check_pass(
	struct loading *l, const struct header_lines *lines, const struct texts *pass, const struct node *node)
{
	for (size_t i = 0; node != NULL && i < pass->n; i++)
		if (headers_has(lines, str_of(pass->items[i])))
			diag_error(l->diag, node->spot, "pass: there is a line \"%s\" in `headers`, too",
				pass->items[i]);
}

void
headers_free(struct header_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		mem_free(lines->items[i].name);
		headers_wipe(lines->items[i].value);
		template_free(lines->items[i].made);
	}
	mem_free(lines->items);
}

void
headers_read_secret(struct loading *l, const struct key *key, const struct node *node, void *base)
{
	char *value = NULL;

	read_value(l, key, node, key->name, &value);
	memcpy((char *)base + key->offset, &value, sizeof value);
}

void
headers_wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	mem_free(secret);
}
