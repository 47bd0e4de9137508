// SPDX-License-Identifier: MIT
/* s3_parts.c - a stream on its way: what comes through the channel is gathered in parts, and each part that is full goes by
 * UploadPart, several at the same time.
 *
 * The first part has the memory that the form reserved before its body was asked for, and gives it back when its request is
 * answered; so there is always memory for a stream that gathers. More parts are made only while memory is not short. If there is
 * no part for the bytes that come, the channel fills up, and the client waits. */
#include "base/mem.h"
#include "sink/s3/s3_late.h"

#include <inttypes.h>
#include <string.h>

static void on_part_end(void *arg, const struct s3_reply *reply);

static size_t
count_parts(const struct s3 *s3)
{
	size_t n = 0;

	for (size_t i = 0; i <= s3_to(s3)->in_flight; i++)
		n += s3->parts[i] != NULL;
	return n;
}

static void
drop_part(struct s3 *s3, struct s3_part *part)
{
	for (size_t i = 0; i <= S3_IN_FLIGHT_MAX; i++)
		if (s3->parts[i] == part)
			s3->parts[i] = NULL;
	s3_part_free(part);
}

/* -- a part is sent -------------------------------------------------------------------------------------- */

/* The one with the lowest number first. */
static struct s3_part *
next_full(const struct s3 *s3)
{
	struct s3_part *next = NULL;
	size_t n_sending = 0;

	for (size_t i = 0; i <= s3_to(s3)->in_flight; i++) {
		struct s3_part *part = s3->parts[i];

		n_sending += part != NULL && part->state == S3_PART_SENDING;
		if (part != NULL && part->state == S3_PART_FULL && (next == NULL || part->number < next->number))
			next = part;
	}
	return n_sending < s3_to(s3)->in_flight ? next : NULL;
}

/* False: s3 has failed, and must not be touched any more. */
static bool
send_all(struct s3 *s3)
{
	struct error error = { 0 };
	struct s3_part *part;

	while (s3->state == S3_SENDING && (part = next_full(s3)) != NULL)
		if (!s3_part_send(part, &error)) {
			s3_fail(s3, &error);
			return false;
		}
	return true;
}

/* -- a part is acknowledged ------------------------------------------------------------------------------- */

static bool
make_room(struct s3 *s3, unsigned number)
{
	size_t room = s3->room == 0 ? 16 : s3->room * 2;
	struct s3_receipt *more;

	if (number <= s3->room)
		return true;
	more = mem_resize(s3->receipts, room, sizeof *more);
	if (more == NULL)
		return false;
	memset(more + s3->room, 0, (room - s3->room) * sizeof *more);
	s3->receipts = more;
	s3->room = room;
	return true;
}

/* Without the ETags of its parts an upload cannot be completed. They go into an XML document, so they must be plain bytes. */
static bool
is_etag(const char *etag)
{
	for (const char *c = etag; *c != '\0'; c++)
		if (*c < 0x20 || *c >= 0x7f || strchr("<>&", *c) != NULL)
			return false;
	return etag[0] != '\0';
}

static bool
keep_receipt(struct s3_part *part, const struct s3_reply *reply, struct error *err)
{
	struct s3_receipt *receipt = &part->s3->receipts[part->number - 1];

	if (!is_etag(reply->etag))
		return error_set(err, ERR_UPSTREAM,
			"destination \"%s\": UploadPart was answered %u without an ETag that can be used",
			part->s3->order->to->name, reply->status);
	memcpy(receipt->etag, reply->etag, sizeof receipt->etag);
	memcpy(receipt->sum, part->digest.base64, sizeof receipt->sum);
	return true;
}

static bool
is_all_away(const struct s3 *s3)
{
	if (!s3->is_gathered)
		return false;
	for (size_t i = 0; i <= s3_to(s3)->in_flight; i++)
		if (s3->parts[i] != NULL && s3->parts[i]->state != S3_PART_EMPTY)
			return false;
	return true;
}

/* Reserved memory is given back, because other streams of the form wait for it. Without a reserve the last part stays for the bytes
 * to come. */
static void
on_part_end(void *arg, const struct s3_reply *reply)
{
	struct s3_part *part = arg;
	struct s3 *s3 = part->s3;
	struct error error = reply->error;

	if (part->state == S3_PART_LATE) {
		s3_late_end(part, reply);
		return;
	}
	if (reply->fate != S3_DONE || !keep_receipt(part, reply, &error)) {
		s3->order->outcome.status = reply->status;
		s3->order->outcome.retry_after_s = retry_after_seconds(&reply->later);
		s3_fail(s3, &error);
		return;
	}
	s3_part_empty(part);
	s3_part_move(part, S3_PART_EMPTY);
	if (count_parts(s3) > 1 || s3->is_gathered || s3->order->reserve != NULL)
		drop_part(s3, part);
	s3_parts_gather(s3);
}

/* -- gathering -------------------------------------------------------------------------------------------- */

static struct s3_part *
find(const struct s3 *s3, enum s3_part_state state)
{
	for (size_t i = 0; i <= s3_to(s3)->in_flight; i++)
		if (s3->parts[i] != NULL && s3->parts[i]->state == state)
			return s3->parts[i];
	return NULL;
}

