// SPDX-License-Identifier: MIT
/* load.h - route files in, a checked struct config or all their problems out.
 *
 * [main] The only entry to config/ for the programs. Reads files, secrets and the environment; opens no
 * sockets and creates nothing.
 */
#ifndef PENSTOCK_LOAD_H
#define PENSTOCK_LOAD_H

#include "base/str.h"
#include "config/route.h"

/* What check found, as text ready for a terminal: one block per problem
 * ("file:line:col: error: sentence", the source line, a caret), in the order of file and line. */
struct findings {
	struct buf text;
	unsigned errors, warnings;
};

/* Reads `paths` (files, or folders whose *.yaml and *.yml are taken in name order) as one configuration:
 * routes are appended in the order read, destinations share one name space, and a scalar or list such as
 * `memory` or `listen` may be given in one file only. NULL: errors (findings.errors > 0) say why.
 * Warnings alone do not stop it. The caller frees the result with config_free(). */
struct config *config_load(char *const *paths, size_t n_paths, struct findings *findings);

/* The same for a gateway, which routes but does not store: secrets, certificates and folders of destinations are not
 * looked at, for they need not be on that machine. The values of secret headers are "-". */
struct config *config_load_routes(char *const *paths, size_t n_paths, struct findings *findings);

/* The same from memory, for `penstock try`, tests and fuzzers; `name` stands for the file in messages. */
struct config *config_load_text(const char *name, struct str text, struct findings *findings);

void config_free(struct config *config); /* NULL is fine */
void findings_free(struct findings *findings);

/* JSON Schema (draft 2020-12) of a route file, from the key tables; ends with a newline. */
void config_schema(struct buf *out);

/* The reference in config/README.md between its two marker lines, from the key tables. */
void config_reference(struct buf *out);

/* penstock.yaml(5): config/README.md, and with it the key tables, as a page for man(1). */
void config_manual(struct buf *out);

const char *config_library_version(void); /* of the libyaml that runs, for `penstock version` */

#endif
