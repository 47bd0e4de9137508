// SPDX-License-Identifier: MIT
/* A transaction with sinks that a test plays: what they are told, in which order, and what becomes of a form when they say
 * no. Both sides live on this thread; news and orders wait in a mailbox that play() delivers. */
#include "txn/txn.h"

#include "base/mem.h"
#include "base/whole_file.h"
#include "state/record.h"

#include "lib/check.h"
#include "lib/folder.h"
#include "loop/loop.h"
#include "sink/directory/settings.h"
#include "sink/discard/settings.h"
#include "sink/http/settings.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX 16

struct fake {
	struct world *world;
	struct order *order;
	struct channel *channel;
	unsigned told; /* all orders so far */
	bool has_ended;
};

struct world {
	struct loop *loop;
	struct pool *pool;
	struct blocks *blocks;
	struct outlets outlets;
	struct destination store, folder, other_folder, undoable;
	struct http_settings settings, undo_settings;
	struct rule to_store, to_folder, to_other_folder, to_undoable;
	struct state *state; /* NULL: no journal of commits */
	struct mail state_turn;
	struct txn *txn;
	struct fake fakes[MAX];
	size_t n;
	const struct order *refuses_to_open, *fails_to_commit, *fails_to_undo;
	size_t fails_at; /* how many may complete before one fails; SIZE_MAX: all */
	size_t completed;
	bool owes_answers; /* COMMIT is not answered */
	unsigned n_news;
	char log[400]; /* "0S 1S 0C ...": number of the fake and what it was told first */
};

static void
note(struct fake *fake, char what)
{
	size_t at = strlen(fake->world->log);

	snprintf(fake->world->log + at, sizeof fake->world->log - at, "%s%d%c", at > 0 ? " " : "",
		(int)(fake - fake->world->fakes), what);
}

static void
end(struct fake *fake, enum outcome_state state)
{
	fake->order->outcome.state = state;
	fake->has_ended = true;
	channel_report(fake->channel, CHANNEL_ENDED);
}

static void
complete(struct fake *fake)
{
	if (fake->world->completed++ < fake->world->fails_at) {
		end(fake, OUTCOME_COMMITTED);
		return;
	}
	error_set(&fake->order->outcome.error, ERR_UPSTREAM, "it said no");
	end(fake, OUTCOME_ABORTED);
}

static void
undo(struct fake *fake)
{
	note(fake, 'U');
	if (fake->order == fake->world->fails_to_undo)
		error_set(&fake->order->outcome.undo_error, ERR_UPSTREAM, "it could not be taken back");
	else
		fake->order->outcome.state = OUTCOME_UNDONE;
	channel_report(fake->channel, CHANNEL_UNDONE);
}

static void
on_orders(void *arg, unsigned orders)
{
	struct fake *fake = arg;

	fake->told |= orders;
	if (orders & CHANNEL_START)
		note(fake, 'S');
	if ((orders & CHANNEL_CANCEL) && !fake->has_ended) {
		note(fake, 'X');
		end(fake, (fake->told & CHANNEL_COMMIT) ? OUTCOME_UNKNOWN : OUTCOME_ABORTED);
		return;
	}
	if ((orders & CHANNEL_FINISH) && !(fake->told & CHANNEL_COMMIT))
		channel_report(fake->channel, CHANNEL_PREPARED);
	if ((orders & CHANNEL_COMMIT) && !fake->world->owes_answers) {
		note(fake, 'C');
		complete(fake);
	}
	if (orders & CHANNEL_UNDO)
		undo(fake);
	if (orders & CHANNEL_CLOSE)
		channel_free(fake->channel);
}

static bool
open_fake(void *arg, struct order *order, const struct channel_side *producer, struct error *err)
{
	struct world *world = arg;
	struct fake *fake = &world->fakes[world->n];
	struct channel_side consumer = { .box = loop_mailbox(world->loop), .on_mail = on_orders, .arg = fake };

	if (order == world->refuses_to_open)
		return error_set(err, ERR_SYSTEM, "no descriptor is left");
	assert_true(world->n < MAX);
	*fake = (struct fake){ .world = world, .order = order };
	fake->channel = order->channel = channel_new(world->pool, producer, &consumer, order->slots, err);
	world->n += fake->channel != NULL;
	return fake->channel != NULL;
}

