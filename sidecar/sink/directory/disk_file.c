// SPDX-License-Identifier: MIT
/* disk_file.c - the life of one file on the disk thread. Each file takes a few chunks per turn and then tells itself to go
 * on, so that one upload does not hold the others up. */
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "channel/keep.h"
#include "sink/directory/disk_priv.h"
#include "sink/directory/folders.h"

#define CHUNKS_PER_TURN 8

static const unsigned may_become[] = {
	[FILE_READY] = BIT(FILE_SENDING) | BIT(FILE_ENDED),
	[FILE_SENDING] = BIT(FILE_SYNCING) | BIT(FILE_ENDED),
	[FILE_SYNCING] = BIT(FILE_HELD) | BIT(FILE_ENDED),
	[FILE_HELD] = BIT(FILE_SETTLING) | BIT(FILE_ENDED),
	[FILE_SETTLING] = BIT(FILE_ENDED),
	[FILE_ENDED] = 0,
};

static void
file_move(struct file *file, enum file_state to)
{
	must(state_may_become(may_become, (int)file->state, (int)to));
	file->state = to;
}

/* -- the end ------------------------------------------------------------------------------------------ */

static void
end(struct file *file, enum outcome_state outcome)
{
	file->order->outcome.state = outcome;
	if (outcome != OUTCOME_COMMITTED)
		new_file_close(&file->file); /* before anybody is told that nothing is left */
	file_move(file, FILE_ENDED);
	channel_report(file->channel, CHANNEL_ENDED);
}

static void
undo(struct file *file)
{
	struct outcome *outcome = &file->order->outcome;

	if (new_file_undo(&file->file, &outcome->undo_error)) {
		outcome->state = OUTCOME_UNDONE;
		new_file_close(&file->file);
	}
	channel_report(file->channel, CHANNEL_UNDONE);
}

static void
file_free(struct file *file)
{
	struct disk *disk = file->disk;

	must(file->state == FILE_ENDED);
	new_file_close(&file->file);
	channel_free(file->channel);
	table_release(file->table);
	counter_sub(&disk->files, 1);
	mem_free(file);
	if (disk->is_stopping && counter_read(&disk->files) == 0)
		loop_stop(disk->loop);
}

/* -- writing ------------------------------------------------------------------------------------------ */

static bool
write_chunks(struct file *file, bool *more)
{
	struct error *err = &file->order->outcome.error;

	for (int i = 0; i < CHUNKS_PER_TURN; i++) {
		struct chunk *chunk = channel_pop(file->channel);
		bool ok;

		*more = chunk != NULL;
		if (chunk == NULL)
			return true;
		ok = new_file_write(&file->file, chunk->data, chunk->end, err);
		pool_give(file->disk->pool, chunk);
		if (!ok)
			return false;
	}
	return true;
}

static bool
write_kept(struct file *file)
{
	const struct kept *kept = &file->order->kept;
	size_t len;

	for (uint64_t at = 0; at < kept->length; at += len) {
		const char *data = kept_at(kept, at, &len);

		if (!new_file_write(&file->file, data, len, &file->order->outcome.error))
			return false;
	}
	return true;
}

static struct file *
file_of(const struct order_group *group, size_t i)
{
	struct file *file = group->orders[i]->transfer;

	must(file->state == FILE_HELD);
	return file;
}

static struct new_file *
link_group(const struct order_group *group)
{
	struct new_file *before = NULL, *first = NULL;

	for (size_t i = 0; i < group->n; i++) {
		struct new_file *file = &file_of(group, i)->file;

		file->target = group->orders[i]->target;
		file->before = before;
		file->next = NULL;
		if (before != NULL)
			before->next = file;
		else
			first = file;
		before = file;
	}
	return first;
}

/* A file whose commit spans more than itself has a journal, like a group. */
static void
settle_with_journal(struct file *file)
{
	struct order *order = file->order;
	struct new_file *failed;

	file->file.target = order->target;
	new_files_commit(&file->file, order->entry, &failed, &order->outcome.error);
}

/* The first of the group to be told settles the fate of all. Its error is that of the one at which it failed. */
static void
settle_group(struct order_group *group, struct state_entry *entry)
{
	struct error err = { 0 };
	struct new_file *first = link_group(group), *failed;

	group->is_settled = true;
	if (new_files_commit(first, entry, &failed, &err))
		return;
	for (size_t i = 0; i < group->n; i++)
		if (&file_of(group, i)->file == (failed != NULL ? failed : first))
			group->orders[i]->outcome.error = err;
}

