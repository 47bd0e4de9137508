// SPDX-License-Identifier: MIT
/* request_priv.h - what the files of this room share: the request and the intake. Of a request each struct below is written by
 * the file that is named with it, and by no other; of an intake likewise. All on the worker's thread. */
#ifndef PENSTOCK_REQUEST_PRIV_H
#define PENSTOCK_REQUEST_PRIV_H

#include "base/log.h"
#include "channel/blocks.h"
#include "decide/decide.h"
#include "part/parts.h"
#include "request/identity.h"
#include "request/request.h"

/* A request's life. The body's is beside it: bytes may still come in while the fate is settled.
 *
 *   HEAD ─admitted▶ PARSING ─form whole▶ HELD ─all committed▶ SETTLED ─▶ ANSWERED
 *     │ │       ▲      └──────any error───┴─▶ ABORTING ─all transfers ended▶ ┘
 *     │ └─ no memory ▶ WAITING ─too long, draining, client gone▶ SETTLED
 *     └─refused─▶ SETTLED
 *
 * WAITING: its body has not been asked for; what has come of it all the same lies in the socket and in the buffers of http/.
 * HELD: the form is good, its objects are being completed. ABORTING: transfers are being cancelled and what
 * was committed is being undone; the body is read on and thrown away. SETTLED: the answer stands.
 * ANSWERED: the answer is on its way to the client. */
enum request_state { REQ_HEAD, REQ_WAITING, REQ_PARSING, REQ_HELD, REQ_ABORTING, REQ_SETTLED, REQ_ANSWERED };

/* -- request_head.c: what was asked ------------------------------------------------------------------- */

struct asked {
	struct buf target; /* the request target as sent */
	struct head head;  /* its headers can be asked for as long as there is a client */
	char method[24];   /* for the log, cut to fit */
	struct identity identity;
	struct decision decision;
	bool is_counted; /* in table->active */
};

struct request_form {
	struct naming naming;
	struct buf location; /* that the answer to a good form redirects to; empty: it does not */
	struct txn *txn;     /* as long as there are parts */
	struct parts
		*parts; /* NULL before admission, and once the answer is made (request_free_form(), request.c) */
	size_t n_parts; /* that there were, once the answer is made */
};

/* -- request_body.c: what has come of the body, in bytes ------------------------------------------------- */

struct body {
	uint64_t seen;      /* shown to us, taken or not */
	uint64_t taken;     /* taken */
	uint64_t discarded; /* of these, thrown away after a refusal */
	bool has_ended;     /* all of it has come */
};

/* -- answer.c ---------------------------------------------------------------------------------------- */

struct answer {
	unsigned status; /* for the log; 499: the client has left without one */
	bool is_early;   /* it went out while the body still came in */
	size_t charge;   /* bytes of intake->blocks, for an answer that the client may not read for long */
};

/* -- request_deadlines.c -------------------------------------------------------------------------------- */

struct deadlines {
	struct timer timer; /* the nearest of those below, and of memory_wait.until_ms */
	uint64_t started_ms;
	uint64_t active_ms;   /* when its client brought the last byte, or was resumed */
	uint64_t total_at_ms; /* of the whole request */
	uint64_t close_at_ms; /* its client is closed then, whether it has read its answer or not */
};

/* -- request.c: pausing and resuming its client ------------------------------------------------------------ */

struct reading {
	bool is_paused;
	uint64_t paused_ms; /* when that was last */
};

/* -- request_wait.c: while WAITING ------------------------------------------------------------------------ */

struct memory_wait {
	struct queue_place place;
	uint64_t until_ms;
};

/* -- intake.c: the lists of an intake ---------------------------------------------------------------------- */

struct listed { /* in intake->wants_chunks, or in intake->changed */
	bool is_in;
	struct request *next;
};

/* -- read_scheduler.c ------------------------------------------------------------------------------------- */

enum turn_state { TURN_NONE, TURN_TAKEN, TURN_AWAITED };

struct turn {
	enum turn_state state;
	struct request *next; /* the one that waits behind it */
};

struct read_scheduler {
	struct request *current;      /* has the turn; NULL: none */
	struct request *first, **end; /* those that wait for it, paused */
	uint64_t bytes;               /* read in this turn */
	bool was_used;                /* since clients were read last */
};

/* -- stalled.c -------------------------------------------------------------------------------------------- */

struct pace {
	struct request *slower, *faster; /* of intake->stalled */
	uint64_t moved_ms, moved_at;     /* when it brought more than drops last, and what had been taken then */
	uint64_t kept_ms, kept_at;       /* the same for so much that it may keep a reserve */
};

struct stalled {                      /* those whose forms come in */
	struct request *first, *last; /* the first is the one that moved least lately */
	struct timer look;
};

/* -- the request, and all of them -------------------------------------------------------------------------- */

struct request {
	struct intake *intake;
	struct client *client; /* NULL once it has left */
	struct table *table;   /* that it goes by; held from its head on */
	enum request_state state;
	struct error error; /* the first one; ERR_NONE: all is well */
	struct asked asked;
	struct request_form form;
	struct body body;
	struct answer answer;
	struct deadlines deadlines;
	struct reading reading;
	struct memory_wait memory_wait;
	struct listed wants_chunks, changed;
	struct turn turn;
	struct pace pace;
	bool is_stepping;             /* request_step() is running: do not nest */
	struct request *next, **link; /* intake->requests */
};

