// SPDX-License-Identifier: MIT
/* clock.c - see clock.h. */
#include "base/clock.h"

#include <time.h>

uint64_t
clock_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_after(uint64_t now_ms, uint64_t in_ms)
{
	return in_ms >= CLOCK_NEVER - now_ms ? CLOCK_NEVER : now_ms + in_ms;
}
