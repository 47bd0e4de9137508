// SPDX-License-Identifier: MIT
/* http_priv.h - what the files of this room share: worker and connection. All of it belongs to the worker's thread, except
 * where worker.h says [any]. */
#ifndef PENSTOCK_HTTP_PRIV_H
#define PENSTOCK_HTTP_PRIV_H

#include "base/log.h"
#include "http/worker.h"
#include "loop/acceptor.h"
#include "request/request.h"
#include "request/trust.h"

#include <microhttpd.h>

/* libmicrohttpd reads the body in pieces of half its connection memory, and the size of one recv and one send
 * decides what a byte costs. But that memory has one size for a whole daemon, and what has been
 * filled stays resident. So each worker drives four daemons: one connection that alone sends much gets huge pieces, some at a time
 * large ones, and all others small ones, because hundreds at once must fit beside the pool, or the least, if a body and its head are no
 * more than that. Pages that were never filled are never resident, so a slow client costs little in each. */
enum lane_size { LANE_HUGE, LANE_LARGE, LANE_SMALL, LANE_LEAST, N_LANES };

/* Client and store are woken less often: up to a quarter less CPU for each byte. A small form waits for half a millisecond while such a
 * piece goes through, so no more than one connection has them; with twice as much it would wait twice as long. */
#define LANE_HUGE_MEMORY (1536u * 1024)
/* Half of it stays in a core's cache between recv and send. With twice as much a small form beside large uploads waits longer by a half,
 * and no byte is cheaper; with half as much each byte is dearer by a tenth. */
#define LANE_LARGE_MEMORY (256u * 1024)
#define LANE_SMALL_MEMORY (64u * 1024) /* a head has to fit, too; gateways pass on 16 KiB of it */
/* Between two requests libmicrohttpd clears all of it, and then a half of it, which is a twentieth of what a small form costs. No less:
 * what is no more than 32 KiB libmicrohttpd takes from malloc, and so all of its pages are resident. */
#define LANE_LEAST_MEMORY (40u * 1024)

enum worker_state { WORKER_RUNNING, WORKER_DRAINING, WORKER_CLOSED, WORKER_STOPPED };

struct worker {
	struct worker_setup setup;
	struct loop *loop;
	struct intake *intake;    /* its requests */
	struct table *next_table; /* main's until the mail that brings it is delivered */
	enum worker_state state;
	struct lane {
		struct worker *worker;
		size_t memory; /* of one connection; a piece of body is half of it */
		struct MHD_Daemon *daemon;
		struct watch watch; /* libmicrohttpd's own epoll descriptor */
		bool is_due;        /* MHD_run() has something to do */
		uint64_t n_connections;
	} lanes[N_LANES];
	struct hook daemon_hook;
	struct acceptor *acceptor;    /* NULL: it accepts no more (lanes.c) */
	struct handshake *handshakes; /* proxy_handshake.c: PROXY headers that are still coming */
	struct arrival *arrivals;     /* arrival.c: not a byte of a head has come */
	struct arrival *handed;       /* arrival.c: libmicrohttpd has them, and has not begun with them yet */
	struct connection *connections;
	struct connection *nudges; /* to be nudged when libmicrohttpd has run */
	uint64_t n_connections;
	uint64_t n_kept;          /* connections that may stay */
	uint64_t kept_memory;     /* bytes of their buffers */
	struct mail command_mail; /* table, drain, abort */
};

/* -- lanes.c --------------------------------------------------------------------------------------- */

#define LANES_LEAST_BODY (16u * 1024) /* bytes; up to here the least memory does */

bool lanes_start_accepting(struct worker *worker, struct error *err);
void lanes_stop_accepting(struct worker *worker); /* for good: closes the listening sockets */

#define LENGTH_UNKNOWN UINT64_MAX

/* Gives the connection to libmicrohttpd, as that of a client at `addr`. `body`: bytes of the first one that it brings, which may be
 * wrong; LENGTH_UNKNOWN. */
void lanes_take(struct worker *worker, int fd, const struct sockaddr *addr, socklen_t len, uint64_t body);

/* Would a new connection, over which bodies of so many bytes come, not get a better one? */
bool lanes_fits(const struct lane *lane, uint64_t body);

/* There is one connection more, or less: stops accepting at the most that there may be, or goes on. */
void lanes_count_up(struct worker *worker);
void lanes_count_down(struct worker *worker);

/* -- arrival.c ------------------------------------------------------------------------------------- */

