// SPDX-License-Identifier: MIT
/* s3_survey_try.c - see s3_survey_priv.h. */
#include "sink/s3/s3_survey_priv.h"
#include "sink/s3/sign.h"

#include <stdio.h>
#include <string.h>

struct str
s3_survey_body(const struct s3_tour *tour)
{
	return (struct str){ tour->trial.body, sizeof tour->trial.body };
}

/* -- one object --------------------------------------------------------------------------------------- */

static void
make_key(char key[static sizeof "/" SURVEY_PREFIX + UUID_SIZE])
{
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	snprintf(key, sizeof "/" SURVEY_PREFIX + UUID_SIZE, "/" SURVEY_PREFIX "%s", uuid);
}

/* The digest of other bytes than those that are sent. */
static bool
make_digest(const struct s3_tour *tour, bool is_wrong, struct s3_digest *digest)
{
	struct s3_sum sum = { 0 };
	struct str body = s3_survey_body(tour);

	if (!s3_sum_begin(&sum, tour->trial.settings->checksum, NULL))
		return false;
	s3_sum_add(&sum, body.data, is_wrong ? body.len - 1 : body.len);
	s3_sum_end(&sum, digest);
	return true;
}

const char *
s3_survey_payload(const struct s3_tour *tour)
{
	return tour->digest.kind == S3_SUM_SHA256 ? tour->payload : NULL;
}

void
s3_survey_add_checksum(const struct s3_digest *digest, struct exchange_line *line)
{
	*line = (struct exchange_line){ s3_sum_header(digest->kind), digest->len > 0 ? digest->base64 : NULL };
}

void
s3_survey_prepare(struct s3_tour *tour)
{
	static const char line[] = "This is a try of `penstock probe` and may be removed.\n";

	for (size_t i = 0; i < sizeof tour->trial.body; i++)
		tour->trial.body[i] = line[i % (sizeof line - 1)];
	tour->trial.peer = tour->trial.settings->peer;
	tour->trial.peer.headers = (struct header_lines){ 0 };
	make_key(tour->first);
	make_key(tour->second);
	make_key(tour->third);
	if (make_digest(tour, false, &tour->digest) && tour->digest.kind == S3_SUM_SHA256)
		s3_digest_hex(&tour->digest, tour->payload);
}

/* Puts an object, and remembers it. */
static void
put(struct s3_tour *tour, const char *key, const struct s3_digest *digest, bool only_new, struct s3_result *result)
{
	struct s3_survey_thing *thing = s3_survey_remember(&tour->trial, key);
	struct s3_step step = {
		.method = "PUT",
		.key = key,
		.lines = { { "Content-Type", "application/octet-stream" },
			{ "If-None-Match", only_new ? "*" : NULL } },
		.has_body = true,
		.makes = true,
		.body = s3_survey_body(tour),
		.payload = digest == &tour->digest ? s3_survey_payload(tour) : NULL,
	};

	s3_survey_add_checksum(digest, &step.lines[2]);
	s3_survey_ask(&tour->trial, &step, result);
	memcpy(thing->version, result->version, sizeof thing->version);
	thing->is_gone = result->status >= 400 && result->status < 500;
}

bool
s3_survey_gives_back(struct s3_tour *tour, const char *key, bool is_removal, struct s3_result *result)
{
	struct s3_step step = { .method = "GET", .key = key, .is_removal = is_removal };
	bool is_same;

	s3_survey_ask(&tour->trial, &step, result);
	is_same = result->is_good && !result->body.failed &&
		str_equal(buf_str(&result->body), s3_survey_body(tour));
	s3_result_free(result);
	return is_same;
}

/* Keys that may not delete may still be allowed to put. With keys that the store does not know, or without a bucket, nothing
 * works. */
static void
say_why_not(struct s3_tour *tour, const struct s3_result *result)
{
	if (result->status == 0) {
		s3_survey_found(tour, S3_REACHABLE, false, "%s", result->words);
		tour->why_not = "it does not answer";
	} else if (strcmp(result->code, "AccessDenied") == 0 || result->status == 405 || result->status == 501) {
		s3_survey_found(tour, S3_DELETE, false, "%s", result->words);
		tour->why_not = "nothing is put, because without DeleteObject it would stay there";
	} else {
		s3_survey_found(tour, S3_PUT, false, "not even DeleteObject: %s", result->words);
		tour->why_not = "the bucket takes no request";
	}
}