static size_t
cost_fake(void *arg, const struct order *order)
{
	(void)arg;
	return order->unit;
}

static void
pump_fake(void *arg, struct order *order)
{
	(void)arg;
	(void)order;
}

static void
on_news(void *arg)
{
	((struct world *)arg)->n_news++;
}

static void
set_up_with(struct world *world, enum plan_policy policy, struct state *state)
{
	struct error err = { 0 };

	*world = (struct world){ .fails_at = SIZE_MAX, .state = state };
	world->loop = loop_new(&err);
	world->pool = pool_new(4 << 20, &err);
	assert_non_null(world->loop);
	assert_non_null(world->pool);
	world->blocks = blocks_new(world->pool);
	assert_non_null(world->blocks);
	world->outlets = (struct outlets){ .arg = world, .cost = cost_fake, .open = open_fake, .pump = pump_fake };
	world->store = (struct destination){
		.kind = &http_kind, .settings = &world->settings.common, .name = (char *)(uintptr_t) "store"
	};
	world->undoable = world->store;
	world->undo_settings.undo_delete = true;
	world->undoable.settings = &world->undo_settings.common;
	world->folder = (struct destination){ .kind = &directory_kind, .name = (char *)(uintptr_t) "folder" };
	world->folder.at = (char *)(uintptr_t) "/one";
	world->other_folder = world->folder;
	world->other_folder.at = (char *)(uintptr_t) "/other";
	world->to_store = (struct rule){ .to = &world->store };
	world->to_undoable = (struct rule){ .to = &world->undoable };
	world->to_folder = (struct rule){ .to = &world->folder };
	world->to_other_folder = (struct rule){ .to = &world->other_folder };
	world->txn = txn_new(&(struct txn_setup){ .policy = policy,
				     .outlets = &world->outlets,
				     .state = state,
				     .blocks = world->blocks,
				     .piece = 64 << 10,
				     .box = loop_mailbox(world->loop),
				     .on_news = on_news,
				     .arg = world },
		&err);
	assert_non_null(world->txn);
}

static void
set_up(struct world *world, enum plan_policy policy)
{
	set_up_with(world, policy, NULL);
}

static void
tear_down(struct world *world)
{
	txn_free(world->txn);
	loop_deliver_rest(world->loop); /* CLOSE frees the channels */
	blocks_free(world->blocks);
	pool_free(world->pool);
	loop_free(world->loop);
}

/* A part that was kept whole. */
static struct delivery *
kept(struct world *world, const struct rule *rule)
{
	struct delivery *delivery = txn_add(world->txn, rule);

	assert_non_null(delivery);
	buf_add_text(&delivery->target, "x");
	delivery_finish(delivery);
	return delivery;
}

static struct delivery *
streamed(struct world *world, const struct rule *rule)
{
	struct delivery *delivery = txn_add(world->txn, rule);
	struct error err = { 0 };
	size_t credits = 0;

	assert_non_null(delivery);
	buf_add_text(&delivery->target, "x");
	assert_true(delivery_start_stream(delivery, txn_keep(world->txn), &credits, &err));
	delivery_finish(delivery);
	return delivery;
}

static void
on_state_turn(struct mail *mail, unsigned bits)
{
	struct world *world = (struct world *)((char *)mail - offsetof(struct world, state_turn));

	(void)bits;
	loop_stop(state_loop(world->state));
}

/* What its thread would do now. */
static void
turn_state(struct world *world)
{
	if (world->state == NULL)
		return;
	mail_init(&world->state_turn, on_state_turn);
	mailbox_post(loop_mailbox(state_loop(world->state)), &world->state_turn, 1);
	loop_run(state_loop(world->state));
}

/* Until nothing moves any more. True: the transaction is over. */
static bool
play(struct world *world, bool give_up)
{
	bool is_over = txn_step(world->txn, give_up);

	for (int turns = 0; turns < 100; turns++) {
		turn_state(world);
		loop_deliver_rest(world->loop);
		is_over = txn_step(world->txn, give_up || txn_failure(world->txn) != NULL);
	}
	return is_over;
}

