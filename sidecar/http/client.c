// SPDX-License-Identifier: MIT
/* client.c - what a request asks of its client (request/client.h), done with libmicrohttpd and with the client's socket.
 *
 * libmicrohttpd takes a response only before or after the body, and a client that is still sending 5 GB should know now. So an
 * answer that is to be out while the body comes in goes straight into the socket, past libmicrohttpd. What the socket does not
 * take waits in the connection until there is room. */
#include "http/http_priv.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

static struct connection *
owner(struct client *client)
{
	return container_of(client, struct connection, client);
}

static const struct connection *
seen(const struct client *client)
{
	return (const void *)((const char *)client - offsetof(struct connection, client));
}

/* -- reading ----------------------------------------------------------------------------------------- */

static size_t
piece(const struct client *client)
{
	return seen(client)->lane->memory / 2;
}

static size_t
behind_head(const struct client *client)
{
	return seen(client)->lane->memory;
}

static bool
unread(const struct client *client, uint64_t *bytes)
{
	int waiting = 0;

	if (ioctl(seen(client)->watch.fd, FIONREAD, &waiting) < 0 || waiting < 0)
		return false;
	*bytes = (uint64_t)waiting;
	return true;
}

static bool
has_hung_up(const struct client *client)
{
	return seen(client)->has_hung_up;
}

static bool
is_due(const struct client *client)
{
	return seen(client)->lane->is_due;
}

static void
pause_reading(struct client *client)
{
	struct connection *connection = owner(client);

	must(!connection->is_paused);
	connection->is_paused = true;
	MHD_suspend_connection(connection->mhd);
}

static void
resume_reading(struct client *client)
{
	struct connection *connection = owner(client);

	must(connection->is_paused);
	connection->is_paused = false;
	MHD_resume_connection(connection->mhd);
	connection->lane->is_due = true;
}

static void
shut(struct client *client)
{
	connection_shut(owner(client));
}

/* -- an answer through libmicrohttpd ------------------------------------------------------------------- */

/* The body goes to libmicrohttpd, which frees it: a summary may be large, so it is not copied. */
static struct MHD_Response *
response_of(struct connection *connection, struct reply *reply)
{
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
		reply->body.len, reply->body.data, mem_free);

	if (response == NULL)
		return NULL;
	reply->body = (struct buf){ 0 };
	for (size_t i = 0; i < reply->n_headers; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	for (size_t i = 0; i < reply->n_lines; i++)
		MHD_add_response_header(response, reply->lines[i].name, reply->lines[i].value);
	if (!connection_keep_alive(connection))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return response;
}

static bool
answer(struct client *client, struct reply *reply)
{
	struct connection *connection = owner(client);
	struct MHD_Response *response = response_of(connection, reply);
	enum MHD_Result queued = MHD_NO;

	if (response != NULL) {
		queued = MHD_queue_response(connection->mhd, reply->status, response);
		MHD_destroy_response(response);
	}
	return queued == MHD_YES;
}

/* -- an answer straight into the socket ----------------------------------------------------------------- */

/* What libmicrohttpd adds to its own: an answer without it has no age for a cache (RFC 9110, 6.6.1). */
static void
add_date(struct buf *out)
{
	char text[40];
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL && strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		buf_addf(out, "Date: %s\r\n", text);
}

static void
format_reply(const struct reply *reply, bool without_body, struct buf *out)
{
	struct str body = buf_str(&reply->body);

	buf_addf(out, "HTTP/1.1 %u %s\r\n", reply->status, reply_reason(reply->status));
	add_date(out);
	for (size_t i = 0; i < reply->n_headers; i++)
		buf_addf(out, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
	for (size_t i = 0; i < reply->n_lines; i++)
		buf_addf(out, "%s: %s\r\n", reply->lines[i].name, reply->lines[i].value);
	buf_addf(out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.len);
	if (!without_body)
		buf_add_str(out, body);
}

static bool
is_told(const struct client *client)
{
	const struct connection *connection = seen(client);

	return connection->early_sent == connection->early.len;
}

/* All is with the socket, or the client has gone and there is nobody to tell. */
static void
end_early(struct connection *connection)
{
	connection_drop_early(connection);
	connection_watch_room(connection, false);
	request_on_told(connection->request);
}

void
client_go_on(struct connection *connection)
{
	const struct buf *text = &connection->early;

	while (!is_told(&connection->client)) {
		ssize_t n = send(connection->watch.fd, text->data + connection->early_sent,
			text->len - connection->early_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		connection->early_sent += (size_t)n;
	}
	if (connection->is_telling)
		end_early(connection);
}

static void
answer_now(struct client *client, struct reply *reply, bool without_body)
{
	struct connection *connection = owner(client);

	format_reply(reply, without_body, &connection->early);
	buf_free(&reply->body);
	if (connection->early.failed)
		buf_free(&connection->early);
	connection->is_telling = true;
	/* Nothing else has been written for this request, so the socket mostly takes all of it at once. */
	connection_watch_room(connection, true);
	client_go_on(connection);
}

const struct client_ops client_ops = {
	.piece = piece,
	.behind_head = behind_head,
	.unread = unread,
	.has_hung_up = has_hung_up,
	.is_due = is_due,
	.pause = pause_reading,
	.resume = resume_reading,
	.shut = shut,
	.answer = answer,
	.answer_now = answer_now,
	.is_told = is_told,
};