/* Gives the connection to its lane when its first bytes have come. At head_until_ms it is closed if its head is not whole. */
void arrival_new(struct worker *worker, int fd, const struct sockaddr *peer, socklen_t len, uint64_t head_until_ms);
void arrival_take_all(struct worker *worker); /* now, whatever has come */

/* libmicrohttpd begins with it: when its head must be whole. CLOCK_NEVER: that is not known, or was asked before. */
uint64_t arrival_known_until(struct worker *worker, int fd);
void arrival_forget_handed(struct worker *worker); /* libmicrohttpd has begun with all, or has closed them */
uint64_t arrival_length(struct str value);         /* of a Content-Length; LENGTH_UNKNOWN if it is none */

/* -- proxy_handshake.c ------------------------------------------------------------------------------------ */

/* At head_until_ms it is closed if its PROXY header, and the head behind it, are not whole. */
void handshake_new(
	struct worker *worker, int fd, const struct sockaddr_storage *peer, socklen_t len, uint64_t head_until_ms);
void handshake_close_all(struct worker *worker);

/* -- connection.c ---------------------------------------------------------------------------------- */

/* One client connection: deadlines for heads, and a watch for a hang-up that libmicrohttpd would not
 * notice while the connection is suspended. Made and freed by libmicrohttpd's connection notification. */
struct connection {
	struct client client; /* of its request: request/client.h */
	struct worker *worker;
	struct lane *lane;
	struct MHD_Connection *mhd;
	struct watch watch;
	struct timer deadline;   /* of the next head */
	struct request *request; /* the one under way, or NULL */
	struct request *begun;   /* the same, but from its first line on */
	bool is_paused;          /* libmicrohttpd has suspended it */
	bool is_head_due;        /* that was with the head, so libmicrohttpd shows it once more */
	bool is_telling;         /* an answer is on its way past libmicrohttpd: client.c */
	struct buf early;        /* what of it the socket has not taken yet begins at early_sent */
	size_t early_sent;
	size_t kept_memory; /* what it has of the worker's; 0: it does not stay */
	unsigned n_unfit;   /* bodies in a row that are for another lane */
	bool is_idle;       /* between an answer and the first line of the next head */
	bool has_hung_up;   /* the client has closed its sending side */
	bool is_nudged;     /* is in worker->nudges */
	struct connection *next_nudge;
	struct connection *next, **link;
};

void connection_notify(
	void *lane, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what);
struct connection *connection_of(struct MHD_Connection *mhd); /* NULL: out of memory when it was accepted */
void connection_begin_request(struct connection *connection, struct request *request);
void connection_end_request(
	struct connection *connection);                    /* its request, if any, leaves; the next head may come */
bool connection_keep_alive(struct connection *connection); /* may it stay after this answer? Then it counts */
/* libmicrohttpd's epoll is edge-triggered and takes a short read for "nothing left", so an end of the stream
 * that came together with the last bytes goes unnoticed. A nudge after its run makes it look once more. */
void connection_nudge(struct connection *connection);
void connection_nudge_all(struct worker *worker);
void connection_drop_early(struct connection *connection);          /* what waits of an early answer */
void connection_watch_room(struct connection *connection, bool on); /* client_go_on() when there is room */
void connection_shut(struct connection *connection);                /* libmicrohttpd will see it closed */
/* Without a request: shuts it, but whose head may be on its way is soon told 503 instead of nothing. */
void connection_drain(struct connection *connection);

/* -- client.c -------------------------------------------------------------------------------------- */

extern const struct client_ops client_ops;

void client_go_on(struct connection *connection); /* the socket takes more of its early answer */

/* -- callbacks.c ----------------------------------------------------------------------------------- */

void *callback_on_target(void *lane, const char *target, struct MHD_Connection *mhd);
enum MHD_Result callback_on_access(void *lane, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *data, size_t *len, void **context);
void callback_on_completed(
	void *lane, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why);

/* -- mhd_head.c ------------------------------------------------------------------------------------ */

/* Is libmicrohttpd one that refuses by itself, if it is told to be strict, what mhd_head_check() does? 0.9 would only refuse a missing
 * Host and blanks in the target, which decide/ and mhd_head_check() do, and say its refusal twice. */
bool mhd_head_is_strict(void);

/* `target` as it was sent. The headers can be asked for as long as libmicrohttpd has the request. */
void mhd_head_init(const struct connection *connection, struct head *head, struct str target, const char *method,
	const char *version);

/* After that, in the first access call, with its `url`: can other parsers read the head only as libmicrohttpd does? False:
 * ERR_BAD_REQUEST. */
bool mhd_head_check(
	const struct connection *connection, const struct head *head, const char *url, struct error *err);

#endif
