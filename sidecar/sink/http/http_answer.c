// SPDX-License-Identifier: MIT
/* http_answer.c - what a store answers, as far as the outcome of an order tells it. What that means is verdict.c's to say. */
#include "sink/http/http_priv.h"

void
http_answer_on_status(void *arg, unsigned status)
{
	struct http *http = arg;

	if (http->state == HTTP_UNDOING) /* what is told is told of the object */
		return;
	http->status = status;
	http->order->outcome.location[0] = http->order->outcome.type[0] = '\0';
	http->later = (struct retry_after){ 0 };
	buf_free(&http->order->outcome.challenge);
}

static void
drop_challenge(struct buf *challenge)
{
	buf_free(challenge);
	challenge->failed = true; /* rather none than half of it */
}

/* Of a 401 each line is one or more challenges (RFC 9110 section 11.6.1), and so are all of them, with commas between. */
static void
take_challenge(struct http *http, struct str line)
{
	struct str value = exchange_value_of(line, "www-authenticate:");
	struct buf *challenge = &http->order->outcome.challenge;

	if (http->status != 401 || !http_settings(http->order->to)->passes_errors || challenge->failed ||
		value.len == 0)
		return;
	if (challenge->len > 0)
		buf_add_text(challenge, ", ");
	buf_add_str(challenge, value);
	if (challenge->len > OUTCOME_CHALLENGE_MAX || str_has_control(value))
		drop_challenge(challenge);
}

void
http_answer_on_header(void *arg, struct str line)
{
	struct http *http = arg;
	struct outcome *outcome = &http->order->outcome;

	if (http->state == HTTP_UNDOING)
		return;
	if (exchange_is_folded(line)) /* whatever it belongs to */
		drop_challenge(&outcome->challenge);
	else if (str_starts_nocase(line, "location:"))
		exchange_take_value(line, "location:", outcome->location, sizeof outcome->location);
	else if (str_starts_nocase(line, "www-authenticate:"))
		take_challenge(http, line);
	else if (str_starts_nocase(line, "content-encoding:"))
		outcome->body.failed = true; /* the client would not be told of it, nor has it asked for one */
	else if (str_starts_nocase(line, "content-type:"))
		exchange_take_value(line, "content-type:", outcome->type, sizeof outcome->type);
	retry_after_note(&http->later, line);
}

void
http_answer_on_body(void *arg, const char *data, size_t n)
{
	struct http *http = arg;
	struct buf *body = &http->order->outcome.body;

	if (!http->order->want_body || http->state == HTTP_UNDOING || body->failed)
		return;
	if (n <= OUTCOME_BODY_MAX - body->len) {
		buf_add(body, data, n);
	} else {
		buf_free(body);
		body->failed = true; /* rather none than half of it */
	}
}
