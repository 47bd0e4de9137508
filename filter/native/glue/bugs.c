// SPDX-License-Identifier: MIT
/* bugs.c - see glue.h. A bug that a client can bring about comes as often as that client likes, so each place is logged
 * when it is met for the first time, and then once a minute at most, with how often it was met. Only send_log(): it drops
 * a line that finds no room, where stderr would block the thread. */
#include "native/glue/glue.h"

#include <haproxy/log.h>
#include <haproxy/thread.h>

#include <string.h>
#include <time.h>

#define PLACES 16      /* more than one build can have; what there is beyond them shares the last one */
#define SECONDS_MIN 60 /* between two lines about one place */

struct place {
	struct core_bug bug;
	unsigned long long n;
	time_t logged;
};

static HA_SPINLOCK_T lock; /* of what follows; taken only at a bug */
static struct place places[PLACES];
static unsigned long long total;

static int
is_place(const struct place *place, const struct core_bug *bug)
{
	return place->n == 0 || (place->bug.line == bug->line && strcmp(place->bug.file, bug->file) == 0);
}

/* True: it is to be logged. *copy is how the place stands now. */
static int
count(const struct core_bug *bug, time_t now, struct place *copy)
{
	struct place *place = places;
	int is_due;

	while (place < &places[PLACES - 1] && !is_place(place, bug))
		place++;
	is_due = place->n == 0 || now - place->logged >= SECONDS_MIN;
	place->bug = *bug;
	place->n++;
	if (is_due)
		place->logged = now;
	*copy = *place;
	variables_set_bugs(++total);
	return is_due;
}

void
bugs_told(void *arg, const struct core_bug *bug)
{
	const struct setup *setup = arg;
	struct place place;
	int is_due;

	HA_SPIN_LOCK(OTHER_LOCK, &lock);
	is_due = count(bug, time(NULL), &place);
	HA_SPIN_UNLOCK(OTHER_LOCK, &lock);
	if (is_due)
		send_log(setup->proxy, LOG_ALERT,
			"filter penstock: a bug: must(%s) failed at %s:%d, %llu times so far; each such request is %s, "
			"HAProxy goes on. Please report it.\n",
			bug->cond, bug->file, bug->line, place.n, setup->fail_open ? "let alone" : "refused (500)");
}

void
bugs_start(void)
{
	variables_set_bugs(total);
}
