// SPDX-License-Identifier: MIT
/* probe_report.h - `penstock probe`: what sink/survey.h finds, as a table for people or as JSON. (sink/probe.h is another
 * thing: it asks a running penstock's stores whether they can be reached.) */
#ifndef PENSTOCK_PROBE_REPORT_H
#define PENSTOCK_PROBE_REPORT_H

#include "base/error.h"
#include "config/route.h"

struct probe_report_options {
	bool json;
	uint64_t hold_ms; /* 0: silence is not tried */
};

/* [main] Tries every destination and prints what it finds on stdout. *good: all was tried that could be, and everything that
 * the route files rely on is kept. False: it could not begin, err says why. */
bool probe_report(
	const struct config *config, const struct probe_report_options *options, bool *good, struct error *err);

#endif
