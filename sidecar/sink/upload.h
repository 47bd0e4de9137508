// SPDX-License-Identifier: MIT
/* upload.h - transfers out: one engine per worker (libcurl multi in that worker's loop) and one disk thread.
 *
 * [main] makes an uploads before the workers run and frees it after they have stopped, which ends the disk thread.
 * Everything a request needs of this room goes through the struct sinks of its worker.
 *
 * A transfer's life, on the thread of its consumer (engine or disk):
 *
 *   READY ─START▶ SENDING ─all bytes away▶ HELD ─COMMIT▶ COMPLETING ─▶ ENDED ─CLOSE▶ freed
 *     └─CANCEL──────┴────────────┴──────────────────────────▲  └─UNDO▶ UNDOING ─▶ ENDED
 *
 * http: HELD means that everything but the end has been given to the socket: the last chunk of a chunked request, and the few
 * bytes before it that go one at a time so that the other side hears something (`hold`). For a kept part nothing is sent before
 * COMMIT. directory: HELD means written
 * and fsynced under a temporary name.
 */
#ifndef PENSTOCK_UPLOAD_H
#define PENSTOCK_UPLOAD_H

#include "base/error.h"
#include "channel/pool.h"
#include "config/route.h"
#include "loop/loop.h"
#include "sink/order.h"

struct uploads;

/* [main] Makes one engine for each of `loops`, and starts the disk thread: also where no destination is a folder
 * yet, for a reload may bring one. `pool` is borrowed for its life. NULL: err says why. */
struct uploads *uploads_new(
	enum placement placement, struct pool *pool, struct loop *const *loops, size_t n_loops, struct error *err);

/* [worker n, before its loop runs] What the requests of this worker use. Valid as long as the uploads. */
const struct sinks *uploads_sinks(struct uploads *uploads, size_t worker);

/* [worker n] True if no transfer lives on this worker's engine: it may stop. */
bool uploads_worker_is_idle(const struct uploads *uploads, size_t worker);

/* [main] The disk thread's loop. */
struct loop *uploads_disk_loop(struct uploads *uploads);

/* [main] After all workers' loops have stopped, with no transfer left on an engine and every file's channel told CLOSE:
 * lets the disk thread close its last files, ends it, frees all. NULL is fine. */
void uploads_free(struct uploads *uploads);

/* [main] libcurl's global set-up, once per process; before uploads_new() and after uploads_free(). */
bool upload_setup(struct error *err);
void upload_teardown(void);
const char *upload_library_version(void); /* of the libcurl that runs, for `penstock version` */

#endif
