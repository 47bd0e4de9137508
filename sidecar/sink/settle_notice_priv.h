// SPDX-License-Identifier: MIT
/* settle_notice_priv.h - what settle_notice.c (the life of a notice, and whose turn it is) and settle_notice_ask.c (what is asked, and
 * what the answer means) share. */
#ifndef PENSTOCK_SETTLE_NOTICE_PRIV_H
#define PENSTOCK_SETTLE_NOTICE_PRIV_H

#include "sink/question.h"
#include "sink/settle_priv.h"

#define NOTICE_PAUSE_MIN_MS 1000u /* before it is asked again; twice as long each time, up to ... */
#define NOTICE_PAUSE_MAX_MS 300000u

enum notice_state { NOTICE_WAITING, NOTICE_ASKING, NOTICE_LEFT };

struct notice {
	struct settle *settle;
	struct notice *next;
	struct state_owed *owed;
	enum notice_state is;
	uint64_t due_ms, pause_ms;
	const char *left; /* LEFT: why, a constant; said once */
	bool has_failed;
	/* ASKING: */
	struct asking *asking;
	struct question question;
	struct question_line route;
	struct table *table; /* of what it points to */
};

void notice_move(struct notice *notice, enum notice_state to);
void notice_let_go(struct notice *notice); /* of what its question needed, which is over */
void notice_end(struct notice *notice);    /* its application knows: frees it */

void notice_say(enum log_level level, const struct notice *notice, const char *what, const char *why);

void notices_ask_soon(struct settle *settle); /* all that are due */

/* WAITING -> ASKING, or LEFT: a line says why. */
void notice_ask(struct notice *notice);

#endif
