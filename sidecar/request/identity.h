// SPDX-License-Identifier: MIT
/* identity.h - who the client is and what its request is called, for the log, for templates and for upstreams. Any thread; pure
 * but for the random id of a request that brings none. */
#ifndef PENSTOCK_IDENTITY_H
#define PENSTOCK_IDENTITY_H

#include "request/trust.h"

struct identity {
	char id[129];         /* X-Request-Id, taken or made */
	bool id_is_ours;      /* made */
	bool is_trusted;      /* the sender is one of trust.proxies: what it says of the client counts */
	char traceparent[64]; /* "" if none came */
	char client[TRUST_ADDRESS_MAX];
};

/* What others say of the client counts only from those who are trusted. Fills the zeroed `identity`. */
void identity_find(
	const struct trust *trust, const struct sockaddr *peer, const struct head *head, struct identity *identity);

#endif
