// SPDX-License-Identifier: MIT
/* restart.c - see restart.h: all that sockets, threads and memory were made from when the process started. */
#include "config/restart.h"

#include "config/address.h"

#include <string.h>

static void
complain(struct buf *why, const char *key)
{
	buf_addf(why, "%s: cannot be changed without a restart\n", key);
}

static bool
same_listen(const struct listen *now, size_t n_now, const struct listen *next, size_t n_next)
{
	bool same = n_now == n_next;

	for (size_t i = 0; same && i < n_now; i++)
		same = address_listen_equal(&now[i], &next[i]) && now[i].proxy_protocol == next[i].proxy_protocol;
	return same;
}

static bool
same_text(const char *now, const char *next)
{
	return now == NULL || next == NULL ? now == next : strcmp(now, next) == 0;
}

void
config_needs_restart(const struct config *now, const struct config *next, struct buf *why)
{
	if (!same_listen(now->listen, now->n_listen, next->listen, next->n_listen))
		complain(why, "listen");
	if (!same_listen(now->admin.listen, now->admin.n_listen, next->admin.listen, next->admin.n_listen))
		complain(why, "admin.listen");
	if (!same_listen(now->spoa.listen, now->spoa.n_listen, next->spoa.listen, next->spoa.n_listen))
		complain(why, "spoa.listen");
	if (!same_text(now->state, next->state))
		complain(why, "state");
	if (now->memory != next->memory)
		complain(why, "memory");
	if (now->workers != next->workers)
		complain(why, "threads.workers");
	if (now->placement != next->placement)
		complain(why, "threads.placement");
	if (now->client.connections != next->client.connections)
		complain(why, "client.connections");
}
