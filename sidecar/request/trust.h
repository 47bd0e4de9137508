// SPDX-License-Identifier: MIT
/* trust.h - who the client is, and which senders are believed about it (`trust.proxies`). Pure; any thread. */
#ifndef PENSTOCK_TRUST_H
#define PENSTOCK_TRUST_H

#include "config/route.h"
#include "route/head.h"

#include <sys/socket.h>

#define TRUST_ADDRESS_MAX 64 /* bytes of an address as text, with its NUL */

/* Is it one of trust.proxies? An IPv4 address that is written as an IPv6 one (::ffff:192.0.2.1) counts as IPv4. */
bool trust_has(const struct trust *trust, const struct sockaddr *address);

/* The client's address as text: the peer's own ("unix" for a socket, "unknown" for none); or, if the peer is trusted,
 * the last address of X-Forwarded-For that is not trusted itself, or the first of all if every one is. Without that
 * header those of Forwarded (RFC 7239, for=) are read in the same way. What is no address ends the search, and so does a line of
 * Forwarded that is malformed anywhere: no trusted proxy vouches for what stands before it. */
void trust_client(const struct trust *trust, const struct sockaddr *peer, const struct head *head,
	char out[TRUST_ADDRESS_MAX]);

/* As whom a client counts where each has a bound, of what trust_client() says: of an IPv6 address its /64, for one client has all of
 * that; anything else as it is. */
void trust_counted(const char *client, char out[TRUST_ADDRESS_MAX]);

/* Is it well-formed as W3C Trace Context says? What is not must not be passed on. */
bool trust_is_traceparent(struct str s);

#endif
