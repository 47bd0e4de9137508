// SPDX-License-Identifier: MIT
/* http_priv.h - what the files of this room share: worker, connection, request. All of it belongs to the
 * worker's thread, except where worker.h says [any]. */
#ifndef PENSTOCK_HTTP_PRIV_H
#define PENSTOCK_HTTP_PRIV_H

#include "decide/decide.h"
#include "http/worker.h"
#include "part/parts.h"
#include "reply/reply.h"
#include "request/trust.h"

#include <microhttpd.h>
#include <time.h>

/* libmicrohttpd reads the body in pieces of half its connection memory, and the size of one recv and one send
 * decides what a byte costs. But its connection memory is one figure for a whole daemon, and what has been
 * filled stays resident. So each worker drives three daemons: a few connections at a time get large pieces, some
 * middling ones, and a crowd beyond those small ones: hundreds at once must fit beside the pool. Pages that were never
 * filled are never resident, so a slow client costs little in each. */
enum lane_size { LANE_LARGE, LANE_MIDDLE, LANE_SMALL, N_LANES };

#define LANE_LARGE_MEMORY (4096u * 1024)
#define LANE_MIDDLE_MEMORY (256u * 1024)
#define LANE_SMALL_MEMORY (64u * 1024) /* a head has to fit, too; gateways pass on 16 KiB of it */

#define DISCARD_DEFAULT (64u * 1024 * 1024) /* where no route was found that says otherwise */
#define DISCARD_MS 10000u                   /* how long bytes are read and thrown away after a refusal */

enum worker_state { WORKER_RUNNING, WORKER_DRAINING, WORKER_CLOSED, WORKER_STOPPED };

struct worker {
	struct worker_setup setup;
	struct table *table;      /* in force for what comes next; held */
	struct table *next_table; /* main's until the mail that brings it is delivered */
	enum worker_state state;
	bool is_aborting; /* answer and close, do not linger */
	bool is_cutting;  /* and wait for no store any more */
	struct timer cut; /* when that begins */
	struct lane {
		struct worker *worker;
		size_t memory; /* of one connection; a piece of body is half of it */
		struct MHD_Daemon *daemon;
		struct watch watch; /* libmicrohttpd's own epoll descriptor */
		bool is_due;        /* MHD_run() has something to do */
		uint64_t n_connections;
	} lanes[N_LANES];
	struct hook daemon_hook;
	struct acceptor *acceptors; /* acceptor.c */
	struct timer accept_again;  /* after running out of descriptors */
	struct greeting *greetings; /* proxy_handshake.c: PROXY headers that are still coming */
	struct connection *connections;
	struct connection *nudges; /* to be nudged when libmicrohttpd has run */
	uint64_t n_connections, n_kept_alive;
	struct request *requests;               /* all that are not freed, also those whose client is gone */
	struct request *waiting, **waiting_end; /* for chunks of the pool, first come first served */
	struct request *changed;                /* their transfers have news */
	struct blocks *blocks;                  /* what is smaller than a chunk, for all of them */
	struct pool_waiter pool_waiter;
	struct mail pool_mail;    /* chunks came back */
	struct queue_side side;   /* of setup.queue */
	struct mail queue_mail;   /* some of `side` have been granted what they waited for */
	size_t n_awaiting;        /* requests that are REQ_WAITING */
	struct mail command_mail; /* table, drain, abort */
	struct turns {
		struct request *taken_by;     /* NULL: nobody has the turn */
		struct request *first, **end; /* who waits for it, suspended */
		uint64_t bytes;               /* read in this turn */
		bool was_used;                /* since libmicrohttpd ran last */
	} turns;
	struct stalled {
		struct request *first,
			*last; /* those whose forms come in: the one that moved least lately is the first */
		struct timer look;
	} stalled;
};

/* -- acceptor.c ------------------------------------------------------------------------------------ */

bool acceptor_start(struct worker *worker, struct error *err);
void acceptor_pause(struct worker *worker);  /* as many connections as there may be */
void acceptor_resume(struct worker *worker); /* room again */
void acceptor_stop(struct worker *worker);   /* closes the listening sockets */

/* Gives the connection to libmicrohttpd, as that of a client at `addr`. */
void acceptor_hand_over(struct worker *worker, int fd, const struct sockaddr *addr, socklen_t len);

/* -- proxy_handshake.c ------------------------------------------------------------------------------------ */

void greeting_new(struct worker *worker, int fd, const struct sockaddr_storage *peer, socklen_t len);
void greeting_close_all(struct worker *worker);

/* -- connection.c ---------------------------------------------------------------------------------- */

/* One client connection: deadlines for heads, and a watch for a hang-up that libmicrohttpd would not
 * notice while the connection is suspended. Made and freed by libmicrohttpd's connection notification. */
