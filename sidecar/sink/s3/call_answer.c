// SPDX-License-Identifier: MIT
/* call_answer.c - what comes of one try of a call, and what that means. An answer says something in its document, and in lines of
 * its head. */
#include "sink/s3/call_priv.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void
s3_call_on_status(void *arg, unsigned status)
{
	struct s3_call *call = arg;

	call->reply.status = status;
}

/* A store that tells the checksum of what it has got is heard. */
static void
note_sum(struct s3_call *call, struct str line)
{
	const char *name = s3_sum_header(s3_settings(call->object->to)->checksum);
	size_t len = name != NULL ? strlen(name) : 0;
	char told[S3_DIGEST_BASE64_SIZE + 1] = "";

	if (len == 0 || line.len <= len || line.data[len] != ':' || !str_starts_nocase(line, name))
		return;
	exchange_take_value((struct str){ line.data + len, line.len - len }, ":", told, sizeof told);
	for (size_t i = 0; i < call->ask->n_lines; i++) {
		const struct exchange_line *sent = &call->ask->lines[i];

		if (sent->name != NULL && sent->value != NULL && strcmp(sent->name, name) == 0)
			call->reply.is_sum_other = strcmp(sent->value, told) != 0;
	}
}

void
s3_call_on_header(void *arg, struct str line)
{
	struct s3_call *call = arg;
	struct s3_reply *reply = &call->reply;
	const struct {
		const char *name;
		char *to;
		size_t size;
	} wanted[] = { { "etag:", reply->etag, sizeof reply->etag },
		{ "x-amz-version-id:", reply->version, sizeof reply->version },
		{ "x-amz-meta-penstock-id:", reply->id, sizeof reply->id } };

	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (str_starts_nocase(line, wanted[i].name))
			exchange_take_value(line, wanted[i].name, wanted[i].to, wanted[i].size);
	note_sum(call, line);
	retry_after_note(&reply->later, line);
}

/* on_list() drops the uploads of which an earlier answer has told. */
static struct s3_answer *
new_answer(struct s3_call *call)
{
	bool is_list = call->ask->wants_document && call->ask->document == S3_ANSWER_UPLOADS;
	struct s3_answer *answer = s3_answer_new(is_list ? S3_ANSWER_UPLOADS_MAX_BYTES : S3_ANSWER_MAX_BYTES);

	if (answer == NULL || !is_list)
		return answer;
	call->on_list(call->arg);
	s3_answer_on_upload(answer, call->on_upload, call->arg);
	return answer;
}

void
s3_call_on_answer(void *arg, const char *data, size_t len)
{
	struct s3_call *call = arg;

	if (call->answer == NULL)
		call->answer = new_answer(call);
	if (call->answer != NULL)
		s3_answer_feed(call->answer, (struct str){ data, len });
}

/* -- what it means -------------------------------------------------------------------------------------- */

static enum s3_answer_kind
kind_of(const struct s3_call *call)
{
	return call->answer != NULL ? s3_answer_kind(call->answer) : S3_ANSWER_EMPTY;
}

static void
take_code(struct s3_call *call)
{
	call->reply.code[0] = '\0';
	if (kind_of(call) != S3_ANSWER_ERROR)
		return;
	s3_take_word(s3_answer_text(call->answer, S3_TEXT_CODE).data, call->reply.code, sizeof call->reply.code);
	if (call->reply.code[0] == '\0') /* it is an error also without a code, under any status */
		snprintf(call->reply.code, sizeof call->reply.code, "error");
}

static void
take_clocks(const struct s3_call *call, char own[40], char stores[40])
{
	struct str told = call->answer != NULL ? s3_answer_text(call->answer, S3_TEXT_SERVER_TIME) : STR_NONE;
	time_t now = time(NULL);
	struct tm tm;

	strftime(own, 40, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	s3_take_word(told.data != NULL ? told.data : call->reply.later.date, stores, 40);
}

void
s3_call_judge(struct s3_call *call, const struct exchange_result *result)
{
	struct s3_reply *reply = &call->reply;
	char own[40], stores[40];
	struct s3_facts facts = {
		.destination = call->object->to->name,
		.call = s3_operation_name(call->ask->op),
		.result = result,
		.wants_document = call->ask->wants_document,
		.is_conflict_once = call->ask->is_conflict_once,
		.has_other_sum = call->ask->op == S3_OP_PART && reply->is_sum_other,
		.code = reply->code,
		.own_time = own,
		.store_time = stores,
	};
	struct error unread = { 0 };
	bool is_open;

	if (call->answer != NULL)
		s3_answer_end(call->answer, &unread); /* if it is refused, its kind is EMPTY */
	facts.has_document = facts.wants_document && kind_of(call) == call->ask->document;
	take_code(call);
	take_clocks(call, own, stores);
	reply->error = (struct error){ 0 };
	reply->fate = s3_judge(&facts, &reply->error);
	is_open = s3_is_open(&facts, reply->fate);
	reply->is_open = reply->is_open || is_open;
	reply->may_come = reply->may_come || (is_open && (result->status == 0 || result->was_sent_before));
	reply->is_lost = reply->is_lost || (is_open && (result->status < 500 || reply->code[0] == '\0'));
}

void
s3_call_forget_answer(struct s3_call *call)
{
	struct s3_reply *reply = &call->reply;

	s3_answer_free(call->answer);
	call->answer = NULL;
	reply->status = 0;
	reply->later = (struct retry_after){ 0 };
	reply->is_sum_other = false;
	reply->code[0] = reply->etag[0] = reply->version[0] = reply->id[0] = '\0';
}
