// SPDX-License-Identifier: MIT
/* gateway_priv.h - what gateway.c and gateway_rules.c share: lines of a `frontend` for the user's routes. All of it
 * only appends text; `out->failed` says at the end whether there was memory for it. [any] */
#ifndef PENSTOCK_GATEWAY_PRIV_H
#define PENSTOCK_GATEWAY_PRIV_H

#include "base/str.h"
#include "config/route.h"

/* ACLs NAME_host, NAME_path and NAME_method for each route, and txn.upload.is: some route has this host and path. */
void gateway_add_routes(struct buf *out, const struct config *config);

/* ACL `may_answer`: what HAProxy answers now arrives, for the client waits for 100 or sends no body. The routes' own
 * 404 stands here too. */
void gateway_add_may_answer(struct buf *out);

/* Refusals by what the agent or the filter has said (txn.upload.allow, .status, .reason): fail closed. `silent` is the
 * sentence for when they have said nothing. */
void gateway_add_verdicts(struct buf *out, const struct config *config, const char *silent);

/* Refusals by rules alone: method, length, size, type. */
void gateway_add_rules(struct buf *out, const struct config *config);

/* HAProxy's own answers (nobody behind it, time-outs) in the form of ours; but for a head that it cannot read, or that does
 * not come in time, it has pages that cannot be changed. */
void gateway_add_own_errors(struct buf *out);

/* A word of HAProxy's configuration, whatever is in it. */
void gateway_add_quoted(struct buf *out, const char *text);
void gateway_add_word(struct buf *out, struct buf *word); /* the same; frees `word` */

#endif