struct connection {
	struct worker *worker;
	struct lane *lane;
	struct MHD_Connection *mhd;
	struct watch watch;
	struct timer deadline;   /* of the next head */
	struct request *request; /* the one under way, or NULL */
	struct request *begun;   /* the same, but from its first line on */
	bool kept_alive;         /* counts in n_kept_alive */
	bool is_idle;            /* between an answer and the first line of the next head */
	bool has_hung_up;        /* the client has closed its sending side */
	bool is_nudged;          /* is in worker->nudges */
	struct connection *next_nudge;
	struct connection *next, **link;
};

void connection_notify(
	void *lane, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what);
struct connection *connection_of(struct MHD_Connection *mhd); /* NULL: out of memory when it was accepted */
void connection_begin_request(struct connection *connection, struct request *request);
void connection_end_request(struct connection *connection); /* the next head may come */
bool connection_keep_alive(struct connection *connection);  /* may it stay after this answer? Then it counts */
/* libmicrohttpd's epoll is edge-triggered and takes a short read for "nothing left", so an end of the stream
 * that came together with the last bytes goes unnoticed. A nudge after its run makes it look once more. */
void connection_nudge(struct connection *connection);
void connection_nudge_all(struct worker *worker);
void connection_watch_room(struct connection *connection, bool on); /* answer_go_on() when there is room */
void connection_shut(struct connection *connection);                /* libmicrohttpd will see it closed */
/* Without a request: shuts it, but whose head may be on its way is soon told 503 instead of nothing. */
void connection_drain(struct connection *connection);

/* -- read_scheduler.c --------------------------------------------------------------------------------------- */

enum turn { TURN_NONE, TURN_TAKEN, TURN_AWAITED };

void turns_init(struct turns *turns);
void turn_after_piece(struct request *request, size_t len); /* may suspend it, until its turn */
void turn_leave(struct request *request);                   /* neither has it nor waits for it any more */
void turns_pass_on(struct turns *turns);                    /* each time that libmicrohttpd has run */

/* -- stalled.c ------------------------------------------------------------------------------------- */

void stalled_start(struct worker *worker);
void stalled_stop(struct worker *worker);
void stalled_enter(struct request *request);        /* its form begins to come in: REQ_PARSING */
void stalled_leave(struct request *request);        /* it is whole, or given up */
void stalled_note_bytes(struct request *request);   /* some came */
void stalled_note_resumed(struct request *request); /* until now it was not its client that was waited for */

/* -- request.c, request_head.c, request_wait.c, request_body.c, request_commit.c ----------------------- */

/* A request's life. The body's is beside it: bytes may still come in while the fate is settled.
 *
 *   HEAD ─admitted▶ PARSING ─form whole▶ HELD ─all committed▶ SETTLED ─▶ ANSWERED
 *     │ │       ▲      └──────any error───┴─▶ ABORTING ─all transfers ended▶ ┘
 *     │ └─ no memory ▶ WAITING ─too long, draining, client gone▶ SETTLED
 *     └─refused─▶ SETTLED
 *
 * WAITING: its body has not been asked for, and what has come of it lies in libmicrohttpd and the socket.
 * HELD: the form is good, its objects are being completed. ABORTING: transfers are being cancelled and what
 * was committed is being undone; the body is read on and thrown away. SETTLED: the answer stands.
 * ANSWERED: the answer is with libmicrohttpd or in the socket. */
enum request_state { REQ_HEAD, REQ_WAITING, REQ_PARSING, REQ_HELD, REQ_ABORTING, REQ_SETTLED, REQ_ANSWERED };

struct request {
	struct worker *worker;
	struct connection *connection; /* NULL once the client's connection is closed */
	struct table *table;           /* that it goes by; held from its head on */
	enum request_state state;
	struct buf target; /* the request target as sent */
	struct head head;
	char method[24]; /* for the log, cut to fit */
	struct decision decision;
	char id[129];         /* X-Request-Id, taken or made */
	bool id_is_ours;      /* made */
	char traceparent[64]; /* "" if none came */
	char client[TRUST_ADDRESS_MAX];
	struct naming naming;
	struct buf location;  /* that the answer to a good form redirects to; empty: it does not */
	struct txn *txn;      /* as long as there are parts */
	struct parts *parts;  /* NULL before admission, and once the answer is made */
	size_t n_parts;       /* that there were, once the answer is made */
	size_t answer_charge; /* bytes of worker->blocks, for an answer that the client may not read for long */
	struct error error;   /* the first one; ERR_NONE: all is well */
	uint64_t seen;        /* bytes of body that libmicrohttpd has shown us, consumed or not */
	uint64_t taken;       /* bytes of body consumed */
	uint64_t discarded;   /* of these, thrown away after a refusal */
	bool is_counted;      /* in table->active */
	bool body_ended;      /* libmicrohttpd said that the body is complete */
	bool answered_early;  /* the answer went out while the body still came in */
	struct buf early;     /* what of it the socket has not taken yet begins at early_sent */
	size_t early_sent;
	bool suspended;
	struct queue_place place; /* while WAITING */
	bool is_head_due;         /* it was suspended with its head, so libmicrohttpd shows that once more */
	bool waits_for_chunks;    /* is in worker->waiting */
	bool is_stepping;         /* request_step() is running: do not nest */
	struct timer timer;       /* the nearest of the deadlines below */
	uint64_t started_ms, active_ms, total_at_ms, wait_until_ms, discard_until_ms;
	unsigned status;              /* of the answer, for the log */
	struct request *next, **link; /* worker->requests */
	struct request *next_waiting;
	bool is_changed; /* is in worker->changed */
	struct request *next_changed;
	enum turn turn;
	struct request *next_turn;
	uint64_t moved_ms, moved_at;     /* when its client brought more than drops, and what had been taken then */
	struct request *slower, *faster; /* worker->stalled */
	uint64_t suspended_ms;           /* when it was suspended last */
	uint64_t pace_ms,
		pace_at; /* when it brought so much that it may keep a reserve, and what had been taken then */
};

