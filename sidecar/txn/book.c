// SPDX-License-Identifier: MIT
/* book.c - see book.h. */
#include "txn/book.h"

#include "base/must.h"
#include "base/state.h"
#include "config/kind.h"

#include <string.h>

static const unsigned may_become[] = {
	[BOOK_CLOSED] = BIT(BOOK_TELLING),
	[BOOK_TELLING] = BIT(BOOK_TOLD) | BIT(BOOK_CLOSED),
	[BOOK_TOLD] = BIT(BOOK_NOTING) | BIT(BOOK_ENDING) | BIT(BOOK_CLOSED) | BIT(BOOK_LEFT),
	[BOOK_NOTING] = BIT(BOOK_TOLD),
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
	must(book->is != BOOK_TELLING && book->is != BOOK_NOTING && book->is != BOOK_ENDING);
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
	return kind_has(a->kind, KIND_LOCAL) && kind_is_one_place(a, b);
}

static bool
needs_one(const struct book *book, const struct delivery *first)
{
	const struct destination *one = NULL;

	for (const struct delivery *d = first; d != NULL; d = d->next) {
		if (!lasts(d))
			continue;
		if (book->app != NULL || (one != NULL && !is_one_folder(one, d->order.to)))
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

/* Also where the disk has no verdict the form is given up. */
static void
note_noted(struct book *book, bool ok)
{
	book->is_asked = book->is_asked || (ok && book->noting == RECORD_ASKED);
	book->is_judged = book->is_judged || (book->is == BOOK_NOTING && book->noting != RECORD_ASKED);
}

static enum book_state
state_after(const struct book *book, bool ok)
{
	if (book->is == BOOK_TELLING)
		return ok ? BOOK_TOLD : BOOK_CLOSED;
	return ok && book->is == BOOK_ENDING ? BOOK_CLOSED : BOOK_TOLD;
}

static void
on_answer(void *arg, const struct error *err)
{
	struct book *book = arg;

	note_noted(book, err == NULL);
	book->has_ended = book->is == BOOK_ENDING && err == NULL;
	if (err != NULL && !book->is_judged)
		error_keep_first(book->error, err);
	book_move(book, state_after(book, err == NULL));
	book->on_news(book->arg);
}

static struct state_entry *
new_entry(struct book *book, const struct txn_setup *setup)
{
	const struct txn_app *app = book->app;
	struct state_entry *entry = state_entry_new(setup->state, setup->box, on_answer, book);

	if (entry != NULL && app != NULL)
		state_entry_set_app(entry,
			&(struct record_app){ .destination = app->destination,
				.route = app->route,
				.request_id = setup->request_id,
				.failed = app->failed,
				.resolve = app->resolve,
				.when = app->is_held ? RECORD_HELD : RECORD_COMMITTED });
	return entry;
}

/* What is told of applications that do not answer is kept in memory, so there must be an end to it. */
static bool
may_come(const struct book *book, const struct txn_setup *setup)
{
	char to[STATE_OWING_TO_SIZE];

	if (book->app == NULL || !state_is_owing_much(setup->state))
		return true;
	state_owing_to(setup->state, to);
	return error_set(book->error, ERR_BUSY,
		"%u forms that do not stand, the most that are kept, are still to be told to applications, the last one "
		"to destination \"%s\": it has to answer `failed` with 2xx; try again later",
		STATE_OWING_MAX, to);
}

static void
tell(struct book *book, const struct txn_setup *setup, const struct delivery *first, enum record_kind what)
{
	if (!may_come(book, setup))
		return;
	book->entry = new_entry(book, setup);
	for (const struct delivery *d = first; d != NULL && book->entry != NULL; d = d->next)
		if (lasts(d))
			add(book->entry, d, setup);
	book->noting = what;
	if (book->entry == NULL ||
		!(what == RECORD_ASKED ? state_entry_tell_asked(book->entry) : state_entry_tell(book->entry)))
		error_nomem(book->error);
	else
		book_move(book, BOOK_TELLING);
}

static bool
is_wanted(const struct txn_setup *setup)
{
	return setup->state != NULL && setup->policy == PLAN_ALL;
}

void
book_open(struct book *book, const struct txn_setup *setup, const struct delivery *first)
{
	if (book->was_opened || (is_wanted(setup) && !is_known(book, first)))
		return;
	book->was_opened = true;
	if (is_wanted(setup) && needs_one(book, first))
		tell(book, setup, first, RECORD_INTENT);
}

bool
book_must_wait(const struct book *book)
{
	return book->is == BOOK_TELLING;
}

/* -- the application ---------------------------------------------------------------------------------- */

static void
note(struct book *book, enum record_kind kind)
{
	book->noting = kind;
	book_move(book, BOOK_NOTING);
	state_entry_note(book->entry, kind);
}

/* True: the disk has it, or nothing was told of it. */
static bool
end(struct book *book)
{
	if (book->is == BOOK_TOLD) {
		book_move(book, BOOK_ENDING);
		state_entry_done(book->entry);
	}
	return book->is == BOOK_CLOSED;
}

bool
book_asked(struct book *book, const struct txn_setup *setup, const struct delivery *first)
{
	must(book->app != NULL);
	if (!is_wanted(setup) || error_is_set(book->error) || book->is_asked || book->has_ended)
		return true;
	if (book->app->stays)
		return end(book);
	if (book->entry == NULL) {
		book->was_opened = true;
		tell(book, setup, first, RECORD_ASKED);
	} else if (book->is == BOOK_TOLD) {
		note(book, RECORD_ASKED);
	}
	return error_is_set(book->error);
}

void
book_owe(struct book *book)
{
	book->owes = book->owes || book->is_asked;
}

static bool
needs_verdict(const struct book *book)
{
	return book->is_asked && !book->app->is_held && !book->is_judged;
}

bool
book_may_take_back(struct book *book)
{
	if (book->is == BOOK_TOLD && needs_verdict(book))
		note(book, book->owes ? RECORD_OWED : RECORD_TOLD);
	return book->is != BOOK_NOTING && book->is != BOOK_ENDING;
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

static bool
give_up(struct book *book, bool may_be_there)
{
	if (may_be_there && !book_may_take_back(book)) /* by whoever settles it */
		return false;
	book_move(book, may_be_there ? BOOK_LEFT : BOOK_CLOSED);
	if (book->owes)
		state_entry_owe(book->entry, may_be_there);
	else if (!may_be_there)
		state_entry_forget(book->entry);
	return true;
}

/* With an error the journal could not be told that it is whole, and nothing can be taken back. */
bool
book_close(struct book *book, bool is_whole, const struct delivery *first)
{
	if (book->is != BOOK_TOLD)
		return book->is == BOOK_CLOSED || book->is == BOOK_LEFT;
	if (!is_whole || error_is_set(book->error))
		return give_up(book, may_be_there(first));
	return end(book);
}
