// SPDX-License-Identifier: MIT
/* s3_survey_ask.c - see s3_survey_priv.h. */
#include "base/must.h"
#include "sink/s3/answer.h"
#include "sink/s3/judge.h"
#include "sink/s3/s3_survey_priv.h"
#include "sink/s3/sign.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HEADERS_MAX 24u /* lines of the route file that go with a request */
#define SIGNED_MAX (S3_SURVEY_LINES + HEADERS_MAX)
#define OWN_LINES 5u
#define TRIES_MORE 3u
#define WAIT_FIRST_MS 100u

struct lines {
	struct exchange_line all[SIGNED_MAX + OWN_LINES];
	size_t n;
};

static void
add_line(struct lines *lines, const char *name, const char *value)
{
	if (name != NULL && value != NULL && lines->n < SIGNED_MAX)
		lines->all[lines->n++] = (struct exchange_line){ name, value };
}

static void
gather_lines(const struct s3_trial *trial, const struct s3_step *step, struct lines *lines)
{
	const struct http_peer *peer = &trial->settings->peer;

	for (size_t i = 0; i < S3_SURVEY_LINES; i++)
		add_line(lines, step->lines[i].name, step->lines[i].value);
	for (size_t i = 0; step->makes && i < peer->headers.n && i < HEADERS_MAX; i++)
		add_line(lines, peer->headers.items[i].name, peer->headers.items[i].value);
}

/* -- signing ------------------------------------------------------------------------------------------ */

static const char *
payload_of(const struct s3_step *step)
{
	if (!step->has_body)
		return S3_EMPTY_PAYLOAD;
	return step->payload != NULL ? step->payload : S3_UNSIGNED_PAYLOAD;
}

static bool
sign(const struct s3_trial *trial, const struct s3_step *step, const struct lines *lines,
	const struct s3_keys *keys, struct s3_signed *out, struct error *err)
{
	struct s3_sign_keys with = { keys->access, keys->secret, keys->token };
	struct s3_sign_line to_sign[SIGNED_MAX];
	struct buf path = { 0 };
	struct s3_sign_request request = {
		.method = step->method,
		.host = str_of(trial->settings->host),
		.query = step->query.data != NULL ? step->query : STR(""),
		.lines = to_sign,
		.n_lines = lines->n,
		.payload = payload_of(step),
		.region = trial->settings->region,
		.service = "s3",
		.now = time(NULL),
	};
	bool ok;

	for (size_t i = 0; i < lines->n; i++)
		to_sign[i] = (struct s3_sign_line){ lines->all[i].name, str_of(lines->all[i].value) };
	buf_addf(&path, "%s%s", trial->settings->path, step->key);
	request.path = buf_str(&path);
	ok = !path.failed ? s3_sign(&request, &with, out, err) : error_nomem(err);
	buf_free(&path);
	return ok;
}

static void
add_signature(const struct s3_trial *trial, const struct s3_step *step, const struct s3_keys *keys,
	const struct s3_signed *signature, struct lines *lines)
{
	const struct exchange_line own[OWN_LINES] = {
		{ "Host", trial->settings->host },
		{ "x-amz-date", signature->date },
		{ "x-amz-content-sha256", payload_of(step) },
		{ "x-amz-security-token", keys->token },
		{ "Authorization", signature->authorization.data },
	};

	memcpy(lines->all + lines->n, own, sizeof own);
	lines->n += OWN_LINES;
}

/* -- the answer --------------------------------------------------------------------------------------- */

/* Reads a document that S3 has made; the bytes of an object are no such document. */
static void
read_document(struct s3_result *result)
{
	struct s3_answer *answer = s3_answer_new(S3_ANSWER_MAX_BYTES);
	struct error ignored = { 0 };

	if (answer == NULL)
		return;
	s3_answer_feed(answer, buf_str(&result->body));
	s3_answer_end(answer, &ignored);
	if (s3_answer_kind(answer) == S3_ANSWER_ERROR) {
		size_t len = strlen(result->words);

		s3_take_word(s3_answer_text(answer, S3_TEXT_CODE).data, result->code, sizeof result->code);
		snprintf(result->words + len, sizeof result->words - len, " %s", result->code);
		result->is_good = false;
	} else if (s3_answer_kind(answer) == S3_ANSWER_CREATED) {
		s3_escape(&result->upload, s3_answer_text(answer, S3_TEXT_UPLOAD_ID), false);
	}
	s3_answer_free(answer);
}

