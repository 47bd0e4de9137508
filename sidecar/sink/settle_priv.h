// SPDX-License-Identifier: MIT
/* settle_priv.h - what settle.c (all objects, begin and end), settle_task.c (what is to become of one, and what is said of it),
 * settle_ask.c (what is asked, and what the answer means) and settle_notice.c (what applications are told and asked) share. All on
 * the loop of the state. */
#ifndef PENSTOCK_SETTLE_PRIV_H
#define PENSTOCK_SETTLE_PRIV_H

#include "base/log.h"
#include "channel/blocks.h"
#include "sink/settle.h"
#include "sink/sink.h"

#define SETTLE_PAUSE_MIN_MS 500u /* between two questions about one object; twice as long each time, up to ... */
#define SETTLE_PAUSE_MAX_MS 30000u

enum task_state { TASK_WAITING, TASK_ASKING, TASK_TOLD };

struct task {
	struct settle *settle;
	struct task *next;
	struct dead_object *object;
	enum task_state is;
	struct relic relic;
	struct table *table; /* ASKING: of the destination that is asked; held */
	const char *upload;  /* not known to be gone yet; NULL: none */
	struct exchange *exchange;
	struct timer due;
	uint64_t pause_ms;
	uint64_t until_ms; /* WATCHED: when it has been gone for long enough */
	bool is_gone;      /* WATCHED */
	bool has_failed;   /* and that was said */
	const char *told;  /* TOLD: a constant */
};

#define NOTICES_ASKING_MAX 4u /* questions at a time, each to another application */

struct notice; /* settle_notice.c's */

struct notices {
	struct notice *first;
	struct timer due;
	struct blocks *blocks;                     /* what questions are charged to */
	struct notice *asking[NOTICES_ASKING_MAX]; /* NULL: nobody */
	unsigned n_asking;
	uint64_t say_at_ms; /* not before: the next line that one was not answered */
};

struct settle {
	struct settle_setup setup;
	struct table *table;
	struct table *next_table; /* main's until the mail that brings it is delivered */
	struct mail table_mail;
	struct engine engine;
	struct timer look;
	struct notices notices;
	struct task *tasks;
	unsigned n_asking;
	struct counter n_waiting; /* not gone yet, and can be */
};

/* Takes what dead processes have left since, or what may be taken back by now. */
void settle_take_all(struct settle *settle);

/* -- settle_notice.c ---------------------------------------------------------------------------------- */

bool settle_notices_init(struct settle *settle); /* false: out of memory */
void settle_notices_fini(struct settle *settle);
void settle_notices_take(void *settle);           /* all that the state knows of and nobody has taken yet */
void settle_notices_again(struct settle *settle); /* another table is in force */

/* -- settle_task.c ------------------------------------------------------------------------------------ */

/* There is no object, and nobody sees what is left of it. */
bool settle_task_is_upload(const struct task *task);

/* What is said of it. */
struct task_words {
	const char *later; /* it cannot be taken back now */
	const char *now;   /* it can, after that */
	const char *let_be;
};
const struct task_words *settle_task_words(const struct task *task);

void settle_task_move(struct task *task, enum task_state to);
void settle_task_ask_after(struct task *task, uint64_t ms);
uint64_t settle_task_next_pause(struct task *task); /* the next one is twice as long */

void settle_task_say(enum log_level level, const struct task *task, const char *what, const char *why);
void settle_task_say_if_all_gone(const struct task *task); /* once for each form */

/* Its destination as it is now: WAITING or TOLD. */
void settle_task_place(struct task *task);

/* -- settle_ask.c -------------------------------------------------------------------------------------- */

/* False: out of memory. */
bool settle_task_add(struct settle *settle, struct dead_object *object);
void settle_task_free(struct task *task);

#endif
