// SPDX-License-Identifier: MIT
/* proxy_header.h - the PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): who the client of a
 * connection is, said by the proxy in front before the first byte of the client. Pure; any thread. */
#ifndef PENSTOCK_PROXY_HEADER_H
#define PENSTOCK_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define PROXY_HEADER_MAX 4096 /* bytes, as in nginx: version 1 has at most 107; the TLVs of version 2 may be long */

enum proxy_result {
	PROXY_MORE,    /* the header is not complete */
	PROXY_DONE,    /* it says who the client is */
	PROXY_LOCAL,   /* there is no client: the proxy speaks for itself (a health check) */
	PROXY_UNKNOWN, /* there is a client (in version 1 perhaps), but it has no address of the internet */
	PROXY_BAD,     /* not such a header, or longer than PROXY_HEADER_MAX */
};

/* How many of the `n` bytes at `next` surely belong to the header, of which `have` bytes at `data` were taken already. 0: none,
 * because the header is complete or bad. The rest may be the client's, and must not be taken. */
size_t proxy_header_takes(const unsigned char *data, size_t have, const unsigned char *next, size_t n);

/* Reads the `len` bytes that were taken. PROXY_DONE fills in the client's address. */
enum proxy_result proxy_header_read(
	const unsigned char *data, size_t len, struct sockaddr_storage *client, socklen_t *client_len);

#endif
