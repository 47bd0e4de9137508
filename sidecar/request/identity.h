// SPDX-License-Identifier: MIT
/* identity.h - who the client is and what its request is called, for the log, for templates and for upstreams. Any thread; pure
 * but for the random id of a request that brings none. */
#ifndef PENSTOCK_IDENTITY_H
#define PENSTOCK_IDENTITY_H

#include "request/trust.h"

struct identity {
	char id[129];         /* X-Request-Id: the sender's, or a UUID of ours */
	bool id_is_ours;      /* it is a UUID of ours */
	bool is_trusted;      /* the sender is one of trust.proxies: what it says of the client counts */
	char traceparent[64]; /* "" if none came */
	char client[TRUST_ADDRESS_MAX];
	char counted[TRUST_ADDRESS_MAX]; /* as whom it counts: trust_counted() */
};

/* Fills the zeroed `identity`. What headers say of the client counts only if the sender is one of trust.proxies. */
void identity_find(
	const struct trust *trust, const struct sockaddr *peer, const struct head *head, struct identity *identity);

#endif
