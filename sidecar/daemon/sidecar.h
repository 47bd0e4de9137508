// SPDX-License-Identifier: MIT
/* sidecar.h - the running program: owns every object that lives as long as the process, starts them in order, waits for
 * signals, ends their threads and frees them. */
#ifndef PENSTOCK_SIDECAR_H
#define PENSTOCK_SIDECAR_H

#include "base/error.h"
#include "config/route.h"

#include <stdbool.h>

/* [main] Serves until SIGTERM or SIGINT. Then it says that it is not ready, but serves on for shutdown.delay; then it accepts
 * nothing new, waits up to shutdown.drain for what runs, and gives the rest up. A second signal gives up at once. If anything
 * still runs 2 s after that, the process exits here, with code 1. SIGHUP reads `paths` again (reload.h), if there are any. False:
 * it could not start. `config` is taken over, `paths` borrowed. */
bool sidecar_run(struct config *config, char *const *paths, size_t n_paths, struct error *err);

#endif
