// SPDX-License-Identifier: MIT
/* kind.c - what a route file must know of destinations of type http. No libcurl here: HAProxy's filter has this, too. */
#include "config/headers.h"
#include "config/object_head.h"
#include "config/whereabouts.h"
#include "sink/http/settings.h"

static const struct http_settings *
mine(const struct destination_settings *settings)
{
	return (const struct http_settings *)(const void *)settings;
}

static void
link_keys(struct loading *l, struct destination *d, const struct node *node)
{
	struct http_settings *settings = (struct http_settings *)(void *)d->settings;

	peer_link(l, &settings->peer, node);
	headers_check_pass(l, &settings->peer.headers, &settings->head.pass, yaml_tree_get(node, "pass"));
}

static void
free_settings(struct destination_settings *settings)
{
	peer_free(&((struct http_settings *)(void *)settings)->peer);
	object_head_free(&((struct http_settings *)(void *)settings)->head);
}

static const struct object_head *
head(const struct destination_settings *settings)
{
	return &mine(settings)->head;
}

static bool
place(const struct config *config, size_t at, bool elsewhere, struct buf *out)
{
	const struct http_peer *peer = &http_settings(&config->destinations[at])->peer;

	if (peer->url == NULL)
		return false;
	if (peer->unix_socket != NULL && elsewhere)
		buf_add_text(out, peer->unix_socket);
	else if (peer->unix_socket != NULL)
		whereabouts_add_path(out, peer->unix_socket);
	if (peer->unix_socket != NULL)
		buf_add_char(out, ' ');
	whereabouts_add_url(out, peer->url);
	return true;
}

static bool
can_undo(const struct destination_settings *settings)
{
	return mine(settings)->undo_delete;
}

static bool
restores(const struct destination_settings *settings)
{
	(void)settings; /* a PUT replaces what is there */
	return false;
}

/* It takes what is left, the first object completes, the others do, and if that fails all are taken back: each of the four
 * ends where nothing moves for `idle`, and three of them may have to connect. */
static uint64_t
silence_ms(const struct destination_settings *settings)
{
	const struct http_peer *peer = &mine(settings)->peer;

	return 4 * (peer->idle_ms < peer->total_ms ? peer->idle_ms : peer->total_ms) +
		3 * peer->connect_ms * (peer->retry_connect + 1);
}

static const struct http_peer *
ready_peer(const struct destination_settings *settings)
{
	return mine(settings)->ready_connect ? &mine(settings)->peer : NULL;
}

static const struct http_peer *
asked_peer(const struct destination_settings *settings)
{
	return &mine(settings)->peer;
}

const struct destination_kind http_kind = {
	.word = "http",
	.noun = "an http destination",
	.keys = &http_keys,
	.settings_size = sizeof(struct http_settings),
	.traits = KIND_APPLICATION | KIND_LENGTH | KIND_LASTS | KIND_TYPE | KIND_LINES,
	.style = TEMPLATE_FOR_URL,
	.link = link_keys,
	.free = free_settings,
	.head = head,
	.place = place,
	.can_undo = can_undo,
	.restores = restores,
	.silence_ms = silence_ms,
	.ready_peer = ready_peer,
	.asked_peer = asked_peer,
};
