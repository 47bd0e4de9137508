// SPDX-License-Identifier: MIT
/* s3_relic.h - takes back what a process that died in the middle of a commit has left in a bucket: aborts its upload, or removes
 * its object. The functions are as sink.h says; settle.h says when and how often they are called. */
#ifndef PENSTOCK_S3_RELIC_H
#define PENSTOCK_S3_RELIC_H

#include "sink/sink.h"

/* [settle] False: there are no keys to sign with now, or no memory. */
bool s3_take_back(struct relic *relic, struct error *err);

void s3_on_relic_line(struct relic *relic, struct str line);
enum relic_said s3_relic_said(struct relic *relic, const struct exchange_result *result);

#endif