static enum outcome_state
outcome_of(const struct file *file)
{
	if (!file->file.is_visible)
		return OUTCOME_ABORTED;
	return error_is_set(&file->order->outcome.error) ? OUTCOME_UNKNOWN : OUTCOME_COMMITTED;
}

/* Its name is durable at the end of the turn, with those of others. */
static void
show(struct file *file)
{
	struct order *order = file->order;

	if (!new_file_show(&file->file, order->target, &order->outcome.error)) {
		end(file, outcome_of(file));
		return;
	}
	file_move(file, FILE_SETTLING);
	disk_turn_add(file);
}

static void
complete(struct file *file)
{
	struct order *order = file->order;

	if (order->group == NULL && order->entry == NULL) {
		show(file);
		return;
	}
	if (order->group == NULL)
		settle_with_journal(file);
	else if (!order->group->is_settled)
		settle_group(order->group, order->entry);
	end(file, outcome_of(file));
}

/* Its group may have made it visible already, or itself. */
static void
cancel(struct file *file)
{
	if (file->state == FILE_SYNCING || file->state == FILE_SETTLING)
		disk_turn_drop(file);
	if (file->file.is_visible)
		new_file_undo(&file->file, &file->order->outcome.undo_error);
	end(file, outcome_of(file));
}

void
disk_file_on_durable(struct file *file)
{
	if (!new_file_is_written(&file->file, &file->order->outcome.error)) {
		end(file, OUTCOME_ABORTED);
		return;
	}
	file_move(file, FILE_HELD);
	if (file->is_committed)
		complete(file);
	else
		channel_report(file->channel, CHANNEL_PREPARED);
}

void
disk_file_on_settled(struct file *file)
{
	if (!new_file_is_settled(&file->file, &file->order->outcome.error))
		new_file_hide(&file->file);
	end(file, outcome_of(file));
}

/* -- orders ------------------------------------------------------------------------------------------- */

static void
prepare(struct file *file)
{
	file_move(file, FILE_SYNCING);
	disk_turn_add(file);
}

/* Takes what is in the channel, a few chunks at a time, until it is empty: then waits, or is done. */
static void
go_on(struct file *file)
{
	bool finished = channel_is_finished(file->channel); /* before looking for the last chunks */
	bool more = false;

	if (!write_chunks(file, &more))
		end(file, OUTCOME_ABORTED);
	else if (more)
		channel_tell(file->channel, CHANNEL_DATA); /* to ourselves: the others come first */
	else if (finished)
		prepare(file);
	else if (!channel_want_data(file->channel))
		channel_tell(file->channel, CHANNEL_DATA);
}

static struct home *
home_of(const struct file *file)
{
	const struct table *table = file->table;

	return folders_home(
		sink_opened(table, file->order->to->kind), (size_t)(file->order->to - table->config->destinations));
}

static bool
create(struct file *file)
{
	if (!new_file_create(&file->file, home_of(file), file->order->to, &file->order->outcome.error))
		return false;
	file->file.shown = &file->disk->shown;
	file->file.form = file->order->form;
	file->file.syncer = file->disk->syncer;
	return true;
}

static void
start(struct file *file)
{
	struct order *order = file->order;

	file_move(file, FILE_SENDING);
	if (!create(file))
		end(file, OUTCOME_ABORTED);
	else if (!order->is_kept)
		go_on(file);
	else if (write_kept(file))
		prepare(file);
	else
		end(file, OUTCOME_ABORTED);
}

void
disk_file_on_orders(void *arg, unsigned orders)
{
	struct file *file = arg;

	file->is_committed = file->is_committed || (orders & CHANNEL_COMMIT) != 0;
	if ((orders & CHANNEL_CANCEL) && file->state != FILE_ENDED) {
		cancel(file);
		return;
	}
	if ((orders & CHANNEL_START) && file->state == FILE_READY)
		start(file);
	else if (file->state == FILE_SENDING && (orders & (CHANNEL_DATA | CHANNEL_FINISH)))
		go_on(file);
	else if (file->state == FILE_HELD && (orders & CHANNEL_COMMIT))
		complete(file);
	if (orders & CHANNEL_UNDO)
		undo(file);
	if (orders & CHANNEL_CLOSE)
		file_free(file);
}
