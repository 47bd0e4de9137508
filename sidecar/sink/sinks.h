// SPDX-License-Identifier: MIT
/* sinks.h - all kinds of destinations at once: what they keep open for a route table, whether that is well, and what they
 * count. sink.h says what each kind does by itself. */
#ifndef PENSTOCK_SINKS_H
#define PENSTOCK_SINKS_H

#include "base/str.h"
#include "route/table.h"

struct order;
struct would;

/* For table_new(): lets every sink open what it keeps for the table. */
extern const struct table_opener sinks_opener;

/* [lookout] Lets every sink look at what it keeps open for the table. */
void sinks_look(const struct table *table);

/* [any] As it was at the last look. For each thing that is not well, a sentence and a newline are added to `why`. */
bool sinks_are_good(const struct table *table, struct buf *why);

/* [any] Appends the metrics that each sink has of its own. */
void sinks_metrics(const struct table *table, struct buf *out);

/* [main] For `penstock explain`: as the hook `would` of sink.h. */
void sinks_would(const struct order *order, struct would *would);

/* [main] For `penstock check`: adds to `out` a line for each thing that a start would find missing, and returns how many
 * there are. */
unsigned sinks_check(const struct config *config, struct buf *out);

#endif
