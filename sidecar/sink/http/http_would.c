// SPDX-License-Identifier: MIT
/* http_would.c - see http_would.h. */
#include "sink/http/http_would.h"

#include "sink/http/http_priv.h"
#include "sink/would.h"

static struct would_step *
add(const struct order *order, struct would *would, enum would_when when, const char *method)
{
	const struct http_peer *peer = &http_settings(order->to)->peer;
	struct would_step *step = would_add(would, when, method);
	struct exchange_line lines[OWN_LINES];

	buf_addf(&step->target, "%s%s", peer->url, order->target);
	http_set_lines(lines, order, when != WOULD_UNDO);
	for (size_t i = 0; i < OWN_LINES; i++)
		would_line(step, lines[i].name, lines[i].value);
	for (size_t i = 0; i < order->n_lines; i++)
		would_line(step, order->lines[i].name,
			order->lines[i].shown != NULL ? order->lines[i].shown : order->lines[i].value);
	for (size_t i = 0; i < peer->headers.n; i++)
		if (peer->headers.items[i].value != NULL)
			would_line_of_file(step, &peer->headers.items[i]);
	return step;
}

/* Chunked: what completes it is the end of its body. */
static void
add_stream(const struct order *order, struct would *would, const char *method)
{
	struct would_step *step = add(order, would, WOULD_BEFORE, method);

	step->bytes = order->length;
	would_line(step, "Transfer-Encoding", "chunked");
	step = would_add(would, WOULD_COMMIT, "complete");
	buf_add_text(&step->target, "the request, by its last chunk");
	if (order->says_digest)
		would_line(step, DIGEST_LINE, order->digest);
	buf_add_text(&would_add(would, WOULD_CANCEL, "break off")->target, "the request, before its last chunk");
}

void
http_would(const struct order *order, struct would *would)
{
	const char *method = http_method(order);

	if (order->is_kept)
		add(order, would, WOULD_COMMIT, method)->bytes = order->length;
	else
		add_stream(order, would, method);
	if (http_settings(order->to)->undo_delete)
		add(order, would, WOULD_UNDO, "DELETE");
}