static void
take_reply(const struct survey_reply *reply, struct s3_result *result)
{
	struct survey_words words;

	result->is_good = survey_is_good(reply);
	result->is_ended = reply->is_ended;
	result->status = !reply->is_ended && reply->result.is_whole ? reply->result.status : 0;
	result->body = reply->body;
	snprintf(result->words, sizeof result->words, "%s", survey_say(reply, &words));
	memcpy(result->etag, reply->values[S3_SURVEY_ETAG], sizeof result->etag);
	memcpy(result->version, reply->values[S3_SURVEY_VERSION], sizeof result->version);
	read_document(result);
}

static void
transmit(struct s3_trial *trial, const struct s3_step *step, const struct lines *lines, struct str query,
	struct s3_result *result)
{
	struct survey_request request = {
		.to = &trial->peer,
		.method = step->method,
		.lines = lines->all,
		.n_lines = lines->n,
		.has_body = step->has_body,
		.body = step->body,
		.is_removal = step->is_removal,
		.wanted = { [S3_SURVEY_ETAG] = "etag:", [S3_SURVEY_VERSION] = "x-amz-version-id:" },
	};
	struct survey_reply reply;
	struct buf target = { 0 };

	buf_addf(&target, "%s%s%.*s", step->key, query.len > 0 ? "?" : "", STR_ARG(query));
	request.target = target.data;
	if (target.failed)
		return;
	survey_ask(trial->survey, &request, &reply);
	take_reply(&reply, result);
	buf_free(&target);
}

static void
ask_once(struct s3_trial *trial, const struct s3_step *step, struct s3_result *result)
{
	struct error error = { 0 };
	struct s3_keys *keys = s3_keyring_take(trial->keyring, &error);
	struct s3_signed signature = { 0 };
	struct lines lines = { 0 };

	*result = (struct s3_result){ 0 };
	gather_lines(trial, step, &lines);
	if (keys != NULL && sign(trial, step, &lines, keys, &signature, &error)) {
		add_signature(trial, step, keys, &signature, &lines);
		transmit(trial, step, &lines, buf_str(&signature.query), result);
	} else {
		snprintf(result->words, sizeof result->words, "%s", error.message);
	}
	s3_signed_free(&signature);
	s3_keys_release(keys);
}

static bool
is_busy(unsigned status)
{
	return status == 429 || status == 500 || status == 503;
}

/* Sends again, as a transfer would. But not what creates an upload, because the id of the first one would not be known. */
void
s3_survey_ask(struct s3_trial *trial, const struct s3_step *step, struct s3_result *result)
{
	bool may_repeat = strcmp(step->method, "POST") != 0;

	ask_once(trial, step, result);
	for (unsigned i = 0; i < TRIES_MORE && may_repeat && is_busy(result->status); i++) {
		survey_wait(trial->survey, (uint64_t)WAIT_FIRST_MS << i);
		s3_result_free(result);
		ask_once(trial, step, result);
	}
}

void
s3_result_free(struct s3_result *result)
{
	buf_free(&result->body);
	buf_free(&result->upload);
}

/* -- what has to go again ----------------------------------------------------------------------------- */

struct s3_survey_thing *
s3_survey_remember(struct s3_trial *trial, const char *key)
{
	struct s3_survey_thing *thing = &trial->things[trial->n_things];

	must(trial->n_things < S3_SURVEY_THINGS);
	trial->n_things++;
	*thing = (struct s3_survey_thing){ .key = key };
	return thing;
}

static bool
has_nothing(unsigned status)
{
	return status == 404 || status == 410;
}

bool
s3_survey_remove(struct s3_trial *trial, struct s3_survey_thing *thing, struct s3_result *result)
{
	struct buf query = { 0 };
	struct s3_step step = { .method = "DELETE", .key = thing->key, .is_removal = true };

	if (thing->upload.len > 0) {
		buf_addf(&query, "uploadId=%s", thing->upload.data);
	} else if (thing->version[0] != '\0') {
		buf_add_text(&query, "versionId=");
		s3_escape(&query, str_of(thing->version), false);
	}
	step.query = buf_str(&query);
	s3_survey_ask(trial, &step, result);
	thing->is_gone = result->is_good || has_nothing(result->status);
	buf_free(&query);
	return thing->is_gone;
}

/* -- what is found -------------------------------------------------------------------------------------- */

void
s3_survey_found(struct s3_tour *tour, enum s3_ability ability, bool can, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	survey_find(&tour->found[ability], can, fmt, args);
	va_end(args);
}

bool
s3_survey_is_over(struct s3_tour *tour)
{
	return survey_is_interrupted(tour->trial.survey, &tour->why_not);
}
