// SPDX-License-Identifier: MIT
/* s3_part.c - one part of a stream: its memory, how it fills, and how it is sent.
 *
 * It has chunks for all of its bytes before the first one comes. A chunk that comes well filled is held in exchange for an empty
 * one, without being copied. So is one that comes with little in it, until the empty ones run short; from then on its bytes are
 * copied. */
#include "sink/s3/s3_part.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"

#include <stdio.h>
#include <string.h>

static const unsigned may_become[] = {
	[S3_PART_EMPTY] = BIT(S3_PART_FILLING),
	[S3_PART_FILLING] = BIT(S3_PART_FULL),
	[S3_PART_FULL] = BIT(S3_PART_SENDING),
	[S3_PART_SENDING] = BIT(S3_PART_EMPTY) | BIT(S3_PART_LATE),
	[S3_PART_LATE] = 0,
};

void
s3_part_move(struct s3_part *part, enum s3_part_state to)
{
	must(state_may_become(may_become, (int)part->state, (int)to));
	part->state = to;
}

/* -- memory --------------------------------------------------------------------------------------------- */

static void
add_spare(struct s3_part *part, struct chunk *chunk)
{
	chunk->link = part->spare;
	part->spare = chunk;
	part->n_spare++;
}

static struct chunk *
take_spare(struct s3_part *part)
{
	struct chunk *chunk = part->spare;

	must(chunk != NULL);
	part->spare = chunk->link;
	part->n_spare--;
	chunk->link = NULL;
	chunk->end = 0;
	return chunk;
}

/* Takes chunks from the budget, as POOL_KEEP, or from the reserve, which tells the part's stream when there are some. */
static bool
take(struct s3_part *part, size_t n)
{
	struct s3 *s3 = part->s3;

	return part->is_reserved ? reserve_take(s3->order->reserve, &s3->user, n)
				 : pool_reserve(s3->pool, n, POOL_KEEP);
}

static void
give(struct s3_part *part, struct chunk *chunk)
{
	if (part->is_reserved)
		reserve_give(part->s3->order->reserve, chunk);
	else
		pool_give(part->s3->pool, chunk);
}

static bool
charge(struct s3_part *part)
{
	struct pool *pool = part->s3->pool;
	size_t n = s3_plan_chunks(part->s3->part_size, CHUNK_SIZE);

	if (!take(part, n + S3_REQUEST_CHUNKS))
		return false;
	pool_draw_aside(pool, S3_REQUEST_CHUNKS, &part->aside);
	while (part->n_spare < n)
		add_spare(part, pool_draw(pool, POOL_KEEP));
	return true;
}

void
s3_part_empty(struct s3_part *part)
{
	while (part->first != NULL) {
		struct chunk *next = part->first->link;

		add_spare(part, part->first);
		part->first = next;
	}
	part->last = part->at = NULL;
	part->size = 0;
}

void
s3_part_uncharge(struct s3_part *part)
{
	if (part->aside != NULL && part->is_reserved)
		reserve_take_back(part->s3->order->reserve, &part->aside);
	else if (part->aside != NULL)
		pool_take_back(part->s3->pool, &part->aside);
}

void
s3_part_free(struct s3_part *part)
{
	if (part == NULL)
		return;
	s3_call_fini(&part->call);
	s3_part_empty(part);
	s3_part_trim(part);
	s3_part_uncharge(part);
	s3_sum_drop(&part->sum);
	buf_free(&part->query);
	mem_free(part);
}

static size_t part_read(void *arg, char *to, size_t room);
static void part_rewind(void *arg);

struct s3_part *
s3_part_new(
	struct s3 *s3, bool is_reserved, void (*on_end)(void *arg, const struct s3_reply *reply), struct error *err)
{
	struct s3_part *part = mem_zalloc(sizeof *part);

	if (part == NULL) {
		error_nomem(err);
		return NULL;
	}
	part->s3 = s3;
	part->is_reserved = is_reserved;
	part->call.on_read = part_read;
	part->call.on_rewind = part_rewind;
	part->call.on_end = on_end;
	part->call.arg = part;
	if (!s3_call_init(&part->call, &s3->object))
		error_nomem(err);
	else if (charge(part))
		return part;
	else
		error_no_room(err, "for one more upload");
	s3_part_free(part);
	return NULL;
}

void
s3_part_trim(struct s3_part *part)
{
	while (part->spare != NULL)
		give(part, take_spare(part));
}

/* -- it fills ------------------------------------------------------------------------------------------- */

static void
append(struct s3_part *part, struct chunk *chunk)
{
	chunk->link = NULL;
	if (part->last != NULL)
		part->last->link = chunk;
	else
		part->first = chunk;
	part->last = chunk;
}

static size_t
room_in_last(const struct s3_part *part)
{
	return part->last != NULL ? CHUNK_SIZE - part->last->end : 0;
}

