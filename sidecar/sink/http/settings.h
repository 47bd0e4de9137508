// SPDX-License-Identifier: MIT
/* settings.h - what a route file says of a destination of type http. For sink/http alone. */
#ifndef PENSTOCK_HTTP_SETTINGS_H
#define PENSTOCK_HTTP_SETTINGS_H

#include "config/kind.h"
#include "config/peer.h"

struct http_settings {
	struct destination_settings common;
	struct http_peer peer;
	struct object_head head; /* `pass` and `digest` alone */
	uint64_t hold_every_ms;  /* of what is held back one byte goes each time */
	size_t hold_tail;        /* bytes of a stream that are held back until its commit; 0: none */
	bool undo_delete;        /* a committed object is taken back with DELETE on its URL */
	bool ready_connect;      /* /readyz wants it reachable */
	bool passes_errors;      /* some of its refusals are the client's (verdict.h) */
};

extern const struct destination_kind http_kind;
extern const struct key_table http_keys;

static inline const struct http_settings *
http_settings(const struct destination *to)
{
	return (const struct http_settings *)(const void *)to->settings;
}

#endif
