// SPDX-License-Identifier: MIT
/* link.h - the second pass over what read_files() has read: it does what needs all files, or several keys at once. Destinations get their URL of a socket, rules their action, destination and template. */
#ifndef PENSTOCK_LINK_H
#define PENSTOCK_LINK_H

#include "config/kind.h"
#include "config/read.h"

void link_all(struct loading *l);

/* {path.N} stands for the N-th wildcard of match.path: reports an N for which there is none. `node`: the text of the template. */
void link_check_wildcards(
	struct loading *l, const struct match *match, const struct template *t, const struct node *node);

/* Reports a key of `store` or `concat` (`node`) that the rule's destination has no use for. */
void link_check_only_for(struct loading *l, const struct rule *rule, const struct node *node, const char *key,
	enum kind_trait trait);

#endif
