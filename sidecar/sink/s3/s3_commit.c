// SPDX-License-Identifier: MIT
/* s3_commit.c - what makes an object visible: CompleteMultipartUpload, and HeadObject if it is not known what became of that or of
 * PutObject.
 *
 * Both may be sent again: PutObject puts the same bytes there, and an upload is completed only once. If the answer to one that
 * was carried out is lost, the second one is answered 404 NoSuchUpload, or 412 if `exists: refuse` is in force. Then HeadObject
 * shows whether the object has our id, which it has from the moment that it is there. An ETag would not do, because with some
 * encryption it says nothing of the bytes. */
#include "sink/s3/order_priv.h"

#include <string.h>

void
s3_take_reply(struct s3 *s3, const struct s3_reply *reply)
{
	s3->order->outcome.status = reply->status;
	s3->order->outcome.retry_after_s = retry_after_seconds(&reply->later);
}

/* -- it is there ------------------------------------------------------------------------------------------ */

/* Sets outcome.location to the object's URL, if that fits. */
static void
tell_location(struct s3 *s3)
{
	struct outcome *outcome = &s3->order->outcome;
	size_t at = strlen(s3_to(s3)->peer.url), len = strlen(s3->order->target);

	if (at + len >= sizeof outcome->location)
		return;
	memcpy(outcome->location, s3_to(s3)->peer.url, at);
	memcpy(outcome->location + at, s3->order->target, len + 1);
}

void
s3_commit(struct s3 *s3, const struct s3_reply *reply)
{
	struct outcome *outcome = &s3->order->outcome;

	outcome->state = OUTCOME_COMMITTED;
	outcome->status = reply->status;
	outcome->error = (struct error){ 0 };
	tell_location(s3);
	memcpy(s3->version, reply->version, sizeof s3->version);
	outcome->version = s3->version;
	s3_end(s3);
}

static void
end_unknown(struct s3 *s3)
{
	s3->order->outcome.state = OUTCOME_UNKNOWN;
	error_set(&s3->order->outcome.error, ERR_UPSTREAM, "destination \"%s\": it did not say what became of it",
		s3->order->to->name);
	s3_end(s3);
}

/* -- is it there? ------------------------------------------------------------------------------------------ */

static bool
is_ours(const struct s3 *s3, const struct s3_reply *reply)
{
	return reply->fate == S3_DONE && strcmp(reply->id, s3->id) == 0;
}

/* If our object is not there, a PutObject may still be on its way. An upload that is still there may yet be completed by the
 * request that was lost, so it is aborted first, and then the object is looked at once more. That it is aborted does not say that it
 * was not completed before: some stores (SeaweedFS) say so of uploads that they do not have. */
static void
on_looked(void *arg, const struct s3_reply *reply)
{
	struct s3 *s3 = arg;
	bool is_none = reply->fate == S3_DONE || reply->status == 404;
	struct error error = s3->order->outcome.error;

	if (is_ours(s3, reply))
		s3_commit(s3, reply);
	else if (!is_none && s3->is_complete_open)
		s3_fail(s3, &error); /* after the abort it is looked at once more */
	else if (!is_none || s3->may_come)
		end_unknown(s3);
	else
		s3_fail(s3, &error);
}

void
s3_look(struct s3 *s3)
{
	struct error error = { 0 };

	s3_move(s3, S3_LOOKING);
	s3_ask_head(s3);
	if (!s3_begin_call(s3, on_looked, &error))
		end_unknown(s3);
}

void
s3_look_for(struct s3 *s3, const struct s3_reply *reply)
{
	s3_take_reply(s3, reply);
	s3->order->outcome.error = reply->error;
	s3_look(s3);
}

/* -- what was sent in parts ----------------------------------------------------------------------------------- */

