// SPDX-License-Identifier: MIT
/* http_survey_put.c - see http_survey_priv.h. */
#include "sink/http/http_survey_priv.h"

#include <stdarg.h>
#include <stdio.h>

#define N_LINES 3 /* of ours, in the head of a request */

void
http_survey_found(struct http_trial *trial, enum ability ability, bool can, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	survey_find(&trial->found[ability], can, fmt, args);
	va_end(args);
}

/* -- requests ----------------------------------------------------------------------------------------- */

struct survey_request
http_survey_request(const struct http_trial *trial, const char *method, const char *target)
{
	return (struct survey_request){ .to = &trial->settings->peer, .method = method, .target = target };
}

static unsigned
read_back(struct http_trial *trial, const char *target, struct str expected, bool is_removal, bool *is_same)
{
	struct survey_request request = http_survey_request(trial, "GET", target);
	struct survey_reply reply;
	unsigned status;

	request.is_removal = is_removal;
	survey_ask(trial->survey, &request, &reply);
	status = !reply.is_ended && reply.result.is_whole ? reply.result.status : 0;
	*is_same = survey_is_good(&reply) && !reply.body.failed && str_equal(buf_str(&reply.body), expected);
	buf_free(&reply.body);
	return status;
}

unsigned
http_survey_delete(struct http_trial *trial, const char *target, struct survey_words *words)
{
	struct survey_request request = http_survey_request(trial, "DELETE", target);
	struct survey_reply reply;

	request.is_removal = true;
	survey_ask(trial->survey, &request, &reply);
	buf_free(&reply.body);
	survey_say(&reply, words);
	return !reply.is_ended && reply.result.is_whole ? reply.result.status : 0;
}

bool
http_survey_is_gone(unsigned status)
{
	return (status >= 200 && status < 300) || status == 404 || status == 410;
}

/* -- one object --------------------------------------------------------------------------------------- */

static bool
was_refused(const struct attempt *attempt)
{
	const struct exchange_result *result = &attempt->reply.result;

	return !attempt->reply.is_ended && result->is_whole && result->status >= 400 && result->status < 500;
}

/* A DELETE that was taken and has removed nothing is none. */
static void
remove_again(struct http_trial *trial, struct attempt *attempt, struct str body)
{
	struct survey_words words;
	bool is_there = false, is_gone = http_survey_is_gone(http_survey_delete(trial, attempt->target, &words));

	if (is_gone && attempt->is_same)
		read_back(trial, attempt->target, body, true, &is_there);
	if (survey_is_good(&attempt->reply))
		http_survey_found(trial, DELETE, is_gone && !is_there, "%s%s", words.text,
			is_there ? ", and the object is still there" : "");
	if ((!is_gone && !was_refused(attempt)) || is_there)
		snprintf(trial->left, sizeof trial->left, "%s", attempt->target);
}

void
http_survey_name(char target[static TARGET_SIZE])
{
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	snprintf(target, TARGET_SIZE, "/" SURVEY_PREFIX "%s", uuid);
}

void
http_survey_put(struct http_trial *trial, struct survey_request *request, struct attempt *attempt)
{
	char id[UUID_SIZE];
	const struct exchange_line lines[N_LINES] = {
		{ "Content-Type", "application/octet-stream" },
		{ "X-Request-Id", id },
		{ "Expect", request->until_status ? "100-continue" : NULL },
	};

	*attempt = (struct attempt){ 0 };
	uuid_make(id);
	http_survey_name(attempt->target);
	request->to = &trial->settings->peer;
	request->method = "PUT";
	request->target = attempt->target;
	request->lines = lines;
	request->n_lines = N_LINES;
	request->has_body = true;
	trial->has_put_any = true;
	survey_ask(trial->survey, request, &attempt->reply);
	buf_free(&attempt->reply.body);
	survey_say(&attempt->reply, &attempt->words);
	if (survey_is_good(&attempt->reply) && !survey_is_over(trial->survey))
		attempt->read_status = read_back(trial, attempt->target, request->body, false, &attempt->is_same);
	remove_again(trial, attempt, request->body);
}
