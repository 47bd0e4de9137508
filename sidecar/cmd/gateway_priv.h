// SPDX-License-Identifier: MIT
/* gateway_priv.h - what gateway.c, gateway_rules.c, gateway_cors.c, gateway_refusals.c, gateway_clients.c, gateway_servers.c and gateway_files.c share: lines of a
 * `frontend` or a `backend` for the user's routes. All of them only append text; `out->failed` says at the end whether there
 * was memory for it. [any] */
#ifndef PENSTOCK_GATEWAY_PRIV_H
#define PENSTOCK_GATEWAY_PRIV_H

#include "base/error.h"
#include "base/str.h"
#include "cmd/gateway.h"
#include "config/route.h"

/* ACLs NAME_host, NAME_path and NAME_method for each route. */
void gateway_add_acls(struct buf *out, const struct config *config);

/* "album_host album_path": the condition that a request is the route's, whatever its method. */
void gateway_add_place(struct buf *out, const struct route *route);

/* txn.upload.is: some route has this host and path. */
void gateway_add_routes(struct buf *out, const struct config *config);

/* Whether some route has a `cors`. */
bool gateway_has_cors(const struct config *config);

/* txn.upload.preflight: the browser of a page asks by this request whether that may send, and penstock answers. And what HAProxy's
 * own answers say to pages of other origins. After `odd` and the user's own rules; nothing where no route has a `cors`. */
void gateway_add_cors(struct buf *out, const struct config *config);

/* ACL `may_answer`: an answer of HAProxy's would arrive, because the client waits for 100 or sends no body. */
void gateway_add_may_answer(struct buf *out);

/* Refusals for which neither agent nor filter is needed: by the user's own rules (txn.upload.refuse), and where no route fits. */
void gateway_add_early(struct buf *out);

/* After all other rules: the header that tells penstock what the user's own rules refuse. */
void gateway_add_passed_on(struct buf *out);

/* Refusals by what the agent or the filter has said (txn.upload.allow, .status, .reason): fail closed. `silent` is the
 * sentence for the case that it has said nothing. */
void gateway_add_verdicts(struct buf *out, const struct config *config, const char *silent);

/* Refusals by rules alone: method, length, size, type. */
void gateway_add_rules(struct buf *out, const struct config *config);

/* Gives HAProxy's own answers (no server, a time-out) the form of ours. Its pages for a head that it cannot read, or that does not
 * come in time, cannot be changed. */
void gateway_add_own_errors(struct buf *out);

/* Quotes `text`, so that it is one word of HAProxy's configuration, whatever is in it. */
void gateway_add_quoted(struct buf *out, const char *text);
void gateway_add_word(struct buf *out, struct buf *word); /* the same; frees `word` */

/* -- gateway_clients.c ---------------------------------------------------------------------------- */

/* Whether there is anything to count. */
bool gateway_counts_clients(const struct config *config);

/* Rules that refuse (txn.upload.refuse) a client that has all its uploads of a route already. After the user's own rules and `odd`. */
void gateway_add_clients(struct buf *out, const struct config *config, const struct gateway_peers *peers);

/* Whole sections: the tables in which that is counted, and the peers. */
void gateway_add_client_tables(struct buf *out, const struct config *config, const struct gateway_peers *peers);

/* -- gateway_servers.c ---------------------------------------------------------------------------- */

/* The lines of the backend that lead to penstock: its server, and how long that may be silent. */
void gateway_add_server(struct buf *out, const struct config *config);

/* The whole backend of the agent. */
void gateway_add_agent(struct buf *out, const struct config *config);

/* "90s", and the end of the line; at most what HAProxy takes. */
void gateway_add_time(struct buf *out, uint64_t ms);

/* -- gateway_files.c ------------------------------------------------------------------------------ */

struct gateway_file {
	const char *name; /* in the folder */
	struct buf text;  /* its first line is a comment */
};

/* Ends the first line of `text` with the sum of what follows it, by which gateway_may_replace() will know that nobody has
 * edited it. */
void gateway_seal(struct buf *text);

/* False: there is a file of that name which is not as it was written; err says so. */
bool gateway_may_replace(const char *folder, const char *name, struct error *err);

bool gateway_write_file(const char *folder, const struct gateway_file *file, struct error *err);

#endif
