// SPDX-License-Identifier: MIT
/* clock.h - time in milliseconds that never jumps, for deadlines. */
#ifndef PENSTOCK_CLOCK_H
#define PENSTOCK_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER UINT64_MAX

uint64_t clock_now_ms(void);                           /* [any] monotonic */
uint64_t clock_after(uint64_t now_ms, uint64_t in_ms); /* never overflows; in_ms CLOCK_NEVER gives CLOCK_NEVER */

#endif
