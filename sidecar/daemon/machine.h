// SPDX-License-Identifier: MIT
/* machine.h - numbers that follow from the machine and the configuration. [main] */
#ifndef PENSTOCK_MACHINE_H
#define PENSTOCK_MACHINE_H

#include "config/route.h"

size_t machine_workers(const struct config *config);
void machine_raise_descriptor_limit(void);

/* For one worker of `n_workers`, how many connections there may be at once; how many of these may be read in large pieces; and
 * bytes that those may hold which are kept alive while they are idle. */
uint64_t machine_max_connections(const struct config *config, size_t n_workers);
uint64_t machine_max_large(const struct config *config, size_t n_workers);
uint64_t machine_kept_memory(const struct config *config, size_t n_workers);

#endif
