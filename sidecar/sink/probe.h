// SPDX-License-Identifier: MIT
/* probe.h - can the destinations that say `ready: connect` be reached? It connects to each (TLS included) every few seconds and
 * closes the connection again. A question is answered with the last result, and waits for nothing. A try is limited by the
 * destination's timeout.connect.
 *
 * On one loop, which is not a worker's. Everything belongs to its thread; before it runs and after it has ended, to
 * the thread of new and free. */
#ifndef PENSTOCK_PROBE_H
#define PENSTOCK_PROBE_H

#include "base/error.h"
#include "config/route.h"
#include "loop/loop.h"

#define PROBE_EVERY_MS 3000u /* from the end of a try to the next */
#define PROBE_MS_MAX 5000u   /* longest try */

struct probe;

/* `config` is borrowed. `before`: the probe that this one replaces, or NULL; its result is taken over for each destination that is
 * still at the same place. Returns NULL: err says why. */
struct probe *probe_new(
	const struct config *config, const struct probe *before, struct loop *loop, struct error *err);
void probe_free(struct probe *probe); /* NULL is fine */

/* The i-th of them, from 0; reachable: at the last try. False: there is none. */
bool probe_result(const struct probe *probe, size_t i, const char **destination, bool *is_reachable);

/* For each that is not reachable, or was not tried yet, a sentence and a newline are added to `why`. */
bool probe_is_good(const struct probe *probe, struct buf *why);

#endif
