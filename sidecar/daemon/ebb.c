// SPDX-License-Identifier: MIT
/* ebb.c - see ebb.h. */
#include "daemon/ebb.h"

#include "base/container_of.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_EVERY_MS 1000u
#define WORTH ((uint64_t)4 << 20)
#define FORGETS 8u               /* an eighth of what was left is forgotten at each look, ... */
#define FORGETS_MOST (WORTH / 4) /* ... but what was much is not tried again at each of them */

static uint64_t
beside(uint64_t resident, uint64_t used)
{
	return resident > used ? resident - used : 0;
}

/* As much as is used may lie there: under load it is used again at once. */
static bool
is_much(uint64_t idle, uint64_t used)
{
	return idle >= WORTH && idle >= used;
}

bool
ebb_is_due(uint64_t *left, uint64_t resident, uint64_t used)
{
	uint64_t idle = beside(resident, used), less = *left / FORGETS;

	*left -= less < FORGETS_MOST ? less : FORGETS_MOST;
	if (idle < *left)
		*left = idle;
	return is_much(idle, used) && idle - *left >= WORTH;
}

/* Pages of files are left out, for they are the system's (proc(5): "size resident shared ..."). 0: not known. */
static uint64_t
resident_bytes(const struct ebb *ebb)
{
	char text[128], *at = text;
	ssize_t n = ebb->statm >= 0 ? pread(ebb->statm, text, sizeof text - 1, 0) : 0;
	uint64_t resident;

	text[n > 0 ? n : 0] = '\0';
	strtoull(at, &at, 10);
	resident = strtoull(at, &at, 10);
	return beside(resident, strtoull(at, &at, 10)) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
used_of_pool(const struct ebb *ebb)
{
	return (uint64_t)(pool_total(ebb->pool) - pool_available(ebb->pool)) * CHUNK_SIZE;
}

static void
give_back(struct ebb *ebb)
{
	pool_cool(ebb->pool);
	mem_trim();
	ebb->left = beside(resident_bytes(ebb), used_of_pool(ebb) + mem_used());
}

/* To add up what is allocated takes malloc's locks for some milliseconds where much is: not if the pool alone says no. */
static void
on_look(struct timer *timer)
{
	struct ebb *ebb = container_of(timer, struct ebb, look);
	uint64_t resident = resident_bytes(ebb), used = used_of_pool(ebb);

	if (is_much(beside(resident, used), used))
		used += mem_used();
	if (ebb_is_due(&ebb->left, resident, used))
		give_back(ebb);
	loop_set_timer(ebb->loop, timer, clock_after(loop_now_ms(ebb->loop), LOOK_EVERY_MS));
}

bool
ebb_start(struct ebb *ebb, struct loop *loop, struct pool *pool, struct error *err)
{
	*ebb = (struct ebb){ .loop = loop, .look.fire = on_look, .pool = pool, .statm = -1 };
	if (!loop_set_timer(loop, &ebb->look, clock_after(loop_now_ms(loop), LOOK_EVERY_MS)))
		return error_nomem(err);
	ebb->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	return true;
}

void
ebb_stop(struct ebb *ebb)
{
	if (ebb->loop == NULL)
		return;
	loop_clear_timer(ebb->loop, &ebb->look);
	if (ebb->statm >= 0)
		close(ebb->statm);
	ebb->loop = NULL;
}
