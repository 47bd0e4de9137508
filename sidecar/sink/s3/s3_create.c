// SPDX-License-Identifier: MIT
/* s3_create.c - how an object that comes in parts begins: CreateMultipartUpload. */
#include "sink/s3/s3_note.h"

static void
on_created(void *arg, const struct s3_reply *reply)
{
	struct s3 *s3 = arg;
	struct str id = s3->call.answer != NULL ? s3_answer_text(s3->call.answer, S3_TEXT_UPLOAD_ID) : STR_NONE;
	struct error error = reply->error;

	if (reply->fate == S3_DONE && id.len > 0)
		s3_escape(&s3->upload, id, false);
	if (s3->upload.failed)
		error_nomem(&error);
	else if (s3->upload.len > 0)
		s3_note(s3);
	if (reply->fate == S3_DONE && reply->is_lost)
		s3_warn_of_lost(s3);
	if (s3->state == S3_ABORTING) { /* it was given up meanwhile */
		s3_abort(s3);
		return;
	}
	if (reply->fate != S3_DONE || error_is_set(&error)) {
		s3_take_reply(s3, reply);
		s3_fail(s3, &error);
		return;
	}
	s3_move(s3, S3_SENDING);
	s3_parts_gather(s3);
}

void
s3_create(struct s3 *s3)
{
	struct error error = { 0 };

	s3_move(s3, S3_CREATING);
	s3_ask_create(s3);
	if (s3_begin_call(s3, on_created, &error))
		s3_parts_gather(s3);
	else
		s3_fail(s3, &error);
}
