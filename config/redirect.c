// SPDX-License-Identifier: MIT
/* redirect.c - see redirect.h. The text is cut behind the origin; template.c reads what follows. */
#include "config/redirect.h"

#include "config/address.h"
#include "config/diag.h"

#include <string.h>

/* Bytes of "https://host:port"; 0: the text begins with a path. */
static size_t
origin_length(struct str text)
{
	size_t n = str_starts_nocase(text, "https://") ? 8 : str_starts_nocase(text, "http://") ? 7 : 0;

	while (n > 0 && n < text.len && strchr("/?#", text.data[n]) == NULL)
		n++;
	return n;
}

static bool
check_origin(struct str origin, struct error *err)
{
	size_t scheme = (size_t)((const char *)memchr(origin.data, ':', origin.len) - origin.data) + 3;
	struct str host = { origin.data + scheme, origin.len - scheme };

	if (memchr(host.data, '{', host.len) != NULL)
		return error_set(
			err, ERR_CONFIG, "the host cannot hold a placeholder: a client would choose where to go");
	return address_check_host(host, err);
}

/* What only a part has, there is none of in an answer. */
static bool
is_of_a_part(enum template_kind kind)
{
	return kind == TEMPLATE_PART || kind == TEMPLATE_FIELD || kind == TEMPLATE_FILE_NAME ||
		kind == TEMPLATE_FILE_EXT || kind == TEMPLATE_DETECTED_EXT || kind == TEMPLATE_UUID;
}

/* NULL: it may stand there. */
static const char *
why_not(enum template_kind kind)
{
	if (kind == TEMPLATE_FIELD_VALUE)
		return "comes with the form, and this is made before its body is read";
	return is_of_a_part(kind) ? "is of one part, and this is of the whole form; {request_id} names it" : NULL;
}

static bool
check_pieces(struct str text, const struct template *t, struct span *where, struct error *err)
{
	for (size_t i = 0; i < t->n_pieces; i++) {
		const char *source = t->pieces[i].source, *at, *why = why_not(t->pieces[i].kind);

		if (why == NULL)
			continue;
		at = memmem(text.data, text.len, source, strlen(source));
		if (at != NULL)
			*where = (struct span){ (size_t)(at - text.data), strlen(source) };
		return error_set(err, ERR_CONFIG, "%s %s", source, why);
	}
	return true;
}

bool
redirect_read(struct str text, struct response *out, struct span *where, struct error *err)
{
	size_t n = origin_length(text);
	struct str origin = { text.data, n }, rest = { text.data + n, text.len - n };

	*where = (struct span){ 0, n > 0 ? n : text.len };
	if (n == 0 && (text.len == 0 || text.data[0] != '/'))
		return error_set(err, ERR_CONFIG, "begins with '/', or with http:// or https:// and a host");
	if (n > 0 && !check_origin(origin, err))
		return false;
	out->origin = str_dup(origin);
	if (out->origin == NULL)
		return error_nomem(err);
	out->redirect = template_parse(rest, TEMPLATE_FOR_LOCATION, where, err);
	where->offset += n;
	return out->redirect != NULL && check_pieces(text, out->redirect, where, err);
}

struct template *
redirect_read_path(struct str text, struct span *where, struct error *err)
{
	struct template *t;

	*where = (struct span){ 0, text.len };
	if (text.len == 0 || text.data[0] != '/' || memchr(text.data, '#', text.len) != NULL) {
		error_set(err, ERR_CONFIG, "begins with '/', and has no fragment ('#')");
		return NULL;
	}
	t = template_parse(text, TEMPLATE_FOR_LOCATION, where, err);
	if (t != NULL && check_pieces(text, t, where, err))
		return t;
	template_free(t);
	return NULL;
}
