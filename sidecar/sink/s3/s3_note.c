// SPDX-License-Identifier: MIT
/* s3_note.c - see s3_note.h. */
#include "sink/s3/s3_note.h"

#include "sink/s3/s3_open.h"
#include "state/state.h"

static void
add_upload(const struct s3 *s3)
{
	const struct destination *to = s3->order->to;

	state_entry_add(s3->note,
		&(struct record_object){ .destination = to->name,
			.at = to->at != NULL ? to->at : "",
			.target = s3->order->target,
			.back = RECORD_BACK_UPLOAD,
			.upload = s3->upload.data });
}

/* Without memory it goes on all the same: an upload that is not in the journal is found by a sweep. */
void
s3_note(struct s3 *s3)
{
	struct state *state = s3_open_state(s3->order->table);

	if (state == NULL || s3->note != NULL)
		return;
	s3->note = state_entry_new(state, loop_mailbox(s3->object.engine->loop), NULL, NULL);
	if (s3->note == NULL)
		return;
	add_upload(s3);
	if (state_entry_mention(s3->note))
		return;
	state_entry_release(s3->note);
	s3->note = NULL;
}

void
s3_note_end(struct s3 *s3)
{
	if (s3->note == NULL)
		return;
	if (s3->is_upload_gone || s3->is_abort_refused || s3->order->outcome.state == OUTCOME_COMMITTED)
		state_entry_forget(s3->note);
	state_entry_release(s3->note);
	s3->note = NULL;
}
