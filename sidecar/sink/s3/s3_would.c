// SPDX-License-Identifier: MIT
/* s3_would.c - see s3_would.h. s3_asks.c and s3_part.c make the calls of a transfer, but none is sent: what the store would have
 * told stands in braces. */
#include "sink/s3/s3_would.h"

#include "sink/s3/s3_link.h"
#include "sink/s3/s3_part.h"
#include "sink/would.h"

#include <inttypes.h>
#include <stdio.h>

static void
add_lines(const struct s3 *s3, const struct s3_ask *ask, struct would_step *step)
{
	const struct http_peer *peer = &s3_to(s3)->peer;

	for (size_t i = 0; i < ask->n_lines; i++)
		would_line(step, ask->lines[i].name, ask->lines[i].value);
	for (size_t i = 0; i < peer->headers.n; i++)
		if (s3_ask_takes_line(ask, peer->headers.items[i].name))
			would_line_of_file(step, &peer->headers.items[i]);
}

static struct would_step *
add(const struct s3 *s3, const struct s3_ask *ask, struct would *would, enum would_when when)
{
	struct would_step *step = would_add(would, when, s3_operation_name(ask->op));

	buf_addf(&step->target, "%s %s%s", ask->method, s3_to(s3)->peer.url, s3->order->target);
	if (ask->query.len > 0)
		buf_addf(&step->target, "?%.*s", STR_ARG(ask->query));
	add_lines(s3, ask, step);
	return step;
}

/* As often as there are such parts. */
static void
add_parts(struct s3 *s3, struct would *would, const char *number, uint64_t size, uint64_t n)
{
	struct s3_part part = { .s3 = s3, .digest = s3->digest };
	struct would_step *step;

	s3_part_ask(&part, number);
	step = add(s3, &part.ask, would, WOULD_BEFORE);
	step->bytes = size;
	step->times = n;
	buf_free(&part.query);
}

/* Whole parts, and one that may be shorter; an object of no bytes has one part without bytes. */
static void
add_all_parts(struct s3 *s3, struct would *would)
{
	uint64_t size = s3->part_size, length = s3->order->length;
	uint64_t n = length > 0 ? s3_plan_parts(length, size) : 1;
	char first[32] = "1", last[32];

	snprintf(last, sizeof last, "%" PRIu64, n);
	if (n > 2)
		snprintf(first, sizeof first, "{1 to %" PRIu64 "}", n - 1);
	if (n > 1)
		add_parts(s3, would, first, size, n - 1);
	add_parts(s3, would, last, length - (n - 1) * size, 1);
}

static void
add_upload(struct s3 *s3, struct would *would)
{
	s3_ask_create(s3);
	add(s3, &s3->ask, would, WOULD_BEFORE);
	buf_add_text(&s3->upload, "{upload}");
	add_all_parts(s3, would);
	s3_ask_complete(s3);
	add(s3, &s3->ask, would, WOULD_COMMIT);
	s3_ask_abort(s3);
	add(s3, &s3->ask, would, WOULD_CANCEL);
}

/* Uses the keys and the clock, as a run would. */
static void
add_link(struct s3 *s3, struct would *would)
{
	struct s3_link_wish wish = { .to = s3_to(s3),
		.target = s3->order->target,
		.as = s3->order->link_as,
		.lifetime_s = s3->order->link_s };
	struct would_step *step = would_add(would, WOULD_ANSWER, "GetObject");

	buf_addf(&step->target, "GET %s%s?", s3_to(s3)->peer.url, s3->order->target);
	s3_link_add_query(&wish, &step->target);
	buf_addf(&step->target, "%sX-Amz-Expires=%u&{signature}", wish.as != NULL ? "&" : "", wish.lifetime_s);
}

void
s3_would(const struct order *order, struct would *would)
{
	struct order copy = *order;
	struct s3 s3 = { .order = &copy, .id = "{uuid}" };

	s3.part_size = s3_plan_piece(s3_to(&s3)->part_size, order->largest);
	s3.digest.kind = s3_to(&s3)->checksum;
	snprintf(s3.digest.base64, sizeof s3.digest.base64, "{of these bytes}");
	if (order->is_kept) {
		s3_ask_put(&s3);
		add(&s3, &s3.ask, would, WOULD_COMMIT)->bytes = order->length;
	} else {
		add_upload(&s3, would);
	}
	if (s3_to(&s3)->undo_delete) {
		s3_ask_delete(&s3);
		add(&s3, &s3.ask, would, WOULD_UNDO);
	}
	if (order->link_s > 0)
		add_link(&s3, would);
	buf_free(&s3.upload);
	buf_free(&s3.query);
}
