// SPDX-License-Identifier: MIT
/* gateway.h - `penstock haproxy`: writes HAProxy's configuration for the user's own routes.
 *
 * Writes DIR/haproxy.cfg, complete: `haproxy -f DIR/haproxy.cfg` serves; or, with `backend`, DIR/penstock.cfg with
 * what an HAProxy that runs already needs beside its own files, and nothing else. Where the route file has `spoa`, HAProxy
 * asks the agent (DIR/penstock.spoe.conf); with `native` the filter inside of it decides instead; else there are rules only.
 *
 * A file that was edited, or that penstock did not write, is never written over unless `force` says so. */
#ifndef PENSTOCK_GATEWAY_H
#define PENSTOCK_GATEWAY_H

#include "base/error.h"
#include "config/route.h"

struct gateway_options {
	const char *out;    /* folder; made if it is not there */
	const char *listen; /* where HAProxy listens: address of a `bind` line; not with `backend` */
	bool native, backend, force;
};

/* [main] False: err says which file and why. */
bool gateway_write(const struct config *config, const struct gateway_options *options, struct error *err);

#endif
