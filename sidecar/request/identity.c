// SPDX-License-Identifier: MIT
/* identity.c - who the client is and what the request is called, for the log, for templates and for upstreams.
 *
 * The peer is whoever the connection is from: behind a PROXY header the address in it (see proxy_handshake.c), so that what a
 * client sends through a proxy that only passes bytes on is the client's word, not the proxy's. */
#include "http/http_priv.h"

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

/* A peer that libmicrohttpd has no address of is nobody, so nobody trusts him. */
static const struct sockaddr *
peer_of(const struct request *request)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info != NULL && info->client_addr != NULL ? info->client_addr : &nobody;
}

bool
identity_take(struct request *request)
{
	const struct trust *trust = &request->table->config->trust;
	bool is_trusted = trust_has(trust, peer_of(request));
	struct str id = is_trusted ? head_only(&request->head, "x-request-id") : STR_NONE;
	struct str trace = is_trusted ? head_only(&request->head, "traceparent") : STR_NONE;
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	request->id_is_ours = !is_usable_id(id);
	if (request->id_is_ours)
		id = str_of(uuid);
	snprintf(request->id, sizeof request->id, "%.*s", STR_ARG(id));
	if (trust_is_traceparent(trace) && trace.len < sizeof request->traceparent)
		snprintf(request->traceparent, sizeof request->traceparent, "%.*s", STR_ARG(trace));
	trust_client(trust, peer_of(request), &request->head, request->client);
	return is_trusted;
}