static void
a_form_is_completed_files_first_then_one_store_then_the_others(void **state)
{
	struct world world;

	(void)state;
	set_up(&world, PLAN_ALL);
	kept(&world, &world.to_store);
	kept(&world, &world.to_undoable);
	kept(&world, &world.to_folder);
	streamed(&world, &world.to_store);
	assert_true(play(&world, false));
	assert_true(txn_is_whole(world.txn));
	assert_null(txn_failure(world.txn));
	/* The stream began as it was read; the file was written and renamed; then the held one, that with undo, the other. */
	assert_string_equal(world.log, "0S 1S 1C 0C 2S 2C 3S 3C");
	tear_down(&world);
}

static void
a_failure_takes_back_what_can_be_and_says_why(void **state)
{
	(void)state;
	for (size_t fails_at = 0; fails_at < 3; fails_at++) {
		struct world world;

		set_up(&world, PLAN_ALL);
		kept(&world, &world.to_folder);
		kept(&world, &world.to_undoable);
		kept(&world, &world.to_undoable);
		world.fails_at = fails_at;
		assert_true(play(&world, false));
		assert_false(txn_is_whole(world.txn));
		assert_string_equal(txn_failure(world.txn)->message, "it said no");
		for (struct delivery *d = txn_first(world.txn); d != NULL; d = d->next)
			assert_int_equal(d->item.state, ITEM_GONE);
		tear_down(&world);
	}
}

static void
what_cannot_be_taken_back_is_told(void **state)
{
	struct world world;
	struct delivery *stays;

	(void)state;
	set_up(&world, PLAN_ALL);
	stays = kept(&world, &world.to_undoable);
	kept(&world, &world.to_undoable);
	world.fails_at = 1;
	world.fails_to_undo = &stays->order;
	assert_true(play(&world, false));
	assert_int_equal(stays->item.state, ITEM_COMMITTED);
	assert_true(error_is_set(&stays->order.outcome.undo_error));
	tear_down(&world);
}

static void
one_that_cannot_be_opened_fails_the_form(void **state)
{
	for (int policy = PLAN_ALL; policy <= PLAN_EACH; policy++) {
		struct world world;

		set_up(&world, (enum plan_policy)policy);
		world.refuses_to_open = &kept(&world, &world.to_store)->order;
		assert_true(play(&world, false));
		assert_string_equal(txn_failure(world.txn)->message, "no descriptor is left");
		assert_string_equal(world.log, "");
		tear_down(&world);
	}
	(void)state;
}

static void
each_completes_while_others_are_read(void **state)
{
	struct world world;

	(void)state;
	set_up(&world, PLAN_EACH);
	kept(&world, &world.to_store);
	txn_go_on(world.txn);
	streamed(&world, &world.to_folder);
	txn_go_on(world.txn);
	txn_add(world.txn, &world.to_store); /* is still being read */
	loop_deliver_rest(world.loop);
	loop_deliver_rest(world.loop);
	assert_int_equal(txn_first(world.txn)->item.state, ITEM_COMMITTED);
	assert_int_equal(txn_first(world.txn)->next->item.state, ITEM_COMMITTED);
	assert_true(world.n_news > 0);
	assert_true(play(&world, true));
	assert_int_equal(
		txn_first(world.txn)->item.state, ITEM_COMMITTED); /* and stays, though the form was given up */
	tear_down(&world);
}

static void
with_all_nothing_completes_while_others_are_read(void **state)
{
	struct world world;

	(void)state;
	set_up(&world, PLAN_ALL);
	kept(&world, &world.to_store);
	txn_go_on(world.txn);
	assert_string_equal(world.log, "");
	txn_add(world.txn, &world.to_store);
	assert_false(play(&world, false) && txn_is_whole(world.txn));
	assert_string_equal(world.log, "");
	assert_true(play(&world, true));
	assert_int_equal(world.n, 0);
	tear_down(&world);
}

static void
a_store_that_owes_its_answer_is_not_waited_for_after_a_cut(void **state)
{
	struct world world;
	struct delivery *delivery;

	(void)state;
	set_up(&world, PLAN_ALL);
	delivery = streamed(&world, &world.to_undoable);
	world.owes_answers = true;
	assert_false(play(&world, false));
	assert_int_equal(delivery->item.state, ITEM_COMMITTING);
	txn_cut(world.txn);
	assert_true(play(&world, true));
	assert_int_equal(delivery->order.outcome.state, OUTCOME_UNKNOWN);
	assert_true(delivery->item.has_failed);
	tear_down(&world);
}

