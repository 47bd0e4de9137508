// SPDX-License-Identifier: MIT
/* http_would.h - what a transfer would ask of a store, for `penstock explain`. */
#ifndef PENSTOCK_HTTP_WOULD_H
#define PENSTOCK_HTTP_WOULD_H

#include "sink/order.h"

struct would;

void http_would(const struct order *order, struct would *would); /* as sink.h has it */

#endif
