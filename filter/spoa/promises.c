// SPDX-License-Identifier: MIT
/* promises.c - see promises.h. All promises last equally long, so they end in the order in which they were made. */
#include "spoa/promises.h"

static void
end_first(struct promises *promises)
{
	struct promise *promise = &promises->ring[promises->first];

	if (reserve_take(promises->reserve, promise->key))
		counter_sub(promise->counter, 1);
	table_release(promise->table);
	promises->first = (promises->first + 1) % PROMISES_MAX;
	promises->n--;
}

/* Out of memory for a timer: the next promise ends those that are over. */
static void
end_those_over(struct promises *promises)
{
	uint64_t now = loop_now_ms(promises->loop);

	while (promises->n > 0 && promises->ring[promises->first].until_ms <= now)
		end_first(promises);
	if (promises->n > 0 && promises->timer.slot == 0)
		loop_set_timer(promises->loop, &promises->timer, promises->ring[promises->first].until_ms);
}

static void
on_timer(struct timer *timer)
{
	end_those_over((struct promises *)(void *)((char *)timer - offsetof(struct promises, timer)));
}

void
promises_init(struct promises *promises, struct reserve *reserve, struct loop *loop)
{
	promises->reserve = reserve;
	promises->loop = loop;
	promises->timer.fire = on_timer;
}

void
promises_fini(struct promises *promises)
{
	while (promises->n > 0)
		end_first(promises);
	if (promises->loop != NULL)
		loop_clear_timer(promises->loop, &promises->timer);
}

bool
promises_add(struct promises *promises, struct str id, struct table *table, struct counter *counter)
{
	size_t key = reserve_key(id, counter);

	end_those_over(promises);
	if (promises->n == PROMISES_MAX || !reserve_put(promises->reserve, key))
		return false;
	promises->ring[(promises->first + promises->n++) % PROMISES_MAX] = (struct promise){ key,
		table_acquire(table), counter, clock_after(loop_now_ms(promises->loop), PROMISE_MS) };
	end_those_over(promises);
	return true;
}
