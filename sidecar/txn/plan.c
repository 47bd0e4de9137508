// SPDX-License-Identifier: MIT
/* plan.c - see plan.h. How many items stand where is counted as they change, and for each choice it is remembered
 * before which item there is no candidate: items move on and seldom become one again, so all steps together look at each
 * of them a few times. */
#include "txn/plan.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"

#define FIRST_ROOM 8

static const struct plan_step nothing = { PLAN_NOTHING, NULL };

static const unsigned may_become[] = {
	[ITEM_COLLECTING] = BIT(ITEM_STREAMING) | BIT(ITEM_KEPT) | BIT(ITEM_GONE),
	[ITEM_STREAMING] = BIT(ITEM_SENDING) | BIT(ITEM_CANCELLING) | BIT(ITEM_GONE),
	[ITEM_KEPT] = BIT(ITEM_SENDING) | BIT(ITEM_COMMITTING) | BIT(ITEM_GONE),
	[ITEM_SENDING] = BIT(ITEM_PREPARED) | BIT(ITEM_COMMITTING) | BIT(ITEM_CANCELLING) | BIT(ITEM_GONE),
	[ITEM_PREPARED] = BIT(ITEM_COMMITTING) | BIT(ITEM_CANCELLING) | BIT(ITEM_GONE),
	[ITEM_COMMITTING] = BIT(ITEM_COMMITTED) | BIT(ITEM_CANCELLING) | BIT(ITEM_GONE),
	[ITEM_COMMITTED] = BIT(ITEM_UNDOING),
	[ITEM_CANCELLING] = BIT(ITEM_COMMITTED) | BIT(ITEM_GONE), /* it may have been too late */
	[ITEM_UNDOING] = BIT(ITEM_COMMITTED) | BIT(ITEM_GONE),
	[ITEM_GONE] = 0,
};

static bool
is_open(const struct plan_item *item)
{
	return item->state == ITEM_COLLECTING || item->state == ITEM_STREAMING;
}

/* Order of phase 3: held streams before kept ones, and of each those that can be taken back first. */
static int
store_choice(const struct plan_item *item)
{
	if (item->rank != RANK_STORE || (item->state != ITEM_PREPARED && item->state != ITEM_KEPT))
		return -1;
	return CHOICE_STORE + (item->state == ITEM_KEPT ? 2 : 0) + (item->can_undo ? 0 : 1);
}

static bool
is_candidate(const struct plan_item *item, int choice)
{
	bool is_sent = item->state == ITEM_SENDING || item->state == ITEM_PREPARED;

	switch (choice) {
	case CHOICE_CANCEL:
		return is_open(item) || item->state == ITEM_KEPT || is_sent;
	case CHOICE_EACH_KEPT:
		return item->state == ITEM_KEPT;
	case CHOICE_EACH_SENT:
		return is_sent;
	case CHOICE_PREPARE:
		return item->rank == RANK_RENAME && item->state == ITEM_KEPT;
	case CHOICE_RENAME:
		return item->rank == RANK_RENAME && item->state == ITEM_PREPARED;
	default:
		return store_choice(item) == choice;
	}
}

static bool
may_be_undone(const struct plan_item *item)
{
	return item->state == ITEM_COMMITTED && item->can_undo && !item->undo_was_tried;
}

/* -- what is known --------------------------------------------------------------------------------- */

static void
count_in(struct plan *plan, const struct plan_item *item)
{
	plan->in_state[item->rank][item->state]++;
	plan->n_failed += item->has_failed;
	for (int choice = 0; choice < N_CHOICES; choice++)
		if (item->index < plan->first[choice] && is_candidate(item, choice))
			plan->first[choice] = item->index;
	if (item->index >= plan->undo_end && may_be_undone(item))
		plan->undo_end = item->index + 1;
}

static void
count_out(struct plan *plan, const struct plan_item *item)
{
	must(item->index < plan->n && plan->items[item->index] == item);
	plan->in_state[item->rank][item->state]--;
	plan->n_failed -= item->has_failed;
}

void
plan_init(struct plan *plan, enum plan_policy policy)
{
	*plan = (struct plan){ .policy = policy };
}

void
plan_fini(struct plan *plan)
{
	mem_free(plan->items);
	*plan = (struct plan){ .policy = plan->policy };
}

static bool
make_room(struct plan *plan)
{
	size_t room = plan->room > 0 ? plan->room * 2 : FIRST_ROOM;
	struct plan_item **grown;

	if (plan->n < plan->room)
		return true;
	grown = mem_resize(plan->items, room, sizeof *grown);
	if (grown == NULL)
		return false;
	plan->items = grown;
	plan->room = room;
	return true;
}

bool
plan_add(struct plan *plan, struct plan_item *item)
{
	if (!make_room(plan))
		return false;
	item->state = ITEM_COLLECTING;
	item->index = plan->n;
	plan->items[plan->n++] = item;
	count_in(plan, item);
	return true;
}

void
plan_move(struct plan *plan, struct plan_item *item, enum plan_state to)
{
	must(state_may_become(may_become, (int)item->state, (int)to));
	count_out(plan, item);
	item->undo_was_tried = item->undo_was_tried || item->state == ITEM_UNDOING;
	item->state = to;
	count_in(plan, item);
}

void
plan_fail(struct plan *plan, struct plan_item *item)
{
	plan_move(plan, item, ITEM_GONE);
	plan->n_failed += !item->has_failed;
	item->has_failed = true;
}