/* Nor for one that is just taking back what it had completed. */
static void
a_cut_does_not_wait_for_what_is_taken_back(void **state)
{
	struct world world;
	struct delivery *first;

	(void)state;
	set_up(&world, PLAN_ALL);
	first = kept(&world, &world.to_undoable);
	kept(&world, &world.to_undoable);
	kept(&world, &world.to_folder);
	world.fails_at = 2; /* the file, the first object, and then no more */
	while (first->item.state != ITEM_UNDOING) {
		txn_step(world.txn, txn_failure(world.txn) != NULL);
		if (first->item.state != ITEM_UNDOING)
			loop_deliver_rest(world.loop);
	}
	txn_cut(world.txn); /* a file is waited for all the same */
	assert_true(play(&world, true));
	assert_true(world.fakes[1].told & CHANNEL_CANCEL);
	tear_down(&world);
}

static void
an_answer_that_is_passed_on_has_its_room_before_anything_is_sent(void **state)
{
	(void)state;
	for (int is_short = 0; is_short < 2; is_short++) {
		struct world world;
		struct txn_setup setup;
		struct error err = { 0 };
		size_t n;

		set_up(&world, PLAN_ALL);
		setup = *txn_setup_of(world.txn);
		setup.want_body = true;
		txn_free(world.txn);
		world.txn = txn_new(&setup, &err);
		kept(&world, &world.to_store);
		n = is_short ? pool_keepable(world.pool) - 1 : 0;
		assert_true(pool_reserve(world.pool, n, POOL_KEEP));
		assert_true(play(&world, false));
		assert_int_equal(txn_is_whole(world.txn), !is_short);
		if (is_short)
			assert_string_equal(txn_failure(world.txn)->message,
				"no memory left for the upstream's answer; try again later");
		pool_unreserve(world.pool, n, POOL_KEEP);
		tear_down(&world);
	}
}

static void
a_dry_run_starts_nothing(void **state)
{
	struct txn_setup dry = { .policy = PLAN_EACH };
	struct rule rule = { .to = &(struct destination){ .kind = &directory_kind } };
	struct error err = { 0 };
	struct txn *txn = txn_new(&dry, &err);

	(void)state;
	assert_non_null(txn);
	assert_non_null(txn_add(txn, &rule));
	txn_go_on(txn);
	assert_int_equal(txn_first(txn)->item.state, ITEM_COLLECTING);
	txn_free(txn);
}

/* -- the journal of commits --------------------------------------------------------------------------- */

static struct state *
open_state(int folder)
{
	struct error err = { 0 };
	struct state *state;
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d/state", folder);
	state = state_open(path, &err);
	assert_string_equal(err.message, "");
	return state;
}

static void
end_state(struct world *world)
{
	struct state *state = world->state;

	tear_down(world);
	state_free(state);
}

/* What a later start finds. */
static size_t
left(int folder)
{
	struct state *state = open_state(folder);
	size_t n = state_unsettled(state);

	state_free(state);
	return n;
}

static void
nothing_is_visible_before_the_journal_tells_of_all(void **unused)
{
	int folder = folder_make();
	struct world world;

	(void)unused;
	set_up_with(&world, PLAN_ALL, open_state(folder));
	kept(&world, &world.to_store);
	kept(&world, &world.to_store);
	kept(&world, &world.to_folder);
	for (int i = 0; i < 10; i++) {
		assert_false(txn_step(world.txn, false));
		loop_deliver_rest(world.loop);
	}
	assert_string_equal(world.log, "0S"); /* the file is written, under no name */
	turn_state(&world);
	loop_deliver_rest(world.loop);
	for (int i = 0; i < 10; i++) {
		assert_false(txn_step(world.txn, false)); /* not before the journal knows that all are there */
		loop_deliver_rest(world.loop);
	}
	assert_string_equal(world.log, "0S 0C 1S 1C 2S 2C");
	assert_true(play(&world, false));
	assert_true(txn_is_whole(world.txn));
	assert_null(txn_failure(world.txn));
	end_state(&world);
	assert_int_equal(left(folder), 0);
	folder_remove(folder);
}

