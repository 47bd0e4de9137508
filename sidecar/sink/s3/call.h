// SPDX-License-Identifier: MIT
/* call.h - one request to S3 and its answer: signs it, sends it, and sends it again while that may help.
 *
 *   IDLE ─begin▶ ASKING ─▶ on_end: IDLE             stop: IDLE, without on_end
 *                 ▲  │ no answer, 429, 5xx ...
 *                 └ WAITING (longer each time, give or take a random share)
 *
 * All on the engine's thread. on_end may begin the call anew, or free the struct that the call is in. */
#ifndef PENSTOCK_S3_CALL_H
#define PENSTOCK_S3_CALL_H

#include "sink/engine.h"
#include "sink/exchange.h"
#include "sink/retry_after.h"
#include "sink/s3/answer.h"
#include "sink/s3/counts.h"
#include "sink/s3/judge.h"
#include "sink/s3/settings.h"
#include "sink/s3/sign.h"

#define S3_VERSION_MAX 1024 /* bytes of a version's id, as S3 limits them */

/* What all calls of one object share. Borrowed. */
struct s3_object {
	struct engine *engine;
	const struct destination *to;
	struct s3_keyring *keyring;
	struct s3_counts *counts; /* NULL: calls are not counted */
	const char *target;       /* '/' and the key, escaped */
	struct http_peer peer;    /* of `to`, without its header lines, because not every call sends all of them */
};

enum s3_whose_headers {
	S3_HEADERS_ALL, /* all of the destination's lines: the request makes an object */
	S3_HEADERS_SOME, /* only those that say who pays, who owns the bucket, and by which key the object is encrypted */
};

/* What a call asks. Borrowed until on_end, with all that it points to. */
struct s3_ask {
	enum s3_operation op;
	const char *method;
	struct str query; /* escaped, or STR_NONE */
	const struct exchange_line
		*lines; /* beside those of the signature and the destination; one with a NULL value is left out */
	size_t n_lines;
	enum s3_whose_headers headers;
	enum exchange_body body;
	struct str whole;
	uint64_t length;
	size_t unit;
	const char *payload;          /* hex of its SHA-256, or S3_UNSIGNED_PAYLOAD */
	bool wants_document;          /* in a good answer */
	enum s3_answer_kind document; /* its kind */
	bool is_conflict_once;
	bool is_patient;     /* silence alone does not end a try */
	unsigned tries_more; /* how often it may be sent again */
	uint64_t
		until_ms; /* then it is not sent again, and not waited for; CLOCK_NEVER: timeout.total alone counts */
};

/* Does the call send this header line of the route file? */
bool s3_ask_takes_line(const struct s3_ask *ask, const char *name);

/* What came of the call. A text that did not come is "". */
struct s3_reply {
	enum s3_fate fate;  /* S3_AGAIN: but the tries or the time are used up */
	struct error error; /* why; unless S3_DONE */
	unsigned status;    /* of the last answer; 0: none came */
	bool is_open;       /* some try may or may not have been carried out */
	bool may_come;      /* such a try had no answer at all, so it may still be on its way to the store */
	/* some such try was not answered by 5xx with an <Error>; requests that were are hardly ever carried out */
	bool is_lost;
	struct retry_after later; /* what the last answer says of it, and its date */
	char code[64];
	char etag[80];
	char version[S3_VERSION_MAX + 1]; /* as sent */
	char id[40];                      /* x-amz-meta-penstock-id */
	bool is_sum_other;                /* its checksum of the bytes is not the one that was sent */
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
	struct s3_keys *keys; /* sign it */
	struct s3_answer *answer;
	struct timer timer;
	unsigned tries;
	struct s3_reply reply;
	const struct s3_ask *ask;
	/* the owner's */
	size_t (*on_read)(void *arg, char *to, size_t room);
	void (*on_rewind)(void *arg);
	/* for a list of uploads: on_list when an answer begins, after which all that on_upload was told before does not count */
	void (*on_list)(void *arg);
	void (*on_upload)(void *arg, const struct s3_answer_upload *upload);
	void (*on_end)(void *arg, const struct s3_reply *reply);
	void *arg;
};

/* Before, the owner's fields must be set and the others zeroed. False: out of memory; s3_call_fini() is fine then, too. */
bool s3_call_init(struct s3_call *call, const struct s3_object *object);
void s3_call_fini(struct s3_call *call);

/* IDLE -> ASKING. False: nothing was sent, err says why. */
bool s3_call_begin(struct s3_call *call, const struct s3_ask *ask, struct error *err);

/* Writes call->request as s3_call_begin() would send it, for a caller that sends it once by itself; it points into the call.
 * Instead of s3_call_init() it is enough that the call is zeroed and `object` set. False: err says why. */
bool s3_call_prepare(struct s3_call *call, const struct s3_ask *ask, struct error *err);

void s3_call_stop(struct s3_call *call); /* -> IDLE */
bool s3_call_is_idle(const struct s3_call *call);

/* As far as is known now, may some try have been carried out? */
bool s3_call_is_open(const struct s3_call *call);

/* Is a try under way that may have been carried out? */
bool s3_call_is_under_way(const struct s3_call *call);

/* As s3_call_is_open(), but tries that were answered by 5xx with an <Error> do not count (struct s3_reply, is_lost). */
bool s3_call_may_be_lost(const struct s3_call *call);

/* From now on the try under way is waited for only until then, and is the last one. */
void s3_call_hurry(struct s3_call *call, uint64_t until_ms);

#endif
