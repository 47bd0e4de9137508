// SPDX-License-Identifier: MIT
/* agent_priv.h - what agent.c and its peers (peer_priv.h) share. All of it belongs to the agent's thread. */
#ifndef PENSTOCK_SPOA_AGENT_PRIV_H
#define PENSTOCK_SPOA_AGENT_PRIV_H

#include "loop/loop.h"
#include "spoa/admit.h"
#include "spoa/agent.h"

struct agent {
	struct agent_setup setup;
	struct table *table;      /* in force for the next question; held */
	struct table *next_table; /* main's until the mail that brings it is delivered */
	struct loop *loop;
	struct peer *peers;
	uint64_t n_peers, n_talking; /* connections; those past their HELLO, at most spoa.max_connections */
	bool is_stopping;
	struct acceptor *acceptor; /* NULL: it accepts no more (agent.c) */
	struct mail stop_mail, table_mail;
	struct agent_thread *thread;
};

/* -- peer.c ---------------------------------------------------------------------------------------- */

/* Takes over fd. Out of memory: it is closed. */
void peer_new(struct agent *agent, int fd);

/* Makes room for a new connection: closes the one for whose HELLO the agent has waited longest. False: there is none. */
bool peer_drop_silent(struct agent *agent);

/* Answers what has been asked already, then sends DISCONNECT 0 on every connection. */
void peer_disconnect_all(struct agent *agent);

/* agent.c: a peer has gone. */
void agent_on_peer_gone(struct agent *agent);

#endif