static void
what_is_in_one_place_has_no_need_of_the_journal(void **unused)
{
	int folder = folder_make();

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct world world;

		set_up_with(&world, PLAN_ALL, open_state(folder));
		kept(&world, i == 0 ? &world.to_store : &world.to_folder);
		if (i == 1)
			kept(&world, &world.to_folder);
		txn_step(world.txn, false);
		for (int turns = 0; turns < 10; turns++) {
			loop_deliver_rest(world.loop);
			txn_step(world.txn, false);
		}
		assert_true(txn_is_whole(world.txn)); /* though the journal had no turn */
		end_state(&world);
	}
	folder_remove(folder);
}

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_journal_that_cannot_tell_lets_nothing_be_visible(void **unused)
{
	int folder = folder_make();
	struct world world;

	(void)unused;
	set_up_with(&world, PLAN_ALL, open_state(folder));
	kept(&world, &world.to_undoable);
	kept(&world, &world.to_undoable);
	limit_files(20);
	assert_true(play(&world, false));
	limit_files(RLIM_INFINITY);
	assert_string_equal(world.log, "");
	assert_int_equal(txn_failure(world.txn)->kind, ERR_UPSTREAM_FULL);
	end_state(&world);
	assert_int_equal(left(folder), 0);
	folder_remove(folder);
}

static void
a_journal_that_cannot_be_told_of_the_end_takes_all_back(void **unused)
{
	int folder = folder_make();
	struct world world;

	(void)unused;
	set_up_with(&world, PLAN_ALL, open_state(folder));
	kept(&world, &world.to_undoable);
	kept(&world, &world.to_other_folder);
	assert_false(txn_step(world.txn, false));
	turn_state(&world);
	limit_files(20);
	assert_true(play(&world, false));
	limit_files(RLIM_INFINITY);
	assert_string_equal(world.log, "0S 0C 1S 1C 0U 1U");
	assert_int_equal(txn_failure(world.txn)->kind, ERR_UPSTREAM_FULL);
	end_state(&world);
	folder_remove(folder);
}

/* What is thrown away is in no place. */
static void
what_does_not_last_needs_no_journal(void **unused)
{
	struct destination nowhere = { .kind = &discard_kind, .name = (char *)(uintptr_t) "nowhere" };
	struct rule to_nowhere = { .to = &nowhere };
	int folder = folder_make();
	struct world world;

	(void)unused;
	set_up_with(&world, PLAN_ALL, open_state(folder));
	kept(&world, &to_nowhere);
	kept(&world, &world.to_store);
	kept(&world, &to_nowhere);
	txn_step(world.txn, false);
	for (int turns = 0; turns < 10; turns++) {
		loop_deliver_rest(world.loop);
		txn_step(world.txn, false);
	}
	assert_true(txn_is_whole(world.txn)); /* though the journal had no turn */
	end_state(&world);
	folder_remove(folder);
}

static void
a_journal_that_finds_no_memory_lets_nothing_be_visible(void **unused)
{
	bool is_over = false;

	(void)unused;
	for (size_t nth = 1; !is_over; nth++) {
		int folder = folder_make();
		struct world world;

		set_up_with(&world, PLAN_ALL, open_state(folder));
		kept(&world, &world.to_undoable);
		kept(&world, &world.to_undoable);
		mem_fail(nth, 1);
		txn_step(world.txn, false);
		is_over = mem_fail(0, 0) < nth;
		assert_true(play(&world, false));
		assert_int_equal(txn_is_whole(world.txn), is_over);
		if (!is_over) {
			assert_int_equal(txn_failure(world.txn)->kind, ERR_NOMEM);
			assert_null(strchr(world.log, 'C'));
		}
		end_state(&world);
		folder_remove(folder);
	}
}

