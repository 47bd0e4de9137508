// SPDX-License-Identifier: MIT
/* s3_late.c - see s3_late.h. */
#include "sink/s3/s3_late.h"

static bool
is_late(const struct s3_part *part)
{
	return part != NULL && part->state == S3_PART_LATE;
}

static void
drop(struct s3 *s3, size_t i)
{
	s3_part_free(s3->parts[i]);
	s3->parts[i] = NULL;
}

static void
drop_rest(struct s3 *s3)
{
	if (s3->rest != NULL)
		pool_give(s3->pool, s3->rest);
	s3->rest = NULL;
}

void
s3_parts_drop(struct s3 *s3)
{
	for (size_t i = 0; i <= S3_IN_FLIGHT_MAX; i++)
		drop(s3, i);
	drop_rest(s3);
}

void
s3_parts_give_up(struct s3 *s3)
{
	for (size_t i = 0; i <= S3_IN_FLIGHT_MAX; i++) {
		struct s3_part *part = s3->parts[i];

		if (part == NULL || is_late(part) || s3_part_is_late(part))
			continue;
		s3->had_parts_cut = s3->had_parts_cut || part->state == S3_PART_SENDING;
		drop(s3, i);
	}
	drop_rest(s3);
}

size_t
s3_late_count(const struct s3 *s3)
{
	size_t n = 0;

	for (size_t i = 0; i <= S3_IN_FLIGHT_MAX; i++)
		n += is_late(s3->parts[i]);
	return n;
}

void
s3_late_uncharge(struct s3 *s3)
{
	for (size_t i = 0; i <= S3_IN_FLIGHT_MAX; i++)
		if (is_late(s3->parts[i]))
			s3_part_uncharge(s3->parts[i]);
}

static uint64_t
half_of(uint64_t by_ms, uint64_t now)
{
	return by_ms == CLOCK_NEVER || by_ms <= now ? by_ms : now + (by_ms - now) / 2;
}

void
s3_late_hurry(struct s3 *s3)
{
	uint64_t by_ms = half_of(s3->abort_by_ms, loop_now_ms(s3->object.engine->loop));

	for (size_t i = 0; i <= S3_IN_FLIGHT_MAX; i++)
		if (is_late(s3->parts[i]))
			s3_call_hurry(&s3->parts[i]->call, by_ms);
}

void
s3_late_end(struct s3_part *part, const struct s3_reply *reply)
{
	struct s3 *s3 = part->s3;

	s3->had_parts_cut = s3->had_parts_cut || reply->is_open;
	for (size_t i = 0; i <= S3_IN_FLIGHT_MAX; i++)
		if (s3->parts[i] == part)
			drop(s3, i);
	if (s3_late_count(s3) == 0)
		s3_abort_after_parts(s3);
}
