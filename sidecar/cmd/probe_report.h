// SPDX-License-Identifier: MIT
/* probe_report.h - `penstock probe`: prints what sink/survey.h finds, as a table for people or as JSON. (sink/probe.h is something
 * else: by it a running penstock asks whether its stores can be reached.) */
#ifndef PENSTOCK_PROBE_REPORT_H
#define PENSTOCK_PROBE_REPORT_H

#include "base/error.h"
#include "config/route.h"

struct probe_report_options {
	bool json;
	uint64_t hold_ms; /* 0: it does not try how long silence may last */
};

/* [main] Tries every destination and prints what it finds on stdout. *good: it was not interrupted, and found nothing
 * missing on which the route files rely. False: it could not begin, err says why. */
bool probe_report(
	const struct config *config, const struct probe_report_options *options, bool *good, struct error *err);

#endif
