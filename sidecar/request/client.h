// SPDX-License-Identifier: MIT
/* client.h - what a request asks of the side that speaks HTTP to its client (http/client.c, or a test).
 *
 * A client is one connection. It is embedded in a struct of its owner's, and must live until the owner has told the request, by
 * request_leave(), that the client has left; the request never frees it. All on the worker's thread.
 *
 * Two ways to answer, because an answer must reach a client that is still sending 5 GB:
 *
 *   answer()      before the body or after it; returns to the owner, which sends it when control is back in its own code
 *   answer_now()  while the body comes in: straight into the socket. The body is read on and thrown away meanwhile, and the
 *                 connection is closed once all of it has been read and all of the answer is with the socket
 */
#ifndef PENSTOCK_CLIENT_H
#define PENSTOCK_CLIENT_H

#include "reply/reply.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_share; /* route/clients.h */

struct client { /* zeroed by its owner, but for `ops` */
	const struct client_ops *ops;
	struct client_share *counted; /* among what its address may have; request_forget_client() gives it back */
	bool is_too_much;             /* it is to be closed after the answer to its request */
};

struct client_ops {
	/* Most bytes of body that request_take_body() gets at once. The same for the life of the client. */
	size_t (*piece)(const struct client *client);

	/* Most bytes of body that may have been read together with the head and are shown only after it was let in. */
	size_t (*behind_head)(const struct client *client);

	/* Bytes that have arrived in the socket and were not read yet. False: that is not known. */
	bool (*unread)(const struct client *client, uint64_t *bytes);

	/* It has closed its sending side. That says nothing about whether it still reads. */
	bool (*has_hung_up)(const struct client *client);

	/* It will be read once more before the loop sleeps, because it seems to have sent more than was taken. */
	bool (*is_due)(const struct client *client);

	/* Nothing of it is read until resume(). pause() only from within request_begin(), request_go_on(), request_take_body() or
	 * request_end(), and not twice. Resuming one that is not paused is a bug, too. */
	void (*pause)(struct client *client);
	void (*resume)(struct client *client);

	/* Closes both directions; the request hears of it in request_leave(), later. Idempotent. */
	void (*shut)(struct client *client);

	/* Both take reply->body over, which is empty then, and leave reply_free() to the caller. False: it cannot be answered and
	 * is to be closed. answer_now() calls request_on_told(), at once or later, when it is done with the answer, whether all of it
	 * went out or the client does not take it any more. Out of memory it sends nothing, and that is done at once. */
	bool (*answer)(struct client *client, struct reply *reply);
	void (*answer_now)(struct client *client, struct reply *reply, bool without_body);

	/* All that answer_now() was given is with the socket; also true if it was given nothing. */
	bool (*is_told)(const struct client *client);
};

#endif