void
plan_forbid_undo(struct plan *plan, struct plan_item *item)
{
	count_out(plan, item);
	item->can_undo = false;
	count_in(plan, item);
}

static size_t
count(const struct plan *plan, enum plan_state state)
{
	size_t n = 0;

	for (int rank = 0; rank < N_RANKS; rank++)
		n += plan->in_state[rank][state];
	return n;
}

static size_t
count_uncommitted(const struct plan *plan, enum plan_rank rank)
{
	size_t n = 0;

	for (int state = 0; state < N_ITEM_STATES; state++)
		n += state != ITEM_COMMITTED ? plan->in_state[rank][state] : 0;
	return n;
}

/* -- what to do ------------------------------------------------------------------------------------ */

static bool
find(struct plan *plan, int choice, enum plan_verb verb, struct plan_step *step)
{
	size_t *first = &plan->first[choice];

	while (*first < plan->n && !is_candidate(plan->items[*first], choice))
		(*first)++;
	if (*first == plan->n)
		return false;
	*step = (struct plan_step){ verb, plan->items[*first] };
	return true;
}

/* What waits here is started and completed in one go, whatever the choice. */
static bool
find_completion(struct plan *plan, int choice, struct plan_step *step)
{
	if (!find(plan, choice, PLAN_COMPLETE, step))
		return false;
	if (step->item->state == ITEM_KEPT)
		step->verb = PLAN_SEND;
	return true;
}

/* Undone in the reverse order: of two files that replaced each other, and of a folder made for the first one, only
 * the last to come can be taken back first. */
static bool
find_undo(struct plan *plan, struct plan_step *step)
{
	while (plan->undo_end > 0 && !may_be_undone(plan->items[plan->undo_end - 1]))
		plan->undo_end--;
	if (plan->undo_end == 0)
		return false;
	*step = (struct plan_step){ PLAN_UNDO, plan->items[plan->undo_end - 1] };
	return true;
}

static struct plan_step
next_giving_up(struct plan *plan)
{
	struct plan_step step = nothing;

	if (!find(plan, CHOICE_CANCEL, PLAN_CANCEL, &step) && plan->policy == PLAN_ALL)
		find_undo(plan, &step);
	return step;
}

/* What is on its way already needs no place in the window: it only loses its hold. */
static struct plan_step
next_of_each(struct plan *plan)
{
	struct plan_step step = nothing;

	if (!find_completion(plan, CHOICE_EACH_SENT, &step) && count(plan, ITEM_COMMITTING) < PLAN_WINDOW)
		find_completion(plan, CHOICE_EACH_KEPT, &step);
	return step;
}

/* Phase 1. */
static struct plan_step
next_prepare(struct plan *plan)
{
	struct plan_step step = nothing;

	if (count(plan, ITEM_SENDING) < PLAN_WINDOW)
		find(plan, CHOICE_PREPARE, PLAN_PREPARE, &step);
	return step;
}

static bool
must_wait_for_prepare(const struct plan *plan)
{
	return plan->in_state[RANK_RENAME][ITEM_KEPT] > 0 || count(plan, ITEM_COLLECTING) > 0 ||
		count(plan, ITEM_STREAMING) > 0 || count(plan, ITEM_SENDING) > 0;
}

/* Phase 2. */
static struct plan_step
next_rename(struct plan *plan)
{
	struct plan_step step = nothing;

	find(plan, CHOICE_RENAME, PLAN_COMPLETE, &step);
	return step;
}

/* Phase 3. */
static struct plan_step
next_store(struct plan *plan)
{
	size_t window = plan->in_state[RANK_STORE][ITEM_COMMITTED] == 0 ? 1 : PLAN_WINDOW;
	struct plan_step step = nothing;

	if (count(plan, ITEM_COMMITTING) >= window)
		return nothing;
	for (int choice = CHOICE_STORE; choice < CHOICE_STORE + N_STORE_CHOICES; choice++)
		if (find_completion(plan, choice, &step))
			break;
	return step;
}

static struct plan_step
next_of_all(struct plan *plan, enum txn_goal goal)
{
	if (must_wait_for_prepare(plan))
		return next_prepare(plan);
	if (goal == TXN_PREPARE)
		return nothing;
	return count_uncommitted(plan, RANK_RENAME) > 0 ? next_rename(plan) : next_store(plan);
}

struct plan_step
plan_next(struct plan *plan, enum txn_goal goal)
{
	if (goal == TXN_GIVE_UP || plan->n_failed > 0)
		return next_giving_up(plan);
	return plan->policy == PLAN_EACH ? next_of_each(plan) : next_of_all(plan, goal);
}

bool
plan_is_over(struct plan *plan, enum txn_goal goal)
{
	if (count(plan, ITEM_SENDING) + count(plan, ITEM_COMMITTING) + count(plan, ITEM_CANCELLING) +
			count(plan, ITEM_UNDOING) >
		0)
		return false;
	return plan_next(plan, goal).verb == PLAN_NOTHING;
}

bool
plan_has_failed(const struct plan *plan)
{
	return plan->n_failed > 0;
}

bool
plan_is_whole(const struct plan *plan)
{
	for (int rank = 0; rank < N_RANKS; rank++)
		if (count_uncommitted(plan, (enum plan_rank)rank) > 0)
			return false;
	return true;
}
