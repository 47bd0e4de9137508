// SPDX-License-Identifier: MIT
/* kind.c - what a route file must know of destinations of type http. No libcurl here: HAProxy's filter has this, too. */
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
	peer_link(l, &((struct http_settings *)(void *)d->settings)->peer, node);
}

static void
free_settings(struct destination_settings *settings)
{
	peer_free(&((struct http_settings *)(void *)settings)->peer);
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

const struct destination_kind http_kind = {
	.word = "http",
	.noun = "an http destination",
	.keys = &http_keys,
	.settings_size = sizeof(struct http_settings),
	.traits = KIND_APPLICATION | KIND_LENGTH | KIND_LASTS | KIND_TYPE,
	.style = TEMPLATE_FOR_URL,
	.link = link_keys,
	.free = free_settings,
	.place = place,
	.can_undo = can_undo,
	.silence_ms = silence_ms,
	.ready_peer = ready_peer,
};
