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
#include "base/str.h"
#include "config/route.h"

#define GATEWAY_PEERS_MAX 16

struct gateway_peer {
	struct str name;
	const char *address;
};

/* HAProxies that count the same clients, each with its name (`haproxy -L`). */
struct gateway_peers {
	struct gateway_peer list[GATEWAY_PEERS_MAX];
	size_t n; /* 0: there is one alone */
};

struct gateway_options {
	const char *out;    /* folder; made if it is not there */
	const char *listen; /* where HAProxy listens: address of a `bind` line; not with `backend` */
	bool native, backend, force;
	bool per_client; /* limits.per_client.uploads is counted by HAProxy, too */
	struct gateway_peers peers;
};

/* Of a text "NAME=HOST:PORT", which is borrowed. False: it is none; err says what is wrong. */
bool gateway_read_peer(const char *text, struct gateway_peers *peers, struct error *err);

/* [main] False: err says which file and why. */
bool gateway_write(const struct config *config, const struct gateway_options *options, struct error *err);

#endif
