// SPDX-License-Identifier: MIT
/* link_check.h - which destination is meant, and checks of a rule whose destination is known. Reports through l->diag. */
#ifndef PENSTOCK_LINK_CHECK_H
#define PENSTOCK_LINK_CHECK_H

#include "config/kind.h"
#include "config/loading.h"

/* {path.N} stands for the N-th wildcard of match.path: reports an N for which there is none. `node`: the text of the template. */
void link_check_wildcards(
	struct loading *l, const struct match *match, const struct template *t, const struct node *node);

/* Reports a key of `store` or `concat` (`node`) that the rule's destination has no use for. */
void link_check_only_for(struct loading *l, const struct rule *rule, const struct node *node, const char *key,
	enum kind_trait trait);

/* The destination that `to` names; NULL: reported, unless it may be in a file that could not be read. */
const struct destination *link_find_destination(struct loading *l, const struct node *to);

/* Reports a header that is to be passed on from a client to an application, and of which `to` sends a line of its own: it would stand
 * beside the client's. `to` may be of any kind. */
void link_check_pass(
	struct loading *l, const struct destination *to, const struct texts *pass, const struct node *node);

#endif
