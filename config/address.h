// SPDX-License-Identifier: MIT
/* address.h - where to listen and where to send, from text. Pure: no name is looked up.
 *
 * The readers fill in copies that the caller owns and frees, also after a failure; err says why
 * (ERR_CONFIG, ERR_NOMEM).
 */
#ifndef PENSTOCK_ADDRESS_H
#define PENSTOCK_ADDRESS_H

#include "base/error.h"
#include "config/route.h"

/* "127.0.0.1:8081", ":8081", "[::1]:8081", "unix:/run/in.sock": host, port, unix_socket and source. */
bool address_read_listen(struct str text, struct listen *out, struct error *err);

/* "http://host:9000/prefix" or "unix:/path.sock": url or unix_socket. The URL of a socket is made by
 * address_socket_url() once `host` is known. */
struct http_peer;

bool address_read_url(struct str text, struct http_peer *out, struct error *err);
bool address_socket_url(const char *host, struct http_peer *out, struct error *err);

/* A host with or without port, as it may stand in a Host header. */
bool address_check_host(struct str text, struct error *err);

/* "10.0.0.0/8", "::1": an address alone is a network of one. Bits behind the prefix must be zero. */
bool address_read_network(struct str text, struct network *out, struct error *err);

/* How the connections of two listeners of one machine meet. The kernel gives a connection to the most specific
 * socket, and shares those of equal sockets out by chance. */
enum address_meeting {
	ADDRESS_APART,
	ADDRESS_SAME,     /* "localhost" is the same as both addresses that it may stand for */
	ADDRESS_WITHIN,   /* one is a wildcard, and the other takes some of its connections */
	ADDRESS_BOTH_ANY, /* 0.0.0.0 beside [::]: each takes one family */
};
enum address_meeting address_listen_meet(const struct listen *a, const struct listen *b);

/* Do both mean the same socket? A name and a number never do: what the name stands for may change. */
bool address_listen_equal(const struct listen *a, const struct listen *b);

#endif