struct intake {
	struct intake_setup setup;
	struct table *table; /* in force for what comes next; held */
	bool is_draining;
	bool is_aborting;         /* answer and close, do not linger */
	bool is_cutting;          /* waits for no store any more, either */
	struct timer cut;         /* when that begins */
	struct stage_tools tools; /* what stages of all forms have together */
	struct blocks *blocks;    /* what is smaller than a chunk, for all of them */
	struct request *requests; /* all that are not freed, also those whose client is gone */
	struct request *wants_chunks, **wants_chunks_end; /* of the pool, first come first served */
	struct request *changed;                          /* their transfers have news */
	struct pool_waiter pool_waiter;
	struct mail pool_mail; /* chunks came back */
	size_t n_waiting;      /* requests that are WAITING: request_wait.c */
	struct queue_side side;
	struct mail queue_mail; /* some of `side` have been granted what they waited for */
	struct read_scheduler scheduler;
	struct stalled stalled;
};

/* -- intake.c --------------------------------------------------------------------------------------------- */

void intake_add(struct intake *intake, struct request *request);
void intake_remove(struct request *request); /* from all lists of this file */

/* Chunks are to come back before it goes on: request_on_chunks() then. In the list already: nothing. */
void intake_want_chunks(struct request *request);
void intake_want_no_chunks(struct request *request);

void intake_on_news(void *request); /* [from the mailbox] of its transaction: request_on_news() soon */

/* -- request.c -------------------------------------------------------------------------------------------- */

void request_move(struct request *request, enum request_state to);

/* The first error decides: everything is given up. May be called at any time; later errors change nothing. */
void request_fail(struct request *request, const struct error *error);
void request_failf(struct request *request, enum error_kind kind, const char *sentence);

void request_pause(struct request *request);  /* only where client.h allows it */
void request_resume(struct request *request); /* if it is not paused it only leaves the lists of those that wait */

/* Logs the facts of its parts, then frees these and the transaction; n_parts says how many there were. */
void request_free_form(struct request *request);

/* Logs and frees the request if its client has left and nothing is under way any more. Each function that is not called by the
 * client's side does this as its last step. */
void request_free_if_over(struct request *request);

/* -- request_head.c ----------------------------------------------------------------------------------------- */

size_t request_piece(const struct request *request); /* most bytes of body that come at once */
uint64_t request_body_most(
	const struct request *request); /* bytes that it can have, LIMIT_NONE: any; of an allowed request */

/* -- request_wait.c ----------------------------------------------------------------------------------------- */

void request_take_memory(
	struct request *request); /* HEAD -> PARSING, or WAITING for the memory that its route needs */
void request_fail_for_memory(struct request *request); /* it has waited too long */
void request_leave_queue(struct request *request);     /* it is WAITING no more */
void waits_start(struct intake *intake);
void waits_look_again(struct intake *intake); /* chunks came back */
void waits_drain(struct intake *intake);      /* refuses all that wait; none is let in any more */

/* -- request_body.c ----------------------------------------------------------------------------------------- */

void request_on_news(struct request *request);   /* of its transaction. It may be freed */
void request_on_chunks(struct request *request); /* chunks came back, its turn: the same bytes are shown again */

/* -- request_commit.c, request_facts.c ------------------------------------------------------------------------ */

/* Takes the next steps of HELD and ABORTING until something must be waited for. An ABORTING one does not wait for stores
 * that have not answered once the intake is cutting. */
void request_step(struct request *request);

void request_log_facts(const struct request *request); /* before its parts go; none: nothing */

/* -- request_deadlines.c ---------------------------------------------------------------------------------------- */

void deadlines_start(struct request *request);      /* with its first line */
void deadlines_know_table(struct request *request); /* what the route file says holds from its head on */
void deadlines_note_byte(struct request *request);  /* its client brings something, or may again */
void deadlines_close_at(struct request *request, uint64_t at_ms); /* CLOCK_NEVER: it is not closed */
void deadlines_set(struct request *request); /* after anything that they depend on has changed: sets the timer */
void deadlines_stop(struct request *request);

/* -- answer.c ------------------------------------------------------------------------------------------------ */

bool answer_send(struct request *request);     /* by answer(): gives the client time to read it, but not for ever */
void answer_send_now(struct request *request); /* by answer_now() */
void answer_note_left(struct request *request); /* the client has left */
void answer_discharge(struct request *request); /* it is with the client, or needs not be any more */

/* -- read_scheduler.c ---------------------------------------------------------------------------------------- */

void scheduler_init(struct read_scheduler *scheduler);
void scheduler_after_piece(struct request *request, size_t len); /* may pause it, until its turn */
void scheduler_leave(struct request *request);                   /* neither has it nor waits for it any more */
void scheduler_pass_on(struct read_scheduler *scheduler);        /* each time that clients have been read */

/* -- stalled.c ----------------------------------------------------------------------------------------------- */

void stalled_start(struct intake *intake);
void stalled_stop(struct intake *intake);
void stalled_enter(struct request *request);        /* its form begins to come in: REQ_PARSING */
void stalled_leave(struct request *request);        /* it is whole, or given up */
void stalled_note_bytes(struct request *request);   /* some came */
void stalled_note_resumed(struct request *request); /* up to now the client was not what it waited for */

#endif
