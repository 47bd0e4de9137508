// SPDX-License-Identifier: MIT
/* request_lines.h - `pass` and `headers` of a rule and of its destination, and a request -> the header lines that go to a store with an
 * object of the rule. No text of a client's or of an application's makes a line of its own. */
#ifndef PENSTOCK_REQUEST_LINES_H
#define PENSTOCK_REQUEST_LINES_H

#include "part/naming.h"
#include "txn/delivery.h"

/* Bytes of those that a client sent, and of those that are made, each as `name: value` and a line end. */
#define REQUEST_LINES_MAX 8192

/* To be called before the body: can what goes along be passed on? False: ERR_BAD_REQUEST (there twice, a control byte in it, or
 * Connection names it), or ERR_HEADERS (too long). */
bool request_lines_check(const struct head *head, const struct rule *rule, struct error *err);

/* Sets head, lines and the lines of the order of a new delivery whose kind of destination is KIND_LINES. `part`: its first one. An empty
 * value is left out. False: ERR_RULE (too long: refuse the form), or ERR_NOMEM. */
bool request_lines_make(
	const struct naming *naming, const struct named_part *part, struct delivery *delivery, struct error *err);

#endif
