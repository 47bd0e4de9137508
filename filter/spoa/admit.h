// SPDX-License-Identifier: MIT
/* admit.h - a NOTIFY of HAProxy becomes a head, the head a decision, the decision an ACK.
 *
 * Pure but for the id that it makes up where HAProxy sends none; any thread, no allocation. The message is called
 * ADMIT_MESSAGE and its arguments are those that `penstock haproxy` writes:
 *
 *   id method target version host type length coding encoding expect origin asks     what they say; NULL: the request has none
 *   client           its address, as HAProxy sees it (an IPv4 or IPv6 address of SPOP); without it nothing is known of what it has
 *   hosts types lengths codings encodings expects origins asked          how many lines of that header there are
 *
 *   header.NAME headers.NAME     the same of each header by which routes are chosen
 *
 * `target` is the request's target as penstock will see it (HAProxy's `url`; its query may be cut). HAProxy's `path` would not do:
 * it does not show that an absolute target names another host than the header does, nor that there is no path.
 *
 * What cannot be read as exactly one such message, or does not tell what this request is decided by, is answered with allow=false, status 503 and no route. It is never left
 * without an answer, because HAProxy lets a request pass if no variable forbids it.
 */
#ifndef PENSTOCK_SPOA_ADMIT_H
#define PENSTOCK_SPOA_ADMIT_H

#include "config/matching.h"
#include "decide/decide.h"
#include "spoa/frame.h"

#include <sys/socket.h>

#define ADMIT_MESSAGE "penstock-admit"
#define ADMIT_ACK_MAX 1024 /* bytes of the longest ACK, its length included */

enum admit_header {
	ADMIT_HOST,
	ADMIT_TYPE,
	ADMIT_LENGTH,
	ADMIT_CODING,
	ADMIT_ENCODING,
	ADMIT_EXPECT,
	ADMIT_ORIGIN,
	ADMIT_ASKED_METHOD,
	N_ADMIT_HEADERS
};

/* What HAProxy asks about. Views borrow from the NOTIFY. */
struct admit {
	struct head head; /* of the request; its arg is this struct, which must not be moved */
	struct {
		struct str value; /* STR_NONE: absent */
		uint64_t count;
	} headers[N_ADMIT_HEADERS];
	struct {
		struct str name, value; /* STR_NONE: absent */
		uint64_t count;
	} named[MATCHING_HEADERS_MAX]; /* by which routes are chosen */
	size_t n_named;
	bool lacks;   /* a header was asked for of which HAProxy has not told */
	bool *missed; /* to it, for the head */
	char version[16];
	struct sockaddr_storage client; /* AF_UNSPEC: HAProxy has not said it */
	char id[129];                   /* HAProxy's, or a UUID where it sent none */
	struct decision decision;
	unsigned status; /* 200 if allowed, else what the client is to be told */
};

/* Reads the payload of a NOTIFY and decides. */
void admit_notify(const struct config *config, const struct load *load, struct str payload, struct admit *admit);

/* The whole ACK into `out`, at least ADMIT_ACK_MAX bytes: sets allow (bool), status (uint32), reason, route, limit
 * (absent where none was passed), max_body (uint64, or absent for no limit), retry_after (uint32) and id of the transaction. Returns
 * its length. */
size_t admit_ack(const struct admit *admit, uint64_t stream_id, uint64_t frame_id, void *out);

#endif
