// SPDX-License-Identifier: MIT
/* sidecar.h - the running program: owns every long-lived object, starts them in order, waits for signals, ends
 * their threads and frees them. */
#ifndef PENSTOCK_SIDECAR_H
#define PENSTOCK_SIDECAR_H

#include "base/error.h"
#include "config/route.h"

#include <stdbool.h>

/* [main] Serves until SIGTERM or SIGINT; then says that it is not ready and serves on for shutdown.delay, accepts nothing
 * new, lets what runs finish for up to shutdown.drain and gives the rest up; a second signal gives it up at once. What
 * has not ended 2 s later ends with the process: it exits here, with code 1. SIGHUP reads `paths` again (reload.h), if
 * there are any. False: it could not start. `config` is taken over, `paths` borrowed. */
bool sidecar_run(struct config *config, char *const *paths, size_t n_paths, struct error *err);

#endif
