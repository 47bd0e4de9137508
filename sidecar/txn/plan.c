// SPDX-License-Identifier: MIT
/* plan.c - see plan.h. How many items stand where is counted as they change, and for each choice it is remembered
 * before which item there is no candidate: items move on and seldom become one again, so all steps together look at each
 * of them a few times. */
#include "txn/plan.h"

static const struct commit_step nothing = { COMMIT_NOTHING, 0 };

/* Order of phase 3: held streams before kept ones, and of each those that can be undone first. */
static int
http_rank(const struct commit_item *item)
{
	if (item->is_file || (item->state != ITEM_PREPARED && item->state != ITEM_KEPT))
		return -1;
	return (item->state == ITEM_KEPT ? 2 : 0) + (item->can_undo ? 0 : 1);
}

static bool
is_candidate(const struct commit_item *item, int choice)
{
	switch (choice) {
	case CHOICE_CANCEL:
		return item->state == ITEM_OPEN || item->state == ITEM_KEPT || item->state == ITEM_SENDING ||
			item->state == ITEM_PREPARED;
	case CHOICE_PREPARE:
		return item->is_file && item->state == ITEM_KEPT;
	case CHOICE_FILE:
		return item->is_file && item->state == ITEM_PREPARED;
	default:
		return http_rank(item) == choice - CHOICE_HTTP;
	}
}

static bool
may_be_undone(const struct commit_item *item)
{
	return item->state == ITEM_COMMITTED && item->can_undo && !item->undo_was_tried;
}

/* -- what is known --------------------------------------------------------------------------------- */

static void
count_in(struct commit *commit, size_t index)
{
	const struct commit_item *item = &commit->items[index];

	commit->in_state[item->is_file][item->state]++;
	commit->n_failed += item->has_failed;
	for (int choice = 0; choice < N_CHOICES; choice++)
		if (index < commit->first[choice] && is_candidate(item, choice))
			commit->first[choice] = index;
	if (index >= commit->undo_end && may_be_undone(item))
		commit->undo_end = index + 1;
}

void
commit_init(struct commit *commit, struct commit_item *items, size_t n)
{
	*commit = (struct commit){ .items = items, .n = n };
	for (int choice = 0; choice < N_CHOICES; choice++)
		commit->first[choice] = n;
	for (size_t i = 0; i < n; i++)
		count_in(commit, i);
}

void
commit_set(struct commit *commit, size_t index, struct commit_item item)
{
	const struct commit_item *before = &commit->items[index];

	commit->in_state[before->is_file][before->state]--;
	commit->n_failed -= before->has_failed;
	commit->items[index] = item;
	count_in(commit, index);
}

static size_t
count(const struct commit *commit, enum commit_state state)
{
	return commit->in_state[false][state] + commit->in_state[true][state];
}

static size_t
count_uncommitted(const struct commit *commit, bool is_file)
{
	size_t n = 0;

	for (int state = 0; state < N_ITEM_STATES; state++)
		n += state != ITEM_COMMITTED ? commit->in_state[is_file][state] : 0;
	return n;
}

/* -- what to do ------------------------------------------------------------------------------------ */

static bool
find(struct commit *commit, int choice, enum commit_verb verb, struct commit_step *step)
{
	size_t *first = &commit->first[choice];

	while (*first < commit->n && !is_candidate(&commit->items[*first], choice))
		(*first)++;
	if (*first == commit->n)
		return false;
	*step = (struct commit_step){ verb, *first };
	return true;
}

/* Undone in the reverse order: of two files that replaced each other, and of a folder made for the first one, only
 * the last to come can be taken back first. */
static bool
find_undo(struct commit *commit, struct commit_step *step)
{
	while (commit->undo_end > 0 && !may_be_undone(&commit->items[commit->undo_end - 1]))
		commit->undo_end--;
	if (commit->undo_end == 0)
		return false;
	*step = (struct commit_step){ COMMIT_UNDO, commit->undo_end - 1 };
	return true;
}

static struct commit_step
next_giving_up(struct commit *commit, bool may_undo)
{
	struct commit_step step = nothing;

	if (!find(commit, CHOICE_CANCEL, COMMIT_CANCEL, &step) && may_undo)
		find_undo(commit, &step);
	return step;
}

/* Phase 1. */
static struct commit_step
next_prepare(struct commit *commit)
{
	struct commit_step step = nothing;

	if (count(commit, ITEM_SENDING) < COMMIT_WINDOW)
		find(commit, CHOICE_PREPARE, COMMIT_PREPARE, &step);
	return step;
}

static bool
must_wait_for_prepare(const struct commit *commit)
{
	return commit->in_state[true][ITEM_KEPT] > 0 || count(commit, ITEM_OPEN) > 0 ||
		count(commit, ITEM_SENDING) > 0;
}

/* Phase 2. */
static struct commit_step
next_file(struct commit *commit)
{
	struct commit_step step = nothing;

	find(commit, CHOICE_FILE, COMMIT_COMPLETE, &step);
	return step;
}

/* Phase 3. */
static struct commit_step
next_http(struct commit *commit)
{
	size_t window = commit->in_state[false][ITEM_COMMITTED] == 0 ? 1 : COMMIT_WINDOW;
	struct commit_step step = nothing;

	if (count(commit, ITEM_COMMITTING) >= window)
		return nothing;
	for (int choice = CHOICE_HTTP; choice < N_CHOICES; choice++)
		if (find(commit, choice, COMMIT_COMPLETE, &step))
			break;
	if (step.verb != COMMIT_NOTHING && commit->items[step.index].state == ITEM_KEPT)
		step.verb = COMMIT_SEND;
	return step;
}

struct commit_step
commit_next(struct commit *commit, bool give_up, bool may_undo)
{
	if (give_up || commit->n_failed > 0)
		return next_giving_up(commit, may_undo);
	if (must_wait_for_prepare(commit))
		return next_prepare(commit);
	if (count_uncommitted(commit, true) > 0)
		return next_file(commit);
	return next_http(commit);
}

bool
commit_is_over(struct commit *commit, bool give_up, bool may_undo)
{
	if (count(commit, ITEM_SENDING) + count(commit, ITEM_COMMITTING) + count(commit, ITEM_CANCELLING) +
			count(commit, ITEM_UNDOING) >
		0)
		return false;
	return commit_next(commit, give_up, may_undo).verb == COMMIT_NOTHING;
}

bool
commit_is_whole(const struct commit *commit)
{
	return count_uncommitted(commit, true) + count_uncommitted(commit, false) == 0;
}
