// SPDX-License-Identifier: MIT
/* template.h - "{path.1}/{date:%Y}/{uuid}.{file.ext}" -> struct template (config/route.h). Pure.
 *
 * What the route file itself says in a template is checked here, once: no empty, "." or ".." segment, no
 * control byte, for a URL only what RFC 3986 section 3.3 allows in a path, for a key any text. What a client puts into a
 * placeholder is escaped where the template is filled in.
 */
#ifndef PENSTOCK_TEMPLATE_H
#define PENSTOCK_TEMPLATE_H

#include "base/error.h"
#include "config/route.h"

enum template_style {
	TEMPLATE_FOR_URL,  /* made to begin with one '/'; may end with one */
	TEMPLATE_FOR_FILE, /* a '/' in front is dropped */
	TEMPLATE_FOR_KEY,  /* as for a URL, but any text stands for itself, and is escaped where the name is made */
	TEMPLATE_FOR_TEXT, /* no name: any text without control bytes, and a '/' is as good as another byte */
	TEMPLATE_FOR_LOCATION, /* as for a URL, and a query and a fragment may follow */
};

/* Bytes of the text that an error is about. */
struct span {
	size_t offset, len;
};

/* NULL: err says why (ERR_CONFIG, ERR_NOMEM), and `where` which bytes of the text are wrong. */
struct template *template_parse(struct str text, enum template_style style, struct span *where, struct error *err);

#define TEMPLATE_GRANT_MAX 64 /* bytes of a grant's name */

/* A byte of a grant's name as it is compared. */
static inline char
template_grant_char(char c)
{
	return c == '_' ? '-' : str_lower(c);
}

void template_free(struct template *t); /* NULL is fine */

/* Does it hold something that differs for any two parts of a form ({uuid}, {part})? */
bool template_differs_by_part(const struct template *t);

bool template_has(const struct template *t, enum template_kind kind); /* a piece of that kind? */

/* Would both give the same name for the same request and part? */
bool template_equal(const struct template *a, const struct template *b);

#endif
