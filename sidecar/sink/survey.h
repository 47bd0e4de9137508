// SPDX-License-Identifier: MIT
/* survey.h - `penstock probe`: is a destination as the route files rely on it? Each kind tries its own (the hook `survey` of
 * sink.h), one destination after the other, and notes a finding for each ability. What it puts to try a destination
 * has a name that begins with SURVEY_PREFIX, or none, and is removed again.
 *
 *   TRYING ─signal▶ CLEANING ─signal▶ LEAVING       CLEANING: tries no more, and removes what was put; LEAVING: not even that
 *
 * Everything on the thread that calls survey_run(), which blocks; nothing else runs in the process. */
#ifndef PENSTOCK_SURVEY_H
#define PENSTOCK_SURVEY_H

#include "base/error.h"
#include "config/route.h"
#include "sink/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SURVEY_PREFIX ".penstock-probe-"
#define SURVEY_FINDINGS_MAX 32 /* of one destination */
#define SURVEY_CLEAN_MS                                                                                            \
	5000u /* longest time for each request that removes something, once somebody wants it to end */

enum survey_answer { SURVEY_NOT_TRIED, SURVEY_YES, SURVEY_NO };
enum survey_state { SURVEY_TRYING, SURVEY_CLEANING, SURVEY_LEAVING };

struct survey_finding {
	const char *ability; /* a constant */
	enum survey_answer answer;
	char relied_on[64]; /* what of the route files needs it, "undo: DELETE"; "": nothing does */
	char sentence[256]; /* for people, without a full stop; may be "" */
};

struct survey_findings {
	const struct destination *to;
	const char *type; /* its kind's word */
	size_t n;
	struct survey_finding items[SURVEY_FINDINGS_MAX];
};

struct survey {
	const struct config *config;
	uint64_t hold_ms; /* how long a store has to bear silence; 0: that is not tried */
	struct loop *loop;
	struct engine engine; /* on `loop`, which turns only while somebody waits in survey_ask() */
	enum survey_state state;
	struct survey_findings findings; /* of the destination that is tried */
	struct watch signals;
};

/* What a kind finds. `relied_on` may be NULL. */
void survey_note(struct survey *survey, const char *ability, enum survey_answer answer, const char *relied_on,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Has somebody asked for the end? Then nothing more is tried. */
bool survey_is_over(const struct survey *survey);

/* Something that the route files rely on is not kept. */
bool survey_is_broken(const struct survey_finding *finding);

struct survey_listener {
	void (*on_destination)(
		void *arg, const struct survey_findings *findings); /* each is done; in their order */
	void *arg;
};

/* Tries all destinations. *was_ended: a signal (SIGINT, SIGTERM, SIGHUP) ended it before it had tried all. False: it could
 * not begin, err says why. */
bool survey_run(const struct config *config, uint64_t hold_ms, const struct survey_listener *listener,
	bool *was_ended, struct error *err);

#endif
