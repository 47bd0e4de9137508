// SPDX-License-Identifier: MIT
/* call.h - one request to S3 and its answer: signed, sent, and sent again while that may help.
 *
 *   IDLE ─begin▶ ASKING ─▶ on_end: IDLE             stop: IDLE, without on_end
 *                 ▲  │ no answer, 429, 5xx ...
 *                 └ WAITING (longer each time, and by chance a little more or less)
 *
 * All on the engine's thread. on_end may begin the call anew, or free what it lies in. */
#ifndef PENSTOCK_S3_CALL_H
#define PENSTOCK_S3_CALL_H

#include "sink/engine.h"
#include "sink/exchange.h"
#include "sink/s3/answer.h"
#include "sink/s3/counts.h"
#include "sink/s3/judge.h"
#include "sink/s3/settings.h"
#include "sink/s3/sign.h"

#define S3_VERSION_MAX 1024 /* bytes of a version's id, as S3 has it */

/* What all calls of one object share. Borrowed. */
struct s3_object {
	struct engine *engine;
	const struct destination *to;
	struct s3_keyring *keyring;
	struct s3_counts *counts; /* NULL: nobody counts */
	const char *target;       /* '/' and the key, escaped */
	struct http_peer peer;    /* of `to`, without its header lines, of which not all go with each call */
};

enum s3_whose_headers {
	S3_HEADERS_ALL,  /* the request makes an object */
	S3_HEADERS_SOME, /* only who pays, who owns the bucket, and a key to the object's encryption */
};

/* What is asked. Borrowed until the end, with all that it points to. */
struct s3_ask {
	enum s3_operation op;
	const char *method;
	struct str query; /* escaped, or STR_NONE */
	const struct exchange_line
		*lines; /* beside those of the signature and the destination; a NULL value is left out */
	size_t n_lines;
	enum s3_whose_headers headers;
	enum exchange_body body;
	struct str whole;
	uint64_t length;
	size_t unit;
	const char *payload; /* hex of its SHA-256, or S3_UNSIGNED_PAYLOAD */
	bool wants_document;
	enum s3_answer_kind document; /* which */
	bool is_conflict_once;
	bool is_patient;     /* silence alone does not end it */
	unsigned tries_more; /* how often it may be sent again */
	uint64_t
		until_ms; /* after that it is not, and no answer is waited for; CLOCK_NEVER: as timeout.total has it */
};

/* Does this line of the route file go with it? */
bool s3_ask_takes_line(const struct s3_ask *ask, const char *name);

/* What came. Texts are "" where there are none. */
struct s3_reply {
	enum s3_fate fate;  /* never S3_AGAIN where that could still be */
	struct error error; /* not S3_DONE: why */
	unsigned status;    /* of the last answer; 0: none came */
	bool is_open;       /* of some try nobody knows whether it was carried out */
	bool may_come;      /* and none of its answer came: it may still be on its way there */
	bool is_lost; /* is_open, and it was not an error in S3's own words, after which hardly anything was done */
	unsigned retry_after_s;
	char code[64];
	char etag[80];
	char version[S3_VERSION_MAX + 1]; /* as sent */
	char id[40];                      /* x-amz-meta-penstock-id */
	char date[40];
};

enum s3_call_state { S3_CALL_IDLE, S3_CALL_ASKING, S3_CALL_WAITING };

struct s3_call {
	const struct s3_object *object;
	enum s3_call_state state;
	struct exchange *exchange;
	struct exchange_request request;
	struct exchange_line *lines;
	size_t room; /* of lines */
	struct buf target;
	struct s3_signed signature;
	struct s3_keys *keys; /* that it is signed with */
	struct s3_answer *answer;
	struct timer timer;
	unsigned tries;
	struct s3_reply reply;
	const struct s3_ask *ask;
	/* the owner's */
	size_t (*on_read)(void *arg, char *to, size_t room);
	void (*on_rewind)(void *arg);
	/* of a list of uploads: its answer begins, and what was told of an earlier one does not count; one of them */
	void (*on_list)(void *arg);
	void (*on_upload)(void *arg, const struct s3_answer_upload *upload);
	void (*on_end)(void *arg, const struct s3_reply *reply);
	void *arg;
};

/* The owner's fields are set, the others zeroed. False: out of memory; s3_call_fini() is fine then, too. */
bool s3_call_init(struct s3_call *call, const struct s3_object *object);
void s3_call_fini(struct s3_call *call);

/* IDLE -> ASKING. False: nothing was sent, err says why. */
bool s3_call_begin(struct s3_call *call, const struct s3_ask *ask, struct error *err);

/* Writes `request` as s3_call_begin() would send it, for somebody who sends it once himself; it points into the call. The call
 * may be without s3_call_init(): zeroed, but for `object`. False: err says why. */
bool s3_call_prepare(struct s3_call *call, const struct s3_ask *ask, struct error *err);

void s3_call_stop(struct s3_call *call); /* -> IDLE */
bool s3_call_is_idle(const struct s3_call *call);

/* Some try may have been carried out, as far as is known now. */
bool s3_call_is_open(const struct s3_call *call);

/* A try is under way, and may have been carried out. */
bool s3_call_is_under_way(const struct s3_call *call);

/* Some try may have been carried out, but for those that were answered by an error in S3's own words. */
bool s3_call_may_be_lost(const struct s3_call *call);

/* Nobody waits any longer than that for the try that is under way, and there is no other. */
void s3_call_hurry(struct s3_call *call, uint64_t until_ms);

#endif
