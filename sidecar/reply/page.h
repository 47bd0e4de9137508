// SPDX-License-Identifier: MIT
/* page.h - a refusal as a page of HTML, for somebody who sent a form from a browser. Pure, any thread. */
#ifndef PENSTOCK_PAGE_H
#define PENSTOCK_PAGE_H

#include "reply/reply.h"

/* Appends it: self-contained, without scripts, every text escaped, what is not UTF-8 replaced. It tells what the JSON of the
 * refusal does. Out of memory shows as out->failed. */
void page_add(struct buf *out, const struct reply_facts *facts, unsigned status);

#endif
