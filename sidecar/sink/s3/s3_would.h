// SPDX-License-Identifier: MIT
/* s3_would.h - tells for `penstock explain` what a transfer would ask of a bucket. */
#ifndef PENSTOCK_S3_WOULD_H
#define PENSTOCK_S3_WOULD_H

#include "sink/order.h"

struct would;

void s3_would(const struct order *order, struct would *would); /* as sink.h has it */

#endif
