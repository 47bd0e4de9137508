// SPDX-License-Identifier: MIT
/* state.h - tables of which state may follow which, for everything that has a life.
 *
 * A type with a life has one enum, a drawing above it, a table of what each state may become, and one
 * x_move() as the only writer, which asks state_may_become() through must(). */
#ifndef PENSTOCK_STATE_H
#define PENSTOCK_STATE_H

#include <stdbool.h>

#define BIT(n) (1u << (unsigned)(n))

static inline bool
state_may_become(const unsigned *table, int from, int to)
{
	return (table[from] & BIT(to)) != 0;
}

#endif
