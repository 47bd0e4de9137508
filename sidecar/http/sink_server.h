// SPDX-License-Identifier: MIT
/* sink_server.h - `penstock sink`: a small server that takes any method and any framing, prints what came, and
 * answers. The demo's upstream and a tool for trying routes; not for production. */
#ifndef PENSTOCK_SINK_H
#define PENSTOCK_SINK_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct sink_options {
	uint16_t port;     /* on 127.0.0.1; 0: any, the port is printed */
	bool print_body;   /* the body too, to stdout */
	bool discard;      /* no line per request, no digest: for measuring */
	unsigned status;   /* answer with this; 0: 200 */
	uint64_t delay_ms; /* wait before the answer */
};

/* [main] Serves until SIGINT or SIGTERM. False: could not start. First line on stdout:
 * "penstock sink: listening on http://127.0.0.1:PORT". Then for each request, in one piece:
 * METHOD PATH, its headers, "N bytes sha256 HEX" (or "ended early after N bytes"), then an empty line. */
bool sink_run(const struct sink_options *options, struct error *err);

#endif