/* libmicrohttpd's callbacks */
void *request_on_target(void *lane, const char *target, struct MHD_Connection *mhd);
enum MHD_Result request_on_access(void *lane, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload_data, size_t *upload_data_size, void **context);
void request_on_completed(
	void *lane, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why);

/* Its connection is over, or free for the next one. */
void request_leave_connection(struct request *request);

void request_move(struct request *request, enum request_state to);

/* The answer is made, with `body` bytes: whatever the request held of the budget but for that comes back, however slowly its
 * client reads, or goes on sending. */
void request_let_go(struct request *request, size_t body);

/* The first error settles the fate: everything is given up. Callable at any time; later errors are kept out. */
void request_fail(struct request *request, const struct error *error);
void request_failf(struct request *request, enum error_kind kind, const char *sentence);

void request_suspend(struct request *request); /* only from within request_on_access() */
void request_resume(struct request *request);  /* not suspended: nothing */
void request_set_timer(struct request *request);

/* Frees it (and logs it) if its client's connection is closed and nothing is under way any more: the last
 * thing that each entry from outside libmicrohttpd does. */
void request_free_if_over(struct request *request);

/* The client has closed its sending side while libmicrohttpd does not look (suspended). */
void request_on_hangup(struct request *request, bool is_reset);

/* request_head.c: decides, and answers at once where the answer is no. */
enum MHD_Result request_on_head(struct request *request, const char *url, const char *method, const char *version);
size_t request_piece(const struct request *request); /* most bytes of body that come at once */
uint64_t request_body_most(
	const struct request *request); /* bytes that it can have, LIMIT_NONE: any; of an allowed request */

/* request_wait.c: HEAD -> PARSING, or WAITING for the memory that its route needs; and who waits on this worker. */
void request_take_memory(struct request *request);
void request_fail_for_memory(struct request *request); /* it has waited too long */
void request_leave_queue(struct request *request);     /* it is WAITING no more */
void waits_start(struct worker *worker);
void waits_look_again(struct worker *worker); /* chunks came back */
void waits_drain(struct worker *worker);      /* nobody will be let in any more */

/* request_body.c: a piece of body, and its end. *len is what is left unconsumed. */
enum MHD_Result request_on_body(struct request *request, const char *data, size_t *len);
enum MHD_Result request_on_end(struct request *request);
void request_on_news(void *request); /* of its transaction */
void requests_look_at_news(struct worker *worker);
void request_on_chunks(struct request *request); /* chunks came back, its turn */

void request_log_facts(const struct request *request); /* request_facts.c: before its parts go; none: nothing */

/* request_commit.c: takes the next steps of HELD and ABORTING until something must be waited for. Stores that owe an
 * answer to an ABORTING one are not waited for once the worker is cutting. */
void request_step(struct request *request);

/* -- answer.c -------------------------------------------------------------------------------------- */

/* Answers through libmicrohttpd: in the first access call, or after the body. */
enum MHD_Result answer_queue(struct request *request); /* and gives the client time to read it, but not for ever */

/* Answers straight into the socket while the body is still coming in: libmicrohttpd takes a response only
 * before or after the body, and a client that is still sending 5 GB should know now. The connection is closed
 * when the rest of the body has been read, or the discard budget is spent. */
void answer_early(struct request *request);
void answer_go_on(struct request *request); /* the socket takes more of it */
/* Nothing of an early answer waits for room in the socket; true also where there is none. */
bool answer_is_out(const struct request *request);

/* -- mhd_head.c ------------------------------------------------------------------------------------ */

/* The head lives in the request; its headers can be asked for as long as the connection is there. */
void mhd_head_init(struct request *request, const char *method, const char *version);

/* After that, in the first access call, with its `url`: is the head plain, or is there something in it that others
 * may read differently from libmicrohttpd? False: ERR_BAD_REQUEST. */
bool mhd_head_check(const struct request *request, const char *url, struct error *err);

/* -- identity.c ------------------------------------------------------------------------------------ */

/* Who the client is and what the request is called: id, traceparent, client. What others say of it counts only from
 * those who are trusted. True: the sender is one of them. */
bool identity_take(struct request *request);

#endif