/* May the chunk be held as it is? If none of it was used, no other stream reads it, and the rest of the part fits all the same.
 * Bytes that fit behind the last ones are better copied. */
static bool
may_hold(const struct s3_part *part, const struct chunk *chunk, uint64_t left)
{
	return part->s3->rest_at == 0 && chunk->end <= left && chunk->end > room_in_last(part) &&
		part->n_spare > 0 && (part->n_spare - 1) * (uint64_t)CHUNK_SIZE >= left - chunk->end &&
		!pool_is_shared(chunk);
}

static void
hold(struct s3_part *part, struct chunk *chunk)
{
	struct chunk *spare = take_spare(part);

	pool_swap_uses(chunk, spare);
	pool_give(part->s3->pool, spare);
	append(part, chunk);
	part->s3->rest = NULL;
}

static void
copy(struct s3_part *part, const char *data, size_t len)
{
	while (len > 0) {
		size_t n;

		if (room_in_last(part) == 0)
			append(part, take_spare(part));
		n = room_in_last(part) < len ? room_in_last(part) : len;
		memcpy(part->last->data + part->last->end, data, n);
		part->last->end += (uint32_t)n;
		data += n;
		len -= n;
	}
}

void
s3_part_add(struct s3_part *part)
{
	struct s3 *s3 = part->s3;
	struct chunk *chunk = s3->rest;
	uint64_t left = s3->part_size - part->size;
	size_t n = chunk->end - s3->rest_at;

	if (n > left)
		n = (size_t)left;
	s3_sum_add(&part->sum, chunk->data + s3->rest_at, n);
	part->size += n;
	if (may_hold(part, chunk, left)) {
		hold(part, chunk);
		return;
	}
	copy(part, chunk->data + s3->rest_at, n);
	s3->rest_at += (uint32_t)n;
	if (s3->rest_at < chunk->end)
		return;
	pool_give(s3->pool, chunk);
	s3->rest = NULL;
}

/* -- it is sent ------------------------------------------------------------------------------------------- */

static size_t
part_read(void *arg, char *to, size_t room)
{
	struct s3_part *part = arg;
	size_t done = 0;

	while (done < room && part->at != NULL) {
		size_t n = part->at->end - part->offset;

		if (n > room - done)
			n = room - done;
		memcpy(to + done, part->at->data + part->offset, n);
		done += n;
		part->offset += (uint32_t)n;
		if (part->offset < part->at->end)
			continue;
		part->at = part->at->link;
		part->offset = 0;
	}
	return done;
}

static void
part_rewind(void *arg)
{
	struct s3_part *part = arg;

	part->at = part->first;
	part->offset = 0;
}

void
s3_part_ask(struct s3_part *part, const char *number)
{
	const struct s3_settings *to = s3_to(part->s3);
	bool is_sha = part->digest.kind == S3_SUM_SHA256;

	buf_clear(&part->query);
	buf_addf(&part->query, "partNumber=%s&uploadId=%s", number, part->s3->upload.data);
	if (is_sha)
		s3_digest_hex(&part->digest, part->payload);
	part->lines[0] = (struct exchange_line){ s3_sum_header(part->digest.kind),
		part->digest.kind != S3_SUM_NONE ? part->digest.base64 : NULL };
	part->ask = (struct s3_ask){
		.op = S3_OP_PART,
		.method = "PUT",
		.query = buf_str(&part->query),
		.lines = part->lines,
		.n_lines = 1,
		.headers = S3_HEADERS_SOME,
		.body = part->size > 0 ? EXCHANGE_READ : EXCHANGE_WHOLE,
		.whole = STR(""),
		.length = part->size,
		.unit = part->s3->order->unit < S3_UNIT_MAX ? part->s3->order->unit : S3_UNIT_MAX,
		.payload = is_sha ? part->payload : S3_UNSIGNED_PAYLOAD,
		.tries_more = to->retry_parts,
		.until_ms = CLOCK_NEVER,
	};
}

bool
s3_part_send(struct s3_part *part, struct error *err)
{
	char number[16];

	snprintf(number, sizeof number, "%u", part->number);
	s3_part_ask(part, number);
	s3_part_move(part, S3_PART_SENDING);
	return part->query.failed ? error_nomem(err) : s3_call_begin(&part->call, &part->ask, err);
}

/* A request whose bytes have not all left has made nothing when it is cut off, and cannot be sent a second time without them. */
bool
s3_part_is_late(struct s3_part *part)
{
	if (part->state != S3_PART_SENDING || !exchange_is_away(part->call.exchange))
		return false;
	s3_part_move(part, S3_PART_LATE);
	part->call.request.is_once = true;
	s3_part_empty(part);
	s3_part_trim(part);
	return true;
}
