// SPDX-License-Identifier: MIT
/* reserve.c - see reserve.h. Who waits is woken under the lock: once reserve_forget() has returned, his channel may go. All who
 * wait are woken, for one of them may want less than the one before him. */
#include "channel/reserve.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/refcount.h"

#include <pthread.h>

struct reserve {
	struct refcount refs;
	struct pool *pool;
	size_t size;
	pthread_mutex_t lock; /* of what follows */
	size_t left;
	struct reserve_user *waiting;
};

struct reserve *
reserve_new(struct pool *pool, size_t n)
{
	struct reserve *reserve = mem_zalloc(sizeof *reserve);

	if (reserve == NULL)
		return NULL;
	refcount_init(&reserve->refs);
	reserve->pool = pool;
	reserve->size = reserve->left = n;
	pthread_mutex_init(&reserve->lock, NULL);
	return reserve;
}

struct reserve *
reserve_acquire(struct reserve *reserve)
{
	if (reserve != NULL)
		refcount_acquire(&reserve->refs);
	return reserve;
}

void
reserve_release(struct reserve *reserve)
{
	if (reserve == NULL || !refcount_release(&reserve->refs))
		return;
	must(reserve->left == reserve->size && reserve->waiting == NULL);
	pool_unreserve(reserve->pool, reserve->size, POOL_KEEP);
	pthread_mutex_destroy(&reserve->lock);
	mem_free(reserve);
}

size_t
reserve_size(const struct reserve *reserve)
{
	return reserve->size;
}

bool
reserve_take(struct reserve *reserve, struct reserve_user *user, size_t n)
{
	bool ok;

	must(n <= reserve->size); /* else he would wait for ever */
	pthread_mutex_lock(&reserve->lock);
	ok = n <= reserve->left;
	if (ok) {
		reserve->left -= n;
	} else if (!user->waits) {
		user->waits = true;
		user->next = reserve->waiting;
		reserve->waiting = user;
	}
	pthread_mutex_unlock(&reserve->lock);
	return ok;
}

void
reserve_put(struct reserve *reserve, size_t n)
{
	if (n == 0)
		return;
	pthread_mutex_lock(&reserve->lock);
	reserve->left += n;
	must(reserve->left <= reserve->size);
	while (reserve->waiting != NULL) {
		struct reserve_user *user = reserve->waiting;

		reserve->waiting = user->next;
		user->waits = false;
		channel_tell(user->channel, CHANNEL_DATA);
	}
	pthread_mutex_unlock(&reserve->lock);
}

void
reserve_give(struct reserve *reserve, struct chunk *chunk)
{
	must(chunk->use == POOL_KEEP);
	pool_undraw(reserve->pool, chunk);
	reserve_put(reserve, 1);
}

void
reserve_take_back(struct reserve *reserve, struct chunk **list)
{
	size_t n = 0;

	for (; *list != NULL; n++) {
		struct chunk *chunk = *list;

		*list = chunk->link;
		pool_undraw(reserve->pool, chunk);
	}
	reserve_put(reserve, n);
}

void
reserve_forget(struct reserve *reserve, struct reserve_user *user)
{
	struct reserve_user **at;

	pthread_mutex_lock(&reserve->lock);
	for (at = &reserve->waiting; *at != NULL && *at != user; at = &(*at)->next)
		continue;
	if (*at != NULL)
		*at = user->next;
	user->waits = false;
	pthread_mutex_unlock(&reserve->lock);
}