/* Before anything is put. */
static bool
takes_delete(struct s3_tour *tour)
{
	struct s3_survey_thing nothing = { .key = tour->first };
	struct s3_result result;
	bool ok = s3_survey_remove(&tour->trial, &nothing, &result);

	s3_result_free(&result);
	if (result.version[0] != '\0') /* with versioning it has made a delete marker */
		memcpy(s3_survey_remember(&tour->trial, tour->first)->version, result.version,
			sizeof result.version);
	if (s3_survey_is_over(tour))
		return false;
	if (!ok)
		say_why_not(tour, &result);
	return ok;
}

static bool
try_put(struct s3_tour *tour)
{
	struct s3_result result;
	bool is_same, is_good;

	put(tour, tour->first, &tour->digest, false, &result);
	s3_result_free(&result);
	is_good = result.is_good;
	if (!result.is_ended)
		s3_survey_found(tour, S3_PUT, is_good, "%s", result.words);
	if (!is_good)
		tour->why_not = "put failed";
	if (s3_survey_is_over(tour) || !is_good)
		return false;
	is_same = s3_survey_gives_back(tour, tour->first, false, &result);
	if (!result.is_ended)
		s3_survey_found(tour, S3_GET, is_same, "%s",
			is_same                  ? "gives what was put"
				: result.is_good ? "does not give what was put"
						 : result.words);
	return !s3_survey_is_over(tour);
}

/* -- under a condition -------------------------------------------------------------------------------- */

/* 409: another client writes the key at this moment, which is a refusal, too. */
static bool
was_refused(const struct s3_result *result)
{
	return result->status == 412 || result->status == 409;
}

void
s3_survey_found_condition(struct s3_tour *tour, enum s3_ability ability, const struct s3_result *result)
{
	if (!result->is_ended)
		s3_survey_found(tour, ability, was_refused(result), "%s%s", result->words,
			result->is_good ? ", and replaced the object" : "");
}

static void
try_conditional_put(struct s3_tour *tour)
{
	struct s3_result result;

	put(tour, tour->first, &tour->digest, true, &result);
	s3_result_free(&result);
	s3_survey_found_condition(tour, S3_CONDITIONAL_PUT, &result);
}

/* It means nothing that the prefix is in the answer, because stores repeat what they are asked. */
static bool
has_key(const struct s3_result *result, const char *key)
{
	struct buf element = { 0 };
	bool has_it;

	buf_addf(&element, "<Key>%s</Key>", key);
	has_it = result->body.len > 0 && !element.failed && strstr(result->body.data, element.data) != NULL;
	buf_free(&element);
	return has_it;
}

void
s3_survey_try_list(struct s3_tour *tour, enum s3_ability ability, const char *which, const char *key)
{
	struct s3_step step = { .method = "GET", .key = "/" };
	struct s3_result result;
	struct buf query = { 0 };
	bool has_it;

	buf_addf(&query, "%s&prefix=", which);
	s3_escape(&query, str_of(key), false);
	step.query = buf_str(&query);
	s3_survey_ask(&tour->trial, &step, &result);
	has_it = result.is_good && has_key(&result, key);
	if (!result.is_ended)
		s3_survey_found(tour, ability, has_it, "%s",
			result.is_good && !has_it ? "it does not list what is there" : result.words);
	s3_result_free(&result);
	buf_free(&query);
}

/* -- all of them --------------------------------------------------------------------------------------- */

static void
try_wrong_checksum(struct s3_tour *tour)
{
	struct s3_result result;
	struct s3_digest wrong;

	if (tour->digest.len == 0 || !make_digest(tour, true, &wrong)) {
		snprintf(tour->found[S3_CHECKSUM].sentence, sizeof tour->found[S3_CHECKSUM].sentence,
			"`checksum: none` sends none");
		return;
	}
	put(tour, tour->third, &wrong, false, &result);
	s3_result_free(&result);
	if (!result.is_ended)
		s3_survey_found(tour, S3_CHECKSUM, result.status >= 400 && result.status < 500, "%s%s",
			result.words, result.is_good ? ", and kept what the checksum is not of" : "");
}

void
s3_survey_try_all(struct s3_tour *tour)
{
	if (!takes_delete(tour) || !try_put(tour))
		return;
	s3_survey_try_link(tour);
	if (s3_survey_is_over(tour))
		return;
	try_conditional_put(tour);
	if (s3_survey_is_over(tour))
		return;
	s3_survey_try_list(tour, S3_LIST, "list-type=2", tour->first + 1);
	if (s3_survey_is_over(tour))
		return;
	if (!s3_survey_try_multipart(tour))
		tour->why_not = s3_survey_is_over(tour) ? "interrupted" : "multipart uploads failed";
	else {
		s3_survey_try_conditional_complete(tour);
		if (!s3_survey_is_over(tour))
			s3_survey_try_abort(tour);
	}
	if (!s3_survey_is_over(tour))
		try_wrong_checksum(tour);
	s3_survey_is_over(tour);
}
