// SPDX-License-Identifier: MIT
/* callbacks.c - what libmicrohttpd tells of a request, as request/ wants to hear it.
 *
 * It calls callback_on_target() when it has read the request line, callback_on_access() with the head, then with each piece of
 * body, then once more at its end, and callback_on_completed() when it has done with the request.
 *
 * Two surprises. A connection that was suspended with its head gets that call once more when it is resumed. And where a piece of
 * a chunked body suspends the connection, the next chunk of the buffer is shown all the same: nothing of that is taken. */
#include "http/http_priv.h"
#include "http/mhd_query.h"

void *
callback_on_target(void *lane, const char *target, struct MHD_Connection *mhd)
{
	struct connection *connection = connection_of(mhd);
	struct request *request = NULL;

	(void)lane;
	if (connection != NULL)
		request = request_new(connection->worker->intake, &connection->client, target);
	mhd_query_drop(target);
	if (request == NULL)
		return NULL;
	connection->begun = request;
	connection->is_idle = false;
	return request;
}

static const struct sockaddr *
peer_of(struct MHD_Connection *mhd)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info != NULL && info->client_addr != NULL ? info->client_addr : &nobody;
}

static bool
begin(struct connection *connection, const char *url, const char *method, const char *version)
{
	struct request *request = connection->begun;
	struct request_head head = { .peer = peer_of(connection->mhd) };
	struct error flaw = { 0 };
	bool goes_on;

	mhd_head_init(connection, &head.head, request_target(request), method, version);
	if (!mhd_head_check(connection, &head.head, url, &flaw))
		head.flaw = &flaw;
	connection_begin_request(connection, request);
	goes_on = request_begin(request, &head);
	connection->is_head_due = connection->is_paused;
	return goes_on;
}

static bool
show(struct connection *connection, const char *data, size_t *len)
{
	struct request *request = connection->request;

	if (connection->is_head_due) {
		connection->is_head_due = false;
		return request_go_on(request);
	}
	if (*len == 0)
		return request_end(request);
	if (connection->is_paused)
		return true;
	connection_nudge(connection);
	request_take_body(request, data, len);
	return true;
}

enum MHD_Result
callback_on_access(void *lane, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
	const char *data, size_t *len, void **context)
{
	struct connection *connection;
	bool goes_on;

	(void)lane;
	if (*context == NULL)
		return MHD_NO; /* out of memory when its first line came: nothing can be said */
	connection = connection_of(mhd);
	if (connection->request == NULL)
		goes_on = begin(connection, url, method, version);
	else
		goes_on = show(connection, data, len);
	return goes_on ? MHD_YES : MHD_NO;
}

void
callback_on_completed(void *lane, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why)
{
	(void)lane;
	(void)why;
	if (*context == NULL)
		return;
	*context = NULL;
	connection_end_request(connection_of(mhd));
}
