// SPDX-License-Identifier: MIT
/* peer.h - what every HTTP server that penstock talks to has, whatever it is for: its part of the settings, and the rows of
 * the key table that fill it in. */
#ifndef PENSTOCK_PEER_H
#define PENSTOCK_PEER_H

#include "config/rows.h"

struct loading;
struct node;

struct http_peer {
	char *url;                   /* "http://host:port/prefix" without a '/' at the end; for a unix socket
	                    * "http://HOST", HOST being `host` of the file */
	char *unix_socket;           /* path of the socket, or NULL */
	struct header_lines headers; /* of every request */
	uint64_t connect_ms;         /* longest time to connect, TLS included */
	uint64_t idle_ms;            /* longest time in which no byte moves although there is one to move */
	uint64_t total_ms;           /* longest life of one transfer */
	unsigned retry_connect;      /* further tries, only while not one body byte has been sent */
	bool reuse_always;           /* what must not be sent twice, too, may go over a connection that was kept */
	char *ca_file, *cert_file, *key_file; /* PEM; NULL: the system's trust store, no client cert */
};

extern const struct key_table peer_timeout, peer_retry, peer_tls;

/* Rows of a kind's table for the `struct http_peer peer` in its settings. */
#define PEER_KEYS(settings)                                                                                                                                                                                                                   \
	{ "url", KEY_URL, .required = true, AT(settings, peer),                                                                                                                                                                               \
		.help = "`http://host:port/prefix`, `https://...`, or `unix:/path.sock` together with `host`. No user, "                                                                                                                      \
			"password, query or fragment. The name is resolved again within a minute." },                                                                                                                                         \
		{ "host", KEY_TEXT, .help = "The Host header, for `unix:` only; required there." },                                                                                                                                           \
		{ "headers", KEY_LINES, AT(settings, peer.headers),                                                                                                                                                                           \
			.help = "Header lines sent with every request; a value is text, `{ env: NAME }` or `{ file: PATH }`, or for those that make or remove an object `{ template: TEXT }` (see What of a request a store gets). Not what " \
				"penstock sends itself, such as `Content-Type` or `X-Request-Id`." },                                                                                                                                         \
		{ "timeout", KEY_TABLE, AT(settings, peer), TABLES(&peer_timeout),                                                                                                                                                            \
			.help = "How long a transfer may take." },                                                                                                                                                                            \
		{ "retry", KEY_TABLE, AT(settings, peer), TABLES(&peer_retry), .help = "What is tried again." },                                                                                                                              \
	{                                                                                                                                                                                                                                     \
		"tls", KEY_TABLE, AT(settings, peer), TABLES(&peer_tls), .help = "For `https://` only."                                                                                                                                       \
	}

/* After reading: whether its keys fit each other; `node` is the mapping that has them. Reports through l->diag. */
void peer_link(struct loading *l, struct http_peer *peer, const struct node *node);

/* What it holds; header values are wiped. */
void peer_free(struct http_peer *peer);

#endif