/* How the journal says that the object of this destination is taken back; 0: it tells of none. */
static char
told_way_back(int folder, const char *destination)
{
	int at = openat(folder, "state", O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(at);
	struct record_object object;
	struct record record;
	char back = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		int fd = openat(at, entry->d_name, O_RDONLY);
		struct buf text = { 0 };
		struct str rest;

		if (entry->d_type == DT_REG && whole_file_read(fd, &text) && text.len > strlen(RECORD_FORMAT)) {
			rest = (struct str){ text.data + strlen(RECORD_FORMAT), text.len - strlen(RECORD_FORMAT) };
			assert_int_equal(record_next(&rest, &record), RECORD_FOUND);
			while (record_next_object(&record.objects, &object))
				if (strcmp(object.destination, destination) == 0)
					back = object.back;
		}
		buf_free(&text);
		close(fd);
	}
	closedir(dir);
	return back;
}

/* What a later start may delete by its name: only what nobody else can have made. */
static void
the_journal_tells_which_names_are_ours(void **unused)
{
	static const struct {
		enum template_kind piece;
		bool id_is_ours;
		char back;
	} rows[] = { { TEMPLATE_UUID, false, RECORD_BACK_ASK }, { TEMPLATE_REQUEST_ID, true, RECORD_BACK_ASK },
		{ TEMPLATE_REQUEST_ID, false, RECORD_BACK_TELL }, { TEMPLATE_PART, true, RECORD_BACK_TELL } };

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct template_piece pieces[] = { { .kind = TEMPLATE_PART }, { .kind = rows[i].piece } };
		struct template target = { .pieces = pieces, .n_pieces = 2 };
		int folder = folder_make();
		static char name[] = "undoable";
		struct txn_setup setup;
		struct error err = { 0 };
		struct world world;

		set_up_with(&world, PLAN_ALL, open_state(folder));
		setup = *txn_setup_of(world.txn);
		setup.id_is_ours = rows[i].id_is_ours;
		txn_free(world.txn);
		world.txn = txn_new(&setup, &err);
		world.undoable.name = name;
		world.to_undoable.target = &target;
		kept(&world, &world.to_undoable);
		kept(&world, &world.to_folder);
		txn_step(world.txn, false);
		turn_state(&world);
		assert_int_equal(told_way_back(folder, name), rows[i].back);
		assert_true(play(&world, false));
		end_state(&world);
		folder_remove(folder);
	}
}

static void
a_form_that_fails_is_forgotten_unless_something_may_be_there(void **unused)
{
	int folder = folder_make();

	(void)unused;
	for (int stays = 0; stays < 2; stays++) {
		struct delivery *first;
		struct world world;

		set_up_with(&world, PLAN_ALL, open_state(folder));
		first = kept(&world, &world.to_undoable);
		kept(&world, &world.to_undoable);
		world.fails_at = 1;
		world.fails_to_undo = stays ? &first->order : NULL;
		assert_true(play(&world, false));
		assert_string_equal(world.log, "0S 0C 1S 1C 0U");
		end_state(&world);
		assert_int_equal(left(folder), stays ? 2 : 0);
	}
	folder_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_is_completed_files_first_then_one_store_then_the_others),
		cmocka_unit_test(a_failure_takes_back_what_can_be_and_says_why),
		cmocka_unit_test(what_cannot_be_taken_back_is_told),
		cmocka_unit_test(one_that_cannot_be_opened_fails_the_form),
		cmocka_unit_test(each_completes_while_others_are_read),
		cmocka_unit_test(with_all_nothing_completes_while_others_are_read),
		cmocka_unit_test(a_store_that_owes_its_answer_is_not_waited_for_after_a_cut),
		cmocka_unit_test(a_cut_does_not_wait_for_what_is_taken_back),
		cmocka_unit_test(an_answer_that_is_passed_on_has_its_room_before_anything_is_sent),
		cmocka_unit_test(a_dry_run_starts_nothing),
		cmocka_unit_test(nothing_is_visible_before_the_journal_tells_of_all),
		cmocka_unit_test(what_is_in_one_place_has_no_need_of_the_journal),
		cmocka_unit_test(a_journal_that_cannot_tell_lets_nothing_be_visible),
		cmocka_unit_test(a_journal_that_cannot_be_told_of_the_end_takes_all_back),
		cmocka_unit_test(what_does_not_last_needs_no_journal),
		cmocka_unit_test(a_journal_that_finds_no_memory_lets_nothing_be_visible),
		cmocka_unit_test(the_journal_tells_which_names_are_ours),
		cmocka_unit_test(a_form_that_fails_is_forgotten_unless_something_may_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
