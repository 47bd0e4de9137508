// SPDX-License-Identifier: MIT
/* s3_survey_priv.h - what s3_survey.c (begins and ends, and knows what the route files rely on), s3_survey_try.c (tries objects),
 * s3_survey_parts.c (tries multipart uploads), s3_survey_link.c (follows a link) and s3_survey_ask.c (signs, sends, and removes what was
 * made) share. */
#ifndef PENSTOCK_S3_SURVEY_PRIV_H
#define PENSTOCK_S3_SURVEY_PRIV_H

#include "base/uuid.h"
#include "sink/s3/credentials.h"
#include "sink/s3/settings.h"
#include "sink/survey_ask.h"
#include "sink/survey_found.h"

#define S3_SURVEY_BODY 4096u
#define S3_SURVEY_KEY_SIZE (sizeof "/" SURVEY_PREFIX + UUID_SIZE)
#define S3_SURVEY_LINES 8u   /* header lines of a step, at most */
#define S3_SURVEY_THINGS 10u /* things that are there at the same time, at most */

/* A version of an object, or an upload that is not finished. */
struct s3_survey_thing {
	const char *key; /* '/' and the key; borrowed from the trial */
	char version[SURVEY_VALUE_MAX + 1];
	struct buf upload; /* escaped id; empty: it is an object */
	bool is_gone;
};

struct s3_trial {
	struct survey *survey;
	const struct destination *to;
	const struct s3_settings *settings;
	struct http_peer peer; /* without its header lines, which are signed with the others */
	struct s3_keyring *keyring;
	struct s3_survey_thing things[S3_SURVEY_THINGS];
	size_t n_things;
	char body[S3_SURVEY_BODY];
};

enum s3_ability {
	S3_REACHABLE,
	S3_CREDENTIALS,
	S3_PUT,
	S3_GET,
	S3_LINK,
	S3_CONDITIONAL_PUT,
	S3_LIST,
	S3_MULTIPART,
	S3_CONDITIONAL_COMPLETE,
	S3_LIST_UPLOADS,
	S3_ABORT,
	S3_CHECKSUM,
	S3_DELETE,
	S3_REMOVED,
	S3_N_ABILITIES
};

struct s3_tour {
	struct s3_trial trial;
	struct survey_found found[S3_N_ABILITIES];
	const char *why_not; /* why the rest was not tried; a constant */
	char first[S3_SURVEY_KEY_SIZE], second[S3_SURVEY_KEY_SIZE], third[S3_SURVEY_KEY_SIZE]; /* '/' and the key */
	struct s3_digest digest;
	char payload[S3_DIGEST_HEX_SIZE];
	struct {
		unsigned lifetime_s; /* of the rule with the longest; 0: no rule has one */
		bool shows;          /* no rule wants the attachment that a link is by default */
	} link;
};

/* One request. */
struct s3_step {
	const char *method;
	const char *key; /* '/' and the key, or "/": the bucket */
	struct str query;
	struct exchange_line lines[S3_SURVEY_LINES]; /* a NULL name or value is left out */
	bool has_body, is_removal;
	bool makes; /* an object, or begins one: the header lines of the route file go with it */
	struct str body;
	const char *payload; /* NULL: not signed */
};

enum s3_survey_value { S3_SURVEY_ETAG, S3_SURVEY_VERSION };

struct s3_result {
	bool is_good;    /* 2xx, and no <Error> */
	bool is_ended;   /* the probe was interrupted, so nothing is known */
	unsigned status; /* 0: no answer */
	char words[240]; /* "it answered 403 AccessDenied" */
	char code[64];   /* of an <Error>, or "" */
	char etag[SURVEY_VALUE_MAX + 1], version[SURVEY_VALUE_MAX + 1];
	struct buf body;   /* for the caller to free */
	struct buf upload; /* escaped id of an upload that was created; likewise */
};

void s3_survey_ask(struct s3_trial *trial, const struct s3_step *step, struct s3_result *result);
void s3_result_free(struct s3_result *result);

/* Notes a thing that is to be removed at the end. */
struct s3_survey_thing *s3_survey_remember(struct s3_trial *trial, const char *key);

/* True: it is gone. */
bool s3_survey_remove(struct s3_trial *trial, struct s3_survey_thing *thing, struct s3_result *result);

void s3_survey_found(struct s3_tour *tour, enum s3_ability ability, bool can, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Was the probe interrupted? Then that is why the rest was not tried. */
bool s3_survey_is_over(struct s3_tour *tour);

/* s3_survey_try.c */
void s3_survey_prepare(struct s3_tour *tour); /* body, keys, checksum */
void s3_survey_try_all(struct s3_tour *tour); /* remembers what it makes */
bool s3_survey_gives_back(struct s3_tour *tour, const char *key, bool is_removal, struct s3_result *result);
struct str s3_survey_body(const struct s3_tour *tour);
const char *s3_survey_payload(const struct s3_tour *tour);
void s3_survey_add_checksum(const struct s3_digest *digest, struct exchange_line *line);
void s3_survey_found_condition(struct s3_tour *tour, enum s3_ability ability, const struct s3_result *result);

/* Tries whether the key is in a list; `which` begins the query of that ("uploads="). */
void s3_survey_try_list(struct s3_tour *tour, enum s3_ability ability, const char *which, const char *key);

/* s3_survey_link.c */
void s3_survey_try_link(struct s3_tour *tour);

/* s3_survey_parts.c */
bool s3_survey_try_multipart(struct s3_tour *tour); /* false: there is no need to try the others */
void s3_survey_try_conditional_complete(struct s3_tour *tour);
void s3_survey_try_abort(struct s3_tour *tour); /* and whether the upload is listed before that */

#endif
