// SPDX-License-Identifier: MIT
/* room_priv.h - what the files of this room share: the request and the intake. Of a request each struct below is written by
 * the file that is named with it, and by no other; of an intake likewise. All on the worker's thread.
 *
 * No two of these files call each other. From the top: what comes from outside (intake.c, request.c, request_head.c, request_body.c,
 * stalled.c, request_authorize.c, request_admit.c, request_wait.c), what becomes of a request (request_free.c, request_commit.c, answer.c, request_facts.c), its state
 * (request_state.c), and its lists and clocks (intake_lists.c, questions.c, pace.c, read_scheduler.c, request_shape.c, request_deadlines.c). */
#ifndef PENSTOCK_ROOM_PRIV_H
#define PENSTOCK_ROOM_PRIV_H

#include "base/log.h"
#include "channel/blocks.h"
#include "decide/decide.h"
#include "part/parts.h"
#include "request/identity.h"
#include "request/question_text.h"
#include "request/request.h"
#include "request/shaping.h"
#include "request/trust.h"

/* A request's life. The body's is beside it: bytes may still come in while the fate is settled.
 *
 *   HEAD ─asked about▶ AUTHORIZING ─no, no answer, draining, client gone▶ SETTLED
 *     │                     │ yes
 *     ├─admitted────────────┴▶ PARSING ─form whole▶ HELD ─all committed▶ SETTLED ─▶ ANSWERED
 *     │                     │     ▲└──────any error───┴─▶ ABORTING ─all transfers ended▶ ┘
 *     ├─no memory───────────┴▶ WAITING ─too long, draining, client gone▶ SETTLED
 *     └─refused─▶ SETTLED
 *
 * AUTHORIZING: an application is asked whether it may come in (request_authorize.c); else like WAITING.
 * WAITING: its body has not been asked for; what has come of it all the same lies in the socket and in the buffers of http/.
 * HELD: the form is good, its objects are being completed, and its application is asked. ABORTING: transfers are being cancelled and what
 * was committed is being undone; the body is read on and thrown away. SETTLED: the answer stands.
 * ANSWERED: the answer is on its way to the client. */
enum request_state {
	REQ_HEAD,
	REQ_AUTHORIZING,
	REQ_WAITING,
	REQ_PARSING,
	REQ_HELD,
	REQ_ABORTING,
	REQ_SETTLED,
	REQ_ANSWERED
};

/* -- request_head.c: what was asked ------------------------------------------------------------------- */

struct asked {
	struct buf target; /* the request target as sent */
	struct head head;  /* its headers can be asked for as long as there is a client */
	char method[24];   /* for the log, cut to fit */
	struct identity identity;
	struct decision decision;
	bool is_counted;             /* in table->active */
	struct client_share *upload; /* of its client's uploads of the route; NULL: they are not counted */
};

