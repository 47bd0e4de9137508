// SPDX-License-Identifier: MIT
/* texts.h - lists of what a part may be (media types and extensions of file names), of who may send it (origins), and of names of
 * headers. They are kept in lower case, for letter case says nothing of them. */
#ifndef PENSTOCK_TEXTS_H
#define PENSTOCK_TEXTS_H

#include "config/loading.h"

#define TEXTS_MAX 128u       /* entries of one list */
#define TEXTS_BYTES_MAX 255u /* of one: type and subtype have at most 127 each (RFC 6838 section 4.2) */

#define TEXTS_EXTENSION_PATTERN "^[A-Za-z0-9]{1,16}$"
#define TEXTS_TYPE_PATTERN "^[-!#$%&'+.^_`|~0-9A-Za-z]+/[-!#$%&'+.^_`|~0-9A-Za-z]+$"
#define TEXTS_HEADER_PATTERN "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$"
#define TEXTS_GLOB_PATTERN "^[-!#$%&'*+.^_`|~?0-9A-Za-z]+/[-!#$%&'*+.^_`|~?0-9A-Za-z]+$"

/* Readers of KEY_TYPE_GLOBS, KEY_TYPES, KEY_EXTENSIONS, KEY_PASSED, KEY_PASSED_ON and KEY_ORIGINS, as read.h has them. */
void texts_read_globs(struct loading *l, const struct key *key, const struct node *node, void *base);
void texts_read_types(struct loading *l, const struct key *key, const struct node *node, void *base);
void texts_read_headers(struct loading *l, const struct key *key, const struct node *node, void *base);
void texts_read_stored_headers(struct loading *l, const struct key *key, const struct node *node, void *base);
void texts_read_extensions(struct loading *l, const struct key *key, const struct node *node, void *base);
void texts_read_origins(struct loading *l, const struct key *key, const struct node *node, void *base);

void texts_free(struct texts *texts);

#endif
