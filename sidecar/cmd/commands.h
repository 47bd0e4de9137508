// SPDX-License-Identifier: MIT
/* commands.h - what main.c calls: one function for each command of options.h. [main]
 *
 * Each returns the exit status of the process: EXIT_GOOD, EXIT_RUNTIME (it was tried and went wrong), or EXIT_USAGE (the
 * command line or a route file is wrong). What went wrong has been said on stderr, as whole sentences. */
#ifndef PENSTOCK_COMMANDS_H
#define PENSTOCK_COMMANDS_H

#include "base/error.h"
#include "cmd/options.h"
#include "config/load.h"

enum { EXIT_GOOD = 0, EXIT_RUNTIME = 1, EXIT_USAGE = 2 };

int command_run(const struct options *options);
int command_check(const struct options *options);
int command_probe(const struct options *options);
int command_schema(const struct options *options);
int command_explain(const struct options *options);
int command_sink(const struct options *options);
int command_try(const struct options *options);
int command_haproxy(const struct options *options);
int command_health(const struct options *options);
int command_man(const struct options *options);
int command_version(void);
int command_help(const struct options *options);

/* For the commands: says why, and returns `code`. */
int command_fail(const struct error *err, int code);

/* Errors and warnings of the route files, all of them, on stderr. */
void command_print_findings(const struct findings *findings);

/* Writes all of it to stdout, and frees it. main.c checks at the end whether stdout took it. */
int command_print(struct buf *out);

#endif
