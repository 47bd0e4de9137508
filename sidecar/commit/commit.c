// SPDX-License-Identifier: MIT
/* commit.c - see commit.h. Each phase looks at all items and returns the first step it finds; the number of
 * items is the number of parts, and steps are few, so the quadratic walk does not matter. */
#include "commit/commit.h"

static const struct commit_step nothing = { COMMIT_NOTHING, 0 };

static bool
is_under_way(enum commit_state state)
{
	return state == ITEM_SENDING || state == ITEM_COMMITTING || state == ITEM_CANCELLING ||
		state == ITEM_UNDOING;
}

static bool
any_failed(const struct commit_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].has_failed)
			return true;
	return false;
}

static bool
should_undo(const struct commit_item *item, bool may_undo)
{
	return may_undo && item->state == ITEM_COMMITTED && item->can_undo && !item->undo_was_tried;
}

/* Undone in the reverse order: of two files that replaced each other, and of a folder made for the first one, only
 * the last to come can be taken back first. */
static struct commit_step
next_giving_up(const struct commit_item *items, size_t n, bool may_undo)
{
	for (size_t i = 0; i < n; i++) {
		enum commit_state state = items[i].state;

		if (state == ITEM_OPEN || state == ITEM_KEPT || state == ITEM_SENDING || state == ITEM_PREPARED)
			return (struct commit_step){ COMMIT_CANCEL, i };
	}
	for (size_t i = n; i-- > 0;)
		if (should_undo(&items[i], may_undo))
			return (struct commit_step){ COMMIT_UNDO, i };
	return nothing;
}

/* Phase 1. True: some item is not yet ready for its completion. */
static bool
must_wait_for_prepare(const struct commit_item *items, size_t n, struct commit_step *step)
{
	bool wait = false;
	size_t under_way = 0;

	for (size_t i = 0; i < n; i++)
		under_way += items[i].state == ITEM_SENDING;
	for (size_t i = 0; i < n; i++) {
		if (items[i].is_file && items[i].state == ITEM_KEPT) {
			wait = true;
			if (under_way < COMMIT_WINDOW && step->verb == COMMIT_NOTHING)
				*step = (struct commit_step){ COMMIT_PREPARE, i };
		}
		wait = wait || items[i].state == ITEM_OPEN || items[i].state == ITEM_SENDING;
	}
	return wait;
}

/* Phase 2. */
static bool
must_wait_for_files(const struct commit_item *items, size_t n, struct commit_step *step)
{
	bool wait = false;

	for (size_t i = 0; i < n; i++) {
		if (!items[i].is_file || items[i].state == ITEM_COMMITTED)
			continue;
		wait = true;
		if (items[i].state == ITEM_PREPARED && step->verb == COMMIT_NOTHING)
			*step = (struct commit_step){ COMMIT_COMPLETE, i };
	}
	return wait;
}

/* Order of phase 3: held streams before kept ones, and of each those that can be undone first. */
static int
http_rank(const struct commit_item *item)
{
	if (item->is_file || (item->state != ITEM_PREPARED && item->state != ITEM_KEPT))
		return -1;
	return (item->state == ITEM_PREPARED ? 2 : 0) + (item->can_undo ? 1 : 0);
}

static struct commit_step
next_http(const struct commit_item *items, size_t n)
{
	size_t under_way = 0, done = 0, best = 0;
	int rank = -1;

	for (size_t i = 0; i < n; i++) {
		under_way += items[i].state == ITEM_COMMITTING;
		done += !items[i].is_file && items[i].state == ITEM_COMMITTED;
		if (http_rank(&items[i]) > rank) {
			rank = http_rank(&items[i]);
			best = i;
		}
	}
	if (rank < 0 || under_way >= (done == 0 ? 1 : COMMIT_WINDOW))
		return nothing;
	return (struct commit_step){ items[best].state == ITEM_KEPT ? COMMIT_SEND : COMMIT_COMPLETE, best };
}

struct commit_step
commit_next(const struct commit_item *items, size_t n, bool give_up, bool may_undo)
{
	struct commit_step step = nothing;

	if (give_up || any_failed(items, n))
		return next_giving_up(items, n, may_undo);
	if (must_wait_for_prepare(items, n, &step))
		return step;
	if (must_wait_for_files(items, n, &step))
		return step;
	return next_http(items, n);
}

bool
commit_is_over(const struct commit_item *items, size_t n, bool give_up, bool may_undo)
{
	for (size_t i = 0; i < n; i++)
		if (is_under_way(items[i].state))
			return false;
	return commit_next(items, n, give_up, may_undo).verb == COMMIT_NOTHING;
}

bool
commit_is_whole(const struct commit_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].state != ITEM_COMMITTED)
			return false;
	return true;
}
