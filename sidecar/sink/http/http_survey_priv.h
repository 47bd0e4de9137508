// SPDX-License-Identifier: MIT
/* http_survey_priv.h - what http_survey.c (what is tried, and what the route files rely on) and http_survey_put.c (one object
 * that is put, read and removed) share. */
#ifndef PENSTOCK_HTTP_SURVEY_PRIV_H
#define PENSTOCK_HTTP_SURVEY_PRIV_H

#include "base/uuid.h"
#include "sink/http/settings.h"
#include "sink/survey_ask.h"
#include "sink/survey_found.h"

#define BODY_SIZE 16384u
#define TARGET_SIZE (sizeof "/" SURVEY_PREFIX + UUID_SIZE)

enum ability { REACHABLE, PUT, GET, DELETE, CHUNKED, EARLY_100, SILENCE, SLOW_BODY, POST, REMOVED, N_ABILITIES };

struct http_trial {
	struct survey *survey;
	const struct destination *to;
	const struct http_settings *settings;
	bool has_put, has_post, may_stream; /* what the rules do there */
	bool can_read;                      /* GET gave what was put */
	bool has_put_any;
	char left[TARGET_SIZE]; /* the name of what could not be removed; "": nothing */
	const char *why_not;    /* of what was not tried; a constant */
	struct survey_found found[N_ABILITIES];
	char body[BODY_SIZE];
};

/* One object that is put. */
struct attempt {
	char target[TARGET_SIZE];
	struct survey_reply reply;
	struct survey_words words;
	unsigned read_status; /* of the GET, 0: none */
	bool is_same;         /* it gave what was put */
};

/* Notes it, for the end. */
void http_survey_found(struct http_trial *trial, enum ability ability, bool can, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

void http_survey_name(char target[static TARGET_SIZE]); /* that nobody has */

/* Of what is asked at all, the rest is nothing. */
struct survey_request http_survey_request(const struct http_trial *trial, const char *method, const char *target);

/* The status of the answer, 0: there was none. */
unsigned http_survey_delete(struct http_trial *trial, const char *target, struct survey_words *words);
bool http_survey_is_gone(unsigned status); /* of a DELETE: taken, or there is nothing of the name */

/* Puts it as `request` says, which has only its body, reads it, and removes it. Whatever came of the request, some of it may be
 * there. Notes what came of DELETE, and what is left. */
void http_survey_put(struct http_trial *trial, struct survey_request *request, struct attempt *attempt);

#endif