struct request_form {
	struct naming naming;
	struct buf location; /* that the answer to a good form redirects to; empty: it does not */
	struct txn *txn;     /* as long as there are parts */
	struct parts *
		parts; /* NULL before admission, and once the answer is made (request_free_form(), request_facts.c) */
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

/* -- request_state.c: pausing and resuming its client ------------------------------------------------------------ */

struct reading {
	bool is_paused;
	uint64_t paused_ms; /* when that was last */
};

/* -- request_wait.c: while WAITING ------------------------------------------------------------------------ */

struct memory_wait {
	struct queue_place place;
	uint64_t until_ms;
};

/* -- intake_lists.c: the lists of an intake ---------------------------------------------------------------------- */

struct listed { /* in intake->wants_chunks, or in intake->changed */
	bool is_in;
	struct request *next;
};

/* -- questions.c, request_authorize.c: while AUTHORIZING ------------------------------------------------------ */

enum asks_state { ASKS_NOT, ASKS_WAITS, ASKS_NOW };

struct asks {
	enum asks_state state;
	struct request *next, **link; /* of those that wait */
	struct client_share *place;   /* among those of its client that ask */
	uint64_t until_ms, began_ms;  /* when it is given up; when it went out */
	struct question question;     /* and what it points to */
	struct buf target;
	struct question_text text;
	struct asking *asking;     /* under way */
	struct grants grants;      /* what the answer has granted */
	struct app_answer refusal; /* the answer that becomes the client's */
};

/* -- request_hand.c: while HELD, of a route with `app` --------------------------------------------------------- */

/* NOT: there is no application. READY: it may be asked. TELLING: the journal of commits is told that it is going to be. ASKED: the question
 * is under way. YES: the form stands, or shall. NO: it does not. */
enum hand_state { HAND_NOT, HAND_READY, HAND_TELLING, HAND_ASKED, HAND_YES, HAND_NO };

struct hand {
	enum hand_state state;
	struct txn_app app;
	struct buf failed, resolve; /* what it points to */
	struct buf method, target;  /* what the question points to */
	struct question_text text;
	struct buf body;
	size_t charge; /* bytes of intake->blocks that the body has */
	struct question question;
	struct asking *asking; /* ASKED */
	uint64_t began_ms;
	void (*on_answer)(struct request *request);
	struct app_answer answer; /* that becomes the client's; status 0: none does */
};

struct questions {
	size_t n;                     /* that are under way */
	char name[24];                /* as which those of each client are counted */
	struct request *first, **end; /* that wait for their turn */
	bool has_room; /* some ended since the line was looked through, or it was not for want of memory or of a count */
	bool is_short; /* there was too little memory when it was looked for last */
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

/* -- pace.c ----------------------------------------------------------------------------------------------- */

struct pace {
	struct request *slower, *faster; /* of intake->stalled */
	struct pace_mark {
		uint64_t ms, at;
		uint64_t looked; /* taken when its socket was found with bytes in it; UINT64_MAX: not since */
	} moved,                 /* when it brought more than drops last, and what had been taken then */
		kept,            /* the same for so much that it may keep a reserve */
		owed;            /* the same for what limits.min_rate wants in PACE_MS */
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
	struct asks asks;
	struct hand hand;
	struct memory_wait memory_wait;
	struct listed wants_chunks, changed;
	struct turn turn;
	struct shaping shaping;
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
	size_t n_waiting;      /* requests that are WAITING: request_state.c */
	struct queue_side side;
	struct mail queue_mail; /* some of `side` have been granted what they waited for */
	struct questions questions;
	struct read_scheduler scheduler;
	struct stalled stalled;
};

/* -- intake_lists.c --------------------------------------------------------------------------------------------- */

void intake_add(struct intake *intake, struct request *request);
void intake_remove(struct request *request); /* from all lists of this file */

/* Chunks are to come back before it goes on: request_on_chunks() then. In the list already: nothing. */
void intake_want_chunks(struct request *request);
void intake_want_no_chunks(struct request *request);

void intake_on_news(void *request); /* [from the mailbox] of its transaction: request_on_news() soon */

/* -- request_state.c --------------------------------------------------------------------------------------- */

void request_move(struct request *request, enum request_state to);

void request_pause(struct request *request);  /* only where client.h allows it */
void request_resume(struct request *request); /* if it is not paused it only leaves the lists of those that wait */

/* -- request_free.c ---------------------------------------------------------------------------------------- */

/* Logs and frees the request if its client has left and nothing is under way any more. Each function that is not called by the
 * client's side does this as its last step. */
void request_free_if_over(struct request *request);

/* -- request_admit.c ---------------------------------------------------------------------------------------- */

size_t request_piece(const struct request *request); /* most bytes of body that come at once */

/* It may come in: HEAD, AUTHORIZING -> PARSING, WAITING, or SETTLED where there is no place for it after all. */
void request_admit(struct request *request);

/* -- request_client.c ---------------------------------------------------------------------------------------- */

/* How many uploads of this route its client has under way. For struct load. */
uint64_t client_uploads(void *request, const struct route *route);

/* Takes a place among what its client may have of its route. False: there is none, and the decision and the error say so. */
bool client_take_connection(struct request *request);
bool client_take_upload(struct request *request);
void client_give_upload(struct request *request);

/* Takes its shares in the rates of its route, which request_shape.c keeps to. False likewise. */
bool client_take_rates(struct request *request);
void client_give_rates(struct request *request);

/* -- request_authorize.c ------------------------------------------------------------------------------------ */

void request_authorize(struct request *request);     /* HEAD -> AUTHORIZING, or SETTLED at once */
void request_fail_for_turn(struct request *request); /* it has waited too long for its turn to ask */
void authorize_next(struct intake *intake);          /* lets those ask whose turn has come */

/* -- questions.c -------------------------------------------------------------------------------------------- */

void questions_start(struct intake *intake);
bool questions_enter(struct request *request); /* may it ask now? Else it waits for its turn */
void questions_leave(
	struct request *request); /* stops the question if it is under way; does nothing if there is none */
struct request *questions_next(
	struct intake *intake); /* one whose turn has come, and which counts now; NULL: none */

/* -- request_wait.c ----------------------------------------------------------------------------------------- */

uint64_t request_body_most(
	const struct request *request); /* bytes that it can have, LIMIT_NONE: any; of an allowed request */
void request_take_memory(
	struct request *request); /* HEAD -> PARSING, or WAITING for the memory that its route needs */
void request_fail_for_memory(struct request *request); /* it has waited too long */
void waits_start(struct intake *intake);
void waits_look_again(struct intake *intake); /* chunks came back */

/* -- request_body.c ----------------------------------------------------------------------------------------- */

void request_on_news(struct request *request);   /* of its transaction. It may be freed */
void request_on_chunks(struct request *request); /* chunks came back, its turn: the same bytes are shown again */

/* -- request_hand.c ------------------------------------------------------------------------------------------ */

/* PARSING, the form is whole, there is a client: what its application is going to be told, if it has one. False: err says why. */
bool hand_get_ready(struct request *request, struct error *err);

/* How far the transaction of one that is HELD may go now. */
enum txn_goal hand_goal(const struct request *request);

/* That goal was reached without a failure, and is not TXN_END. True: go on to the next one; or, in state NO, err says why there is
 * none. False: the journal or the answer is awaited: on_news of the transaction comes, or `on_answer`, and then ask again. */
bool hand_go_on(struct request *request, void (*on_answer)(struct request *request), struct error *err);

/* HELD, and something else ends it. True: what is there stays, and so the form is to be ended, not to be given up. */
bool hand_stop(struct request *request);

void hand_free(struct request *request); /* but the answer, which answer_discharge() frees */

/* -- request_commit.c, request_facts.c ------------------------------------------------------------------------ */

/* Takes the next steps of HELD and ABORTING until something must be waited for. An ABORTING one does not wait for stores
 * that have not answered once the intake is cutting. */
void request_step(struct request *request);

/* The first error decides: everything is given up. May be called at any time; later errors change nothing. */
void request_fail(struct request *request, const struct error *error);
void request_failf(struct request *request, enum error_kind kind, const char *sentence);

/* Logs the facts of its parts, then frees these and the transaction; n_parts says how many there were. */
void request_free_form(struct request *request);

/* Logs and counts what is there, or may be, of a form that was given up, unless its parts are committed one by one. Once its transaction is over. */
void request_tell_left(const struct request *request);

/* -- request_deadlines.c ---------------------------------------------------------------------------------------- */

enum deadline { DEADLINE_NONE, DEADLINE_CLOSE, DEADLINE_IDLE, DEADLINE_TURN, DEADLINE_MEMORY, DEADLINE_TOTAL };

void deadlines_start(struct request *request,
	void (*fire)(struct timer *timer)); /* with its first line; fire: ask deadlines_passed() */
enum deadline deadlines_passed(const struct request *request); /* NONE: deadlines_set() */
void deadlines_know_table(struct request *request);            /* what the route file says holds from its head on */
void deadlines_note_byte(struct request *request);             /* its client brings something, or may again */
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
bool scheduler_after_piece(struct request *request,
	size_t len); /* `len` more have been read; true: it must wait for its turn, paused */
void scheduler_await(struct request *request);
void scheduler_leave(struct request *request); /* neither has it nor waits for it any more */
struct request *scheduler_pass_on(
	struct read_scheduler *scheduler); /* each time that clients have been read: whom to resume, or NULL */

/* -- pace.c, stalled.c --------------------------------------------------------------------------------------- */

void pace_enter(struct request *request);        /* its form begins to come in: REQ_PARSING */
void pace_leave(struct request *request);        /* it is whole, or given up */
void pace_note_bytes(struct request *request);   /* some came */
void pace_note_resumed(struct request *request); /* up to now the client was not what it waited for */
#define PACE_MS                                                                                                    \
	10000u /* how long a client may bring too little: who has a reserve, while others wait; and of limits.min_rate */
#define PACE_MOVED_BYTES 4096u        /* what is more than drops */
#define PACE_KEPT_BYTES (160u * 1024) /* what keeps a reserve, in PACE_MS */

uint64_t pace_owed(const struct request *request); /* what limits.min_rate wants in PACE_MS */
void pace_look_later(struct intake *intake);       /* stalled.c looks at all of them then */

void stalled_start(struct intake *intake);
void stalled_stop(struct intake *intake);

#endif
