// SPDX-License-Identifier: MIT
/* fake_client.h - requests whose clients a test plays: an intake with its own loop and pool, real discards behind it, and
 * clients that note what they are asked. One such world for each program, on the test's thread.
 *
 * A fake client does for its request what http/ does: it shows what came while nobody paused it, shows the rest again after a
 * resume, and closes where a call says so. */
#ifndef PENSTOCK_TEST_FAKE_CLIENT_H
#define PENSTOCK_TEST_FAKE_CLIENT_H

#include "request/request.h"
#include "sink/question.h"
#include "sink/sink.h"

#define FAKE_LINES 8
#define FAKE_CLIENTS 8 /* counts that the world's table of clients has room for */

struct fake_line {
	const char *name, *value;
};

struct fake_client {
	struct client client;
	struct request *request; /* NULL before fake_begin(), and once the client has left */
	/* what the test says of it, before fake_begin() */
	const char *method, *target;
	struct fake_line lines[FAKE_LINES]; /* of the head; the first without a name ends them */
	const char *flaw;                   /* of the head; NULL: none */
	size_t piece;
	bool stays;                        /* its connection outlives fake_leave(); fake_begin() may follow */
	bool hung_up, due, is_slow_reader; /* the last: answer_now() waits for fake_read_answer() */
	uint64_t unread;
	/* what has become of it */
	bool is_paused, is_shut, is_closed; /* closed: a call has returned false */
	bool is_head_due;
	bool is_early;   /* the answer came by answer_now() */
	unsigned status; /* of the answer; 0: none yet */
	bool without_body;
	struct str retry_after, allow; /* of its headers; STR_NONE: not there */
	struct buf body;
	char headers[2][64];
	bool has_more; /* of the answer, that it has not read */
	unsigned n_pauses;
	struct fake_client *next; /* the world's list of those that have a request */
};

/* A question to an application that a request has asked, and nobody has answered yet. */
struct asking {
	const struct question *question;
	void (*on_answer)(void *arg, struct app_answer *answer);
	void *arg;
	struct asking *next;
};

/* What the test looks at, too. */
struct fake_world {
	struct loop *loop;
	struct pool *pool;
	struct intake *intake;
	struct clients *clients;
	struct counter requests, busy;
	struct metrics metrics;
	struct asking *asked;    /* the last one first */
	bool is_deaf;            /* a question finds no memory */
	struct state *state;     /* the journal of commits; NULL: there is none */
	const struct sink *sink; /* that carries out all orders; NULL: that of each destination */
};

extern struct fake_world *const fake_world;

/* Of a route file's text, with `memory` bytes for the pool. */
void fake_world_start(const char *routes, uint64_t memory);
void fake_world_start_with(
	const char *routes, uint64_t memory, struct state *state); /* borrowed; its thread must not run */

/* Clients that a failed test has left behind leave. Then nothing may be left of any request, nor of the memory: that is checked. */
void fake_world_stop(void);
int fake_world_tear_down(void **state); /* the same, for a test of cmocka */

/* Other clients take all that the world's table has room to count, and give it back. */
void fake_fill_clients(struct client_share *shares[FAKE_CLIENTS]);
void fake_empty_clients(struct client_share *shares[FAKE_CLIENTS]);

/* A client that will POST a form with the boundary "B" to `target`. `length`: NULL for a chunked body. */
void fake_client(struct fake_client *client, const char *target, const char *length);
void fake_add_line(struct fake_client *client, const char *name, const char *value);

/* Its first line and its head. False: out of memory, there is no request. */
bool fake_begin(struct fake_client *client);

/* Shows it, and waits for whoever pauses the client meanwhile; until all is taken or the client is closed. */
void fake_send(struct fake_client *client, const char *data, size_t len);
void fake_send_text(struct fake_client *client, const char *text);

/* The same, but does not wait: how much was taken. */
size_t fake_show(struct fake_client *client, const char *data, size_t len);

/* The body is whole: until there is an answer and all of it has been read, or the client is closed. */
void fake_end(struct fake_client *client);
void fake_read_answer(struct fake_client *client);

/* It leaves its request. The fake may be used again after this. */
void fake_leave(struct fake_client *client);

/* The application answers the question that was asked last: with a status, lines "Name: value" (NULL at the end), and a body; or not
 * (`error` is not ERR_NONE). */
void fake_answer(unsigned status, const char *const *lines, const char *body);
void fake_answer_not(enum error_kind error, bool may_have_arrived);

/* One turn, but for timers; and what the thread of the journal does meanwhile. */
void fake_turn(void);
void fake_turn_state(void);

/* Turns of the loop until it is so. */
void fake_until(bool (*is_so)(const void *arg), const void *arg);
bool fake_is_answered(const void *client); /* or closed */
bool fake_is_resumed(const void *client);
bool fake_is_shut(const void *client);

#endif
