// SPDX-License-Identifier: MIT
/* keys.c - the keys of a destination of type http. */
#include "config/object_head.h"
#include "config/rows.h"
#include "sink/http/settings.h"

static const struct key hold_keys[] = {
	{ "every", KEY_TIME, .fallback = "5s", .min = 1, .max = YEAR_MS, WORDS(NONE),
		AT(http_settings, hold_every_ms),
		.help = "One byte goes each time that nothing else does, for as long as there is one; `none`: silence." },
	{ "tail", KEY_SIZE, .fallback = "2KiB", .min = 1, .max = 64 * KIB, AT(http_settings, hold_tail),
		.help = "The last bytes of a part that are kept back for it." },
};
static const struct key_table hold = { "`hold`", "destinations.NAME.hold", KEYS(hold_keys) };

static const struct key rows[] = {
	{ "type", KEY_WORD, .required = true, WORDS({ "http", 0 }), .help = "The kind of destination." },
	PEER_KEYS(http_settings),
	{ "pass", KEY_PASSED_ON, .min = 1, .max = PASS_MAX, AT(http_settings, head.pass),
		.help = "Headers of the client, such as `authorization`, that go along with each object, and with the request that takes it back (see What "
			"of a request a store gets). Without it none." },
	{ "digest", KEY_WORD, .fallback = "none", WORDS({ "none", false }, { "content-digest", true }),
		AT(http_settings, head.says_digest),
		.help = "`content-digest`: each object goes with a `Content-Digest` (RFC 9530): a header line if all of it has waited in memory, else a "
			"trailer. Its rule has to make a `digest`, sha256 or sha512 (see A digest that goes with an object)." },
	{ "hold", KEY_TABLE, TABLES(&hold),
		.help = "How a part that is sent, and must not be complete before the rest of the form is in, keeps its store "
			"from giving up on a silent body. It does not help against a limit of rate or of total time: there "
			"`buffer: true` does." },
	{ "reuse", KEY_WORD, .fallback = "safe", WORDS({ "safe", false }, { "always", true }),
		AT(http_settings, peer.reuse_always),
		.help = "Which requests may go over a connection that was kept: `safe`: those that can be sent again if its server "
			"was just closing it, which are a `DELETE`, and a `PUT` of a part that waited in memory; `always`: a "
			"`POST` of such a part, too, which then fails as `unknown`, and is not sent again, and what an application is "
			"told of a form (`app`), which then counts as not answered." },
	{ "undo", KEY_WORD, .fallback = "none", WORDS({ "none", false }, { "DELETE", true }),
		AT(http_settings, undo_delete),
		.help = "How a committed object is taken back when a later part of the same form fails; what it had "
			"replaced does not come back. An object of which nobody knows (`unknown`: all of it was sent, and no answer "
			"came) is left alone, there or not." },
	{ "errors", KEY_WORD, .fallback = "hide", WORDS({ "hide", false }, { "pass", true }),
		AT(http_settings, passes_errors),
		.help = "What a client gets for a refusal of the store: `hide`: 502; `pass`: the store's status, if that is 401, "
			"403, 404, 409, 412, 413, 415, 429 or 503 (see What a store refuses)." },
	{ "names", KEY_TABLE, AT(http_settings, common), TABLES(&destination_names),
		.help = "What clients may bring into names." },
	{ "ready", KEY_WORD, .fallback = "none", WORDS({ "none", false }, { "connect", true }),
		AT(http_settings, ready_connect),
		.help = "`connect`: `/readyz` says no while this destination cannot be connected to (TLS included), which is "
			"tried every few seconds." },
};
const struct key_table http_keys = { "a destination of type http", "destinations.NAME (type: http)", KEYS(rows) };
