// SPDX-License-Identifier: MIT
/* identity.c - see identity.h.
 *
 * The peer is whoever the connection is from: behind a PROXY header the address in it, so that what a client sends through a
 * proxy that only passes bytes on is the client's word, not the proxy's. */
#include "request/identity.h"

#include "base/uuid.h"

#include <stdio.h>

/* 1 to 128 visible ASCII characters: what may stand in a log line and in a header of ours. */
static bool
is_usable_id(struct str id)
{
	if (id.len == 0 || id.len > 128)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (id.data[i] <= ' ' || id.data[i] >= 0x7f)
			return false;
	return true;
}

void
identity_find(
	const struct trust *trust, const struct sockaddr *peer, const struct head *head, struct identity *identity)
{
	bool is_trusted = trust_has(trust, peer);
	struct str id = is_trusted ? head_only(head, "x-request-id") : STR_NONE;
	struct str trace = is_trusted ? head_only(head, "traceparent") : STR_NONE;
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	identity->is_trusted = is_trusted;
	identity->id_is_ours = !is_usable_id(id);
	if (identity->id_is_ours)
		id = str_of(uuid);
	snprintf(identity->id, sizeof identity->id, "%.*s", STR_ARG(id));
	if (trust_is_traceparent(trace) && trace.len < sizeof identity->traceparent)
		snprintf(identity->traceparent, sizeof identity->traceparent, "%.*s", STR_ARG(trace));
	trust_client(trust, peer, head, identity->client);
	trust_counted(identity->client, identity->counted);
}
