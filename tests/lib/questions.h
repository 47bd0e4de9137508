// SPDX-License-Identifier: MIT
/* questions.h - questions that a test asks of an application, on an engine of its own, and what was told of their answers. */
#ifndef PENSTOCK_TEST_QUESTIONS_H
#define PENSTOCK_TEST_QUESTIONS_H

#include "lib/peer.h"
#include "sink/app/ask.h"

#define QUESTIONS_ANSWER_MAX 1000 /* bytes */

struct told { /* of one question */
	unsigned n;
	struct app_answer answer;
};

/* GET /a of the destination "app" at this URL; wants Location, Set-Cookie and Penstock-Grant-*. One at a time. */
struct question questions_of(const char *url, const char *method);

struct asking *questions_begin(const struct question *question, struct told *told);
void questions_ask(const struct question *question, struct told *told); /* and waits until it is told, once */
void questions_forget(struct told *told); /* frees the answer, and the question's URL */

struct blocks *questions_blocks(void);
struct peer *questions_peer(peer_script script, const void *arg);

/* For cmocka: the loop of until.h, libcurl and memory; an engine, and so connections, for each case. All that was charged must be
 * back at the end. */
int questions_set_up(void **state);
int questions_tear_down(void **state);
int questions_begin_case(void **state);
int questions_end_case(void **state);

#endif
