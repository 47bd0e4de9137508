// SPDX-License-Identifier: MIT
/* manual.h - Markdown, as this project writes it, becomes a page for man(1). Pure.
 *
 * Understood: `##` and `###` headings, paragraphs, lists with `- `, tables, ``` blocks, `code`. A `#` heading and HTML
 * comments are left out. The manual pages come from the same text and tables as the README and the help, so they need
 * no upkeep of their own.
 */
#ifndef PENSTOCK_MANUAL_H
#define PENSTOCK_MANUAL_H

#include "base/str.h"

/* The head of a page, up to its NAME section: manual_begin(out, "penstock", 1, "streams uploads"). */
void manual_begin(struct buf *out, const char *name, unsigned section, const char *what);

/* Appends what `markdown` says. */
void manual_add(struct buf *out, struct str markdown);

/* The text of config/README.md, which the build puts in (embed.cmake). */
struct str manual_readme(void);

#endif