/* The document of ten thousand parts has megabytes, so it is made piece by piece while it is sent. */
static bool
write_piece(struct s3 *s3)
{
	struct buf *piece = &s3->piece;
	const char *word = s3_sum_word(s3_to(s3)->checksum);
	unsigned number = s3->piece_of++;

	buf_clear(piece);
	if (number == 0) {
		buf_add_text(piece, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	} else if (number <= s3->n_parts) {
		const struct s3_receipt *receipt = &s3->receipts[number - 1];

		buf_addf(piece, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag>", number, receipt->etag);
		if (word != NULL)
			buf_addf(piece, "<Checksum%s>%s</Checksum%s>", word, receipt->sum, word);
		buf_add_text(piece, "</Part>");
	} else if (number == s3->n_parts + 1) {
		buf_add_text(piece, "</CompleteMultipartUpload>");
	}
	return piece->len > 0;
}

static void
rewind_document(void *arg)
{
	struct s3 *s3 = arg;

	s3->piece_of = 0;
	s3->piece_sent = 0;
	buf_clear(&s3->piece);
}

static size_t
read_document(void *arg, char *to, size_t room)
{
	struct s3 *s3 = arg;
	size_t done = 0;

	while (done < room) {
		size_t n = s3->piece.len - s3->piece_sent;

		if (n == 0) {
			s3->piece_sent = 0;
			if (!write_piece(s3))
				break;
			continue;
		}
		if (n > room - done)
			n = room - done;
		memcpy(to + done, s3->piece.data + s3->piece_sent, n);
		done += n;
		s3->piece_sent += n;
	}
	return done;
}

static uint64_t
measure_document(struct s3 *s3)
{
	uint64_t length = 0;

	rewind_document(s3);
	while (write_piece(s3))
		length += s3->piece.len;
	return length;
}

/* Only a sum of the whole object is compared, and no sum of its parts' sums. */
static bool
is_whole_sum_right(const struct s3 *s3)
{
	enum s3_sum_kind kind = s3->whole.kind;
	struct str type = s3_answer_text(s3->call.answer, S3_TEXT_CHECKSUM_TYPE);
	struct str sum = s3_answer_text(
		s3->call.answer, kind == S3_SUM_CRC32C ? S3_TEXT_CRC32C : S3_TEXT_CRC64NVME);

	if (s3->whole.len == 0 || sum.len == 0 || !str_is(type, "FULL_OBJECT"))
		return true;
	return str_is(sum, s3->whole.base64);
}

void
s3_delete_wrong(struct s3 *s3, const struct s3_reply *reply)
{
	s3_take_reply(s3, reply);
	memcpy(s3->version, reply->version, sizeof s3->version);
	error_set(&s3->order->outcome.error, ERR_UPSTREAM,
		"destination \"%s\": it has other bytes than it was sent, by its own checksum; the object is deleted",
		s3->order->to->name);
	s3_take_away(s3);
}

static void
on_completed(void *arg, const struct s3_reply *reply)
{
	struct s3 *s3 = arg;

	s3->is_upload_gone = reply->fate == S3_DONE || strcmp(reply->code, "NoSuchUpload") == 0;
	s3->is_complete_open = !s3->is_upload_gone && reply->is_open;
	if (reply->fate == S3_DONE && is_whole_sum_right(s3)) {
		s3_commit(s3, reply);
	} else if (reply->fate == S3_DONE) {
		s3_delete_wrong(s3, reply);
	} else if (reply->is_open || s3->is_upload_gone) {
		s3_look_for(s3, reply);
	} else {
		s3_take_reply(s3, reply);
		s3_fail(s3, &reply->error);
	}
}

void
s3_complete(struct s3 *s3)
{
	struct error error = { 0 };

	s3_move(s3, S3_COMPLETING);
	s3_ask_complete(s3);
	s3->ask.length = measure_document(s3);
	s3->call.on_read = read_document;
	s3->call.on_rewind = rewind_document;
	if (s3->query.failed || s3->piece.failed)
		error_nomem(&error);
	else if (s3_begin_call(s3, on_completed, &error))
		return;
	s3_fail(s3, &error);
}
