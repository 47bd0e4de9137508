// SPDX-License-Identifier: MIT
/* survey_ask.h - one HTTP request of a survey and its answer, waited for. What a transfer would not do on its own can be
 * asked for: to stop in the middle of a body, for a while or until a 100 (Continue) comes. */
#ifndef PENSTOCK_SURVEY_ASK_H
#define PENSTOCK_SURVEY_ASK_H

#include "sink/exchange.h"
#include "sink/survey.h"

#define SURVEY_ANSWER_MAX 65536u /* bytes of an answer's body that are kept; of the rest only that there was more */
#define SURVEY_WANTED_MAX 2
#define SURVEY_VALUE_MAX 1024

struct survey_request {
	const struct http_peer *to;
	const char *method, *target;       /* behind the URL of `to` */
	const struct exchange_line *lines; /* as those of an exchange; borrowed */
	size_t n_lines;
	bool has_body, is_stream, is_chunked; /* is_stream: read piece by piece, so that it can stop */
	struct str body;
	/* of a stream: before its byte `stop_at` it stops for so long, ... */
	size_t stop_at;
	uint64_t stop_ms;
	uint64_t drip_ms;                      /* ... but one byte goes each time; 0: none */
	bool until_status;                     /* ... and not once a 1xx has come */
	bool is_removal;                       /* also after the first signal */
	const char *wanted[SURVEY_WANTED_MAX]; /* header lines of the answer: "etag:"; NULL: none */
};

struct survey_reply {
	struct exchange_result result; /* is_whole, or why not */
	bool is_ended;                 /* a signal ended it: whether it has arrived is not known */
	bool has_continue;             /* a 100 came before its final answer, and before it went on by itself */
	bool has_stopped, has_gone_on; /* of a stream: how far it came */
	uint64_t stopped_ms;           /* how long it had stopped when it went on or ended */
	char values[SURVEY_WANTED_MAX]
		   [SURVEY_VALUE_MAX + 1]; /* of those that were wanted, "": there is none, or no such long one */
	struct buf body; /* of the answer; for the caller to free. failed: not all of it is here */
};

/* Blocks. */
void survey_ask(struct survey *survey, const struct survey_request *request, struct survey_reply *reply);

/* Blocks for so long, or until a signal. */
void survey_wait(struct survey *survey, uint64_t ms);

/* A final answer came whole, with a status of 2xx. */
bool survey_is_good(const struct survey_reply *reply);

/* "it answered 403", or why it did not. Returns to->text. */
struct survey_words {
	char text[128];
};
const char *survey_say(const struct survey_reply *reply, struct survey_words *to);

#endif
