// SPDX-License-Identifier: MIT
/* s3_put.c - an object that waited in memory: one PutObject at the commit, and nothing before. */
#include "channel/keep.h"
#include "sink/s3/order_priv.h"

static size_t
read_kept(void *arg, char *to, size_t room)
{
	struct s3 *s3 = arg;

	return kept_read(&s3->order->kept, &s3->sent, to, room);
}

static void
rewind_kept(void *arg)
{
	((struct s3 *)arg)->sent = 0;
}

static bool
sum_kept(struct s3 *s3, struct error *err)
{
	const struct kept *kept = &s3->order->kept;
	struct s3_sum sum = { 0 };
	size_t len;

	if (!s3_sum_begin(&sum, s3_to(s3)->checksum, err))
		return false;
	for (uint64_t at = 0; at < kept->length; at += len) {
		const char *data = kept_at(kept, at, &len);

		s3_sum_add(&sum, data, len);
	}
	s3_sum_end(&sum, &s3->digest);
	if (s3->digest.kind == S3_SUM_SHA256)
		s3_digest_hex(&s3->digest, s3->payload);
	return true;
}

/* A request that was sent twice may be answered 412 because of the object that its first try has made. */
static void
on_put(void *arg, const struct s3_reply *reply)
{
	struct s3 *s3 = arg;

	s3->may_come = reply->may_come && reply->error.kind != ERR_EXISTS;
	if (reply->fate == S3_DONE && reply->is_sum_other) {
		s3_delete_wrong(s3, reply);
	} else if (reply->fate == S3_DONE) {
		s3_commit(s3, reply);
	} else if (reply->is_open) {
		s3_look_for(s3, reply);
	} else {
		s3_take_reply(s3, reply);
		s3_fail(s3, &reply->error);
	}
}

static void
set_put_body(struct s3 *s3)
{
	const struct kept *kept = &s3->order->kept;
	size_t len;
	const char *data = kept_at(kept, 0, &len);

	s3->ask.length = kept->length;
	s3->ask.body = len == kept->length ? EXCHANGE_WHOLE : EXCHANGE_READ;
	s3->ask.whole = (struct str){ data, len };
	s3->call.on_read = read_kept;
	s3->call.on_rewind = rewind_kept;
}

void
s3_put(struct s3 *s3)
{
	struct error error = { 0 };
	bool ok = sum_kept(s3, &error);

	s3_move(s3, S3_PUTTING);
	s3_ask_put(s3);
	set_put_body(s3);
	if (!ok || !s3_begin_call(s3, on_put, &error))
		s3_fail(s3, &error);
}
