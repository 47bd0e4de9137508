// SPDX-License-Identifier: MIT
/* explain.h - `penstock explain`: tells what would become of one request, without a network and without storing anything. It runs
 * the very code that serves: decide, form, rules and names. It takes the request for one from an address that is not in
 * `trust.proxies`, to a process with nothing else to do, whose destinations take everything. So it cannot tell of refusals by a
 * busy process or a destination (503, 409, 502). tests/e2e/test_agreement.py compares it with `penstock run`. */
#ifndef PENSTOCK_EXPLAIN_H
#define PENSTOCK_EXPLAIN_H

#include "base/error.h"
#include "config/route.h"

#include <stdbool.h>
#include <stddef.h>

struct explain_options {
	size_t split;              /* feed the body in pieces of so many bytes; 0: all at once */
	bool human;                /* a table instead of JSON */
	const char *const *grants; /* "NAME=VALUE": what an application would grant */
	size_t n_grants;
};

/* [main] Reads the raw HTTP/1.1 request in `path` ("-": standard input) and prints the verdict on stdout; the same input gives
 * the same bytes, whatever the split. False: the file cannot be read, or out of memory. To know whether stdout took it, ask
 * ferror(3). */
bool explain_run(
	const struct config *config, const char *path, const struct explain_options *options, struct error *err);

#endif
