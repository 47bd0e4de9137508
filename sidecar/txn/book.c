// SPDX-License-Identifier: MIT
/* book.c - see book.h. */
#include "txn/book.h"

#include "base/must.h"
#include "base/state.h"
#include "config/kind.h"
#include "txn/txn.h"

#include <string.h>

static const unsigned may_become[] = {
	[BOOK_CLOSED] = BIT(BOOK_TELLING),
	[BOOK_TELLING] = BIT(BOOK_TOLD) | BIT(BOOK_CLOSED),
	[BOOK_TOLD] = BIT(BOOK_ENDING) | BIT(BOOK_CLOSED) | BIT(BOOK_LEFT),
	[BOOK_ENDING] = BIT(BOOK_CLOSED) | BIT(BOOK_TOLD),
	[BOOK_LEFT] = 0,
};

static void
book_move(struct book *book, enum book_state to)
{
	must(state_may_become(may_become, (int)book->is, (int)to));
	book->is = to;
}

void
book_init(struct book *book, struct error *error, void (*on_news)(void *arg), void *arg)
{
	*book = (struct book){ .error = error, .on_news = on_news, .arg = arg };
}

void
book_fini(struct book *book)
{
	must(book->is != BOOK_TELLING && book->is != BOOK_ENDING);
	state_entry_release(book->entry);
	book->entry = NULL;
}

/* -- what is told --------------------------------------------------------------------------------------- */

/* Nobody else can have made an object of that name. What a further participant is called is not the rule's to say. */
static bool
has_name_of_ours(const struct delivery *delivery, bool id_is_ours)
{
	const struct rule *rule = delivery->rule;

	for (size_t i = 0; delivery->order.to == rule->to && rule->target != NULL && i < rule->target->n_pieces;
		i++) {
		enum template_kind kind = rule->target->pieces[i].kind;

		if (kind == TEMPLATE_UUID || (kind == TEMPLATE_REQUEST_ID && id_is_ours))
			return true;
	}
	return false;
}

static char
way_back(const struct delivery *delivery, const struct txn_setup *setup)
{
	const struct destination *to = delivery->order.to;

	if (kind_has(to->kind, KIND_LOCAL))
		return RECORD_BACK_FOLDER;
	return to->kind->can_undo(to->settings) && has_name_of_ours(delivery, setup->id_is_ours) ? RECORD_BACK_ASK
												 : RECORD_BACK_TELL;
}

static bool
lasts(const struct delivery *delivery)
{
	return kind_has(delivery->order.to->kind, KIND_LASTS);
}

/* The folder's own journal lets both become visible, or none. */
static bool
is_one_folder(const struct destination *a, const struct destination *b)
{
	return kind_has(a->kind, KIND_LOCAL) && txn_is_one_place(a, b);
}

static bool
needs_one(const struct delivery *first)
{
	const struct destination *one = NULL;

	for (const struct delivery *d = first; d != NULL; d = d->next) {
		if (!lasts(d))
			continue;
		if (one != NULL && !is_one_folder(one, d->order.to))
			return true;
		one = d->order.to;
	}
	return false;
}

/* An upload's id is known once it is prepared. Nothing completes before all are. Another time it goes on where it stopped. */
static bool
is_known(struct book *book, const struct delivery *first)
{
	const struct delivery *d = book->unknown != NULL ? book->unknown : first;

	while (d != NULL && (d->item.state != ITEM_SENDING || !kind_has(d->order.to->kind, KIND_UPLOADS)))
		d = d->next;
	book->unknown = d;
	return d == NULL;
}

static void
add(struct state_entry *entry, const struct delivery *delivery, const struct txn_setup *setup)
{
	const struct destination *to = delivery->order.to;

	state_entry_add(entry,
		&(struct record_object){ .destination = to->name,
			.at = to->at != NULL ? to->at : "",
			.target = delivery->target.data != NULL ? delivery->target.data : "",
			.back = way_back(delivery, setup),
			.upload = delivery->order.upload });
}

static void
on_answer(void *arg, const struct error *err)
{
	struct book *book = arg;

	if (err != NULL)
		error_keep_first(book->error, err);
	if (book->is == BOOK_TELLING)
		book_move(book, err == NULL ? BOOK_TOLD : BOOK_CLOSED);
	else
		book_move(book, err == NULL ? BOOK_CLOSED : BOOK_TOLD);
	book->on_news(book->arg);
}

void
book_open(struct book *book, const struct txn_setup *setup, const struct delivery *first)
{
	bool is_wanted = setup->state != NULL && setup->policy == PLAN_ALL;

	if (book->was_opened || (is_wanted && !is_known(book, first)))
		return;
	book->was_opened = true;
	if (!is_wanted || !needs_one(first))
		return;
	book->entry = state_entry_new(setup->state, setup->box, on_answer, book);
	for (const struct delivery *d = first; d != NULL && book->entry != NULL; d = d->next)
		if (lasts(d))
			add(book->entry, d, setup);
	if (book->entry == NULL || !state_entry_tell(book->entry))
		error_nomem(book->error);
	else
		book_move(book, BOOK_TELLING);
}

bool
book_must_wait(const struct book *book)
{
	return book->is == BOOK_TELLING;
}

/* -- the end -------------------------------------------------------------------------------------------- */

static bool
may_be_there(const struct delivery *first)
{
	for (const struct delivery *d = first; d != NULL; d = d->next) {
		enum outcome_state outcome = d->order.outcome.state;

		if (lasts(d) && (outcome == OUTCOME_COMMITTED || outcome == OUTCOME_UNKNOWN))
			return true;
	}
	return false;
}

/* With an error the journal could not be told that it is whole, and nothing can be taken back. */
bool
book_close(struct book *book, bool is_whole, const struct delivery *first)
{
	if (book->is != BOOK_TOLD)
		return book->is == BOOK_CLOSED || book->is == BOOK_LEFT;
	if (is_whole && !error_is_set(book->error)) {
		book_move(book, BOOK_ENDING);
		state_entry_done(book->entry);
		return false;
	}
	if (may_be_there(first)) {
		book_move(book, BOOK_LEFT);
		return true;
	}
	book_move(book, BOOK_CLOSED);
	state_entry_forget(book->entry);
	return true;
}
