// SPDX-License-Identifier: MIT
/* queue.c - see queue.h. Two kinds of lists: the line of those who wait, and for each side those who were granted and have not
 * been fetched. */
#include "channel/queue.h"

#include "base/mem.h"
#include "base/must.h"

#include <pthread.h>

struct queue {
	struct pool *pool;
	pthread_mutex_t lock; /* of what follows, and of all places and sides */
	struct queue_place *first, *last;
	size_t length;
};

struct queue *
queue_new(struct pool *pool, struct error *err)
{
	struct queue *queue = mem_zalloc(sizeof *queue);

	if (queue == NULL) {
		error_nomem(err);
		return NULL;
	}
	queue->pool = pool;
	pthread_mutex_init(&queue->lock, NULL);
	return queue;
}

void
queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	must(queue->first == NULL);
	pthread_mutex_destroy(&queue->lock);
	mem_free(queue);
}

static void
append(struct queue_place **first, struct queue_place **last, struct queue_place *place)
{
	place->next = NULL;
	place->before = *last;
	if (*last != NULL)
		(*last)->next = place;
	else
		*first = place;
	*last = place;
}

static void
take_out(struct queue_place **first, struct queue_place **last, struct queue_place *place)
{
	if (place->before != NULL)
		place->before->next = place->next;
	else
		*first = place->next;
	if (place->next != NULL)
		place->next->before = place->before;
	else
		*last = place->before;
	place->state = QUEUE_OUT;
}

/* [locked] */
static void
leave_line(struct queue *queue, struct queue_place *place)
{
	take_out(&queue->first, &queue->last, place);
	queue->length--;
}

/* [locked] */
static void
grant_all(struct queue *queue)
{
	struct queue_place *place;

	while ((place = queue->first) != NULL && pool_reserve_ahead(queue->pool, place->n)) {
		struct queue_side *side = place->side;

		leave_line(queue, place);
		place->state = QUEUE_GRANTED;
		append(&side->granted, &side->granted_end, place);
		mailbox_post(side->box, side->mail, 1);
	}
}

bool
queue_enter(struct queue *queue, struct queue_side *side, struct queue_place *place, size_t n)
{
	bool ok;

	must(place->state == QUEUE_OUT && n > 0 && n <= pool_most_ahead(queue->pool));
	pthread_mutex_lock(&queue->lock);
	grant_all(queue);
	ok = queue->first == NULL && pool_reserve_ahead(queue->pool, n);
	if (!ok) {
		place->state = QUEUE_WAITS;
		place->side = side;
		place->n = n;
		append(&queue->first, &queue->last, place);
		queue->length++;
	}
	pthread_mutex_unlock(&queue->lock);
	return ok;
}

/* Who left may have been the one that held up all others. */
void
queue_leave(struct queue *queue, struct queue_place *place)
{
	size_t back = 0;

	pthread_mutex_lock(&queue->lock);
	if (place->state == QUEUE_WAITS) {
		leave_line(queue, place);
	} else if (place->state == QUEUE_GRANTED) {
		take_out(&place->side->granted, &place->side->granted_end, place);
		back = place->n;
	}
	pthread_mutex_unlock(&queue->lock);
	pool_unreserve(queue->pool, back, POOL_KEEP);
	queue_serve(queue);
}

struct queue_place *
queue_fetch(struct queue *queue, struct queue_side *side)
{
	struct queue_place *place;

	pthread_mutex_lock(&queue->lock);
	place = side->granted;
	if (place != NULL)
		take_out(&side->granted, &side->granted_end, place);
	pthread_mutex_unlock(&queue->lock);
	return place;
}

void
queue_serve(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	grant_all(queue);
	pthread_mutex_unlock(&queue->lock);
}

size_t
queue_length(struct queue *queue)
{
	size_t n;

	pthread_mutex_lock(&queue->lock);
	n = queue->length;
	pthread_mutex_unlock(&queue->lock);
	return n;
}

size_t
queue_wants(struct queue *queue)
{
	size_t n;

	pthread_mutex_lock(&queue->lock);
	n = queue->first != NULL ? queue->first->n : 0;
	pthread_mutex_unlock(&queue->lock);
	return n;
}