/* Only while the pool is not short. */
static struct s3_part *
make_another(struct s3 *s3)
{
	struct error none = { 0 };

	for (size_t i = 0; i <= s3_to(s3)->in_flight; i++) {
		if (s3->parts[i] != NULL)
			continue;
		s3->parts[i] = s3_part_new(s3, false, on_part_end, &none);
		if (s3->parts[i] != NULL && pool_shortage(s3->pool) > 0)
			drop_part(s3, s3->parts[i]);
		return s3->parts[i];
	}
	return NULL;
}

static bool
begin_part(struct s3_part *part, struct error *err)
{
	struct s3 *s3 = part->s3;

	if (s3->n_parts == S3_PARTS_MAX)
		return error_set(err, ERR_TOO_LARGE, "destination \"%s\": more than %u parts of %" PRIu64 " bytes",
			s3->order->to->name, S3_PARTS_MAX, s3->part_size);
	if (!make_room(s3, s3->n_parts + 1))
		return error_nomem(err);
	if (!s3_sum_begin(&part->sum, s3_to(s3)->checksum, err))
		return false;
	part->number = ++s3->n_parts;
	s3_part_move(part, S3_PART_FILLING);
	return true;
}

/* The form's other parts may have all of its reserve. Then what is free for all is tried. NULL without an error: the channel is
 * told when there is memory. */
static struct s3_part *
make_first(struct s3 *s3, struct error *err)
{
	bool is_reserved = s3->order->reserve != NULL;
	struct error none = { 0 };

	s3->parts[0] = s3_part_new(s3, is_reserved, on_part_end, &none);
	if (s3->parts[0] == NULL && is_reserved && none.kind == ERR_BUSY)
		return make_another(s3);
	if (s3->parts[0] == NULL)
		*err = none;
	return s3->parts[0];
}

/* The part that the next byte goes into. NULL: there is no memory now, or *failed. */
static struct s3_part *
part_for_more(struct s3 *s3, bool *failed)
{
	struct s3_part *part = find(s3, S3_PART_FILLING);
	struct error error = { 0 };

	if (part != NULL)
		return part;
	part = find(s3, S3_PART_EMPTY);
	if (part == NULL)
		part = count_parts(s3) > 0 ? make_another(s3) : make_first(s3, &error);
	if (!error_is_set(&error) && (part == NULL || begin_part(part, &error)))
		return part;
	*failed = true;
	s3_fail(s3, &error);
	return NULL;
}

static void
fill_up(struct s3_part *part)
{
	s3_sum_end(&part->sum, &part->digest);
	if (part->digest.kind == S3_SUM_CRC32C || part->digest.kind == S3_SUM_CRC64NVME)
		s3_digest_join(&part->s3->whole, &part->digest, part->size);
	s3_part_move(part, S3_PART_FULL);
}

/* No byte comes any more. Memory that waits for bytes is given back at once, because the form's next file will want it. */
static void
trim(struct s3 *s3)
{
	for (size_t i = 0; i <= s3_to(s3)->in_flight; i++) {
		struct s3_part *part = s3->parts[i];

		if (part != NULL && part->state == S3_PART_EMPTY)
			drop_part(s3, part);
		else if (part != NULL)
			s3_part_trim(part);
	}
}

/* An object of no bytes has one part without bytes. False: s3 has failed. */
static bool
finish(struct s3 *s3)
{
	bool failed = false;
	struct s3_part *part = s3->n_parts > 0 ? find(s3, S3_PART_FILLING) : part_for_more(s3, &failed);

	if (failed || (part == NULL && s3->n_parts == 0))
		return !failed; /* no memory for it yet */
	s3->is_gathered = true;
	if (part != NULL)
		fill_up(part);
	trim(s3);
	return true;
}

static bool
is_gathering(const struct s3 *s3)
{
	return (s3->state == S3_CREATING || s3->state == S3_SENDING) && !s3->is_gathered;
}

/* False: s3 has failed. */
static bool
gather(struct s3 *s3)
{
	bool failed = false;

	while (is_gathering(s3)) {
		bool finished = channel_is_finished(s3->channel); /* before looking for the last chunks */
		struct s3_part *part;

		if (s3->rest == NULL) {
			s3->rest = channel_pop(s3->channel);
			s3->rest_at = 0;
		}
		if (s3->rest == NULL && finished)
			return finish(s3);
		if (s3->rest == NULL && channel_want_data(s3->channel))
			return true;
		if (s3->rest == NULL)
			continue;
		part = part_for_more(s3, &failed);
		if (part == NULL)
			return !failed;
		s3_part_add(part);
		if (part->size < s3->part_size)
			continue;
		fill_up(part);
		if (!send_all(s3))
			return false;
	}
	return true;
}

void
s3_parts_gather(struct s3 *s3)
{
	if (!gather(s3) || !send_all(s3))
		return;
	if (s3->state == S3_SENDING && is_all_away(s3)) {
		s3_parts_drop(s3);
		s3_on_all_away(s3);
	}
}
