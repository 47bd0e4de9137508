// SPDX-License-Identifier: MIT
/* try.h - `penstock try DIR|URL|s3://BUCKET`: makes a route file for one destination. */
#ifndef PENSTOCK_TRY_H
#define PENSTOCK_TRY_H

#include "base/error.h"
#include "config/load.h"

/* [main] Makes the configuration that listens on 127.0.0.1:8081 and stores every file field below `where`
 * (a folder, an http or https URL, or `s3://` and a bucket, whose endpoint and region come from the variables of Amazon's
 * SDKs), and prints it on stdout with a curl line to try it. NULL: err or
 * findings say why; the caller frees with config_free(). */
struct config *try_config(const char *where, struct findings *findings, struct error *err);

#endif
