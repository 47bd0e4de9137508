// SPDX-License-Identifier: MIT
/* peer_priv.h - what peer.c (a connection's bytes, and its life) and peer_frames.c (what its frames say) share. */
#ifndef PENSTOCK_SPOA_PEER_PRIV_H
#define PENSTOCK_SPOA_PEER_PRIV_H

#include "spoa/agent_priv.h"

/* One connection of HAProxy.
 *
 *   HANDSHAKE ─HELLO▶ TALKING ─DISCONNECT, an error, idle, shutdown▶ CLOSING ─peer has closed, or 1 s▶ (freed)
 *       └────────health check, an error────────────────────────────────┘
 *
 * CLOSING: our last frame is out (or on its way); what still comes is read and thrown away, for a socket closed with
 * unread bytes is reset, and our last frame with it. A reset by the peer is a normal end, in any state. */
enum peer_state { PEER_HANDSHAKE, PEER_TALKING, PEER_CLOSING };

struct peer {
	struct agent *agent;
	enum peer_state state;
	struct watch watch;
	struct timer timer; /* idle; in CLOSING the end */
	uint64_t active_ms;
	uint32_t max_frame; /* without the length */
	char *in;
	size_t in_len, in_cap;
	unsigned char out[ADMIT_ACK_MAX];
	size_t out_len, out_sent;
	bool can_read;      /* the socket may have more */
	bool owes_farewell; /* CLOSING: the DISCONNECT waits behind a frame that is half out */
	enum spop_status farewell;
	struct peer *next, **link;
};

void peer_move(struct peer *peer, enum peer_state to);

/* What is in `out` goes first, then the connection ends: without a word, or with a DISCONNECT. The latter does nothing to
 * one that is CLOSING. */
void peer_begin_closing(struct peer *peer);
void peer_disconnect(struct peer *peer, enum spop_status status);

/* peer_frames.c: one whole frame, without its length. */
void peer_on_frame(struct peer *peer, struct str bytes);

#endif
