// SPDX-License-Identifier: MIT
/* s3_survey_try.c - see s3_survey_priv.h. */
#include "sink/s3/s3_survey_priv.h"
#include "sink/s3/sign.h"

#include <stdio.h>
#include <string.h>

static struct str
body_of(const struct s3_tour *tour)
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

/* Of bytes that are not those that are sent. */
static bool
make_digest(const struct s3_tour *tour, bool is_wrong, struct s3_digest *digest)
{
	struct s3_sum sum = { 0 };
	struct str body = body_of(tour);

	if (!s3_sum_begin(&sum, tour->trial.settings->checksum, NULL))
		return false;
	s3_sum_add(&sum, body.data, is_wrong ? body.len - 1 : body.len);
	s3_sum_end(&sum, digest);
	return true;
}

static const char *
payload_of(const struct s3_tour *tour)
{
	return tour->digest.kind == S3_SUM_SHA256 ? tour->payload : NULL;
}

static void
add_checksum(const struct s3_digest *digest, struct exchange_line *line)
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
	tour->trial.peer.headers = NULL;
	tour->trial.peer.n_headers = 0;
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
		.body = body_of(tour),
		.payload = digest == &tour->digest ? payload_of(tour) : NULL,
	};

	add_checksum(digest, &step.lines[2]);
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
	is_same = result->is_good && !result->body.failed && str_equal(buf_str(&result->body), body_of(tour));
	s3_result_free(result);
	return is_same;
}

/* Who may not delete may perhaps put; with keys that nobody knows, or a bucket that is not there, nothing is good. */
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
	if (result.version[0] != '\0') /* with versioning it has made a marker */
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

/* 409: somebody else writes the key at this moment, which is a refusal, too. */
static bool
was_refused(const struct s3_result *result)
{
	return result->status == 412 || result->status == 409;
}

static void
found_condition(struct s3_tour *tour, enum s3_ability ability, const struct s3_result *result)
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
	found_condition(tour, S3_CONDITIONAL_PUT, &result);
}

static void
try_list(struct s3_tour *tour)
{
	struct s3_step step = { .method = "GET", .key = "/" };
	struct s3_result result;
	struct buf query = { 0 };
	bool has_it;

	buf_add_text(&query, "list-type=2&prefix=");
	s3_escape(&query, str_of(tour->first + 1), false);
	step.query = buf_str(&query);
	s3_survey_ask(&tour->trial, &step, &result);
	has_it = result.is_good && result.body.len > 0 && strstr(result.body.data, tour->first + 1) != NULL;
	if (!result.is_ended)
		s3_survey_found(tour, S3_LIST, has_it, "%s",
			result.is_good && !has_it ? "it does not list what was put" : result.words);
	s3_result_free(&result);
	buf_free(&query);
}

/* -- in parts ----------------------------------------------------------------------------------------- */

/* NULL: there is none, or nobody knows. */
static struct s3_survey_thing *
create_upload(struct s3_tour *tour, const char *key, struct s3_result *result)
{
	enum s3_sum_kind kind = tour->trial.settings->checksum;
	struct s3_survey_thing *upload = NULL;
	struct s3_step step = {
		.method = "POST",
		.key = key,
		.query = STR("uploads="),
		.lines = { { "Content-Type", "application/octet-stream" },
			{ "x-amz-checksum-algorithm", s3_sum_word(kind) },
			{ "x-amz-checksum-type", kind == S3_SUM_CRC64NVME ? "FULL_OBJECT" : NULL } },
		.has_body = true,
		.makes = true,
		.body = STR(""),
		.payload = S3_EMPTY_PAYLOAD,
	};

	s3_survey_ask(&tour->trial, &step, result);
	if (result->is_good && result->upload.len > 0) {
		upload = s3_survey_remember(&tour->trial, key);
		buf_add_str(&upload->upload, buf_str(&result->upload));
	}
	s3_result_free(result);
	return upload;
}

static bool
send_part(struct s3_tour *tour, const struct s3_survey_thing *upload, struct s3_result *result)
{
	struct buf query = { 0 };
	struct s3_step step = {
		.method = "PUT",
		.key = upload->key,
		.has_body = true,
		.body = body_of(tour),
		.payload = payload_of(tour),
	};

	buf_addf(&query, "partNumber=1&uploadId=%s", upload->upload.data);
	step.query = buf_str(&query);
	add_checksum(&tour->digest, &step.lines[0]);
	s3_survey_ask(&tour->trial, &step, result);
	s3_result_free(result);
	buf_free(&query);
	return result->is_good;
}

static void
add_document(const struct s3_tour *tour, const char *etag, struct buf *out)
{
	const char *word = s3_sum_word(tour->trial.settings->checksum);

	buf_addf(out,
		"<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		"<Part><PartNumber>1</PartNumber><ETag>%s</ETag>",
		etag);
	if (word != NULL)
		buf_addf(out, "<Checksum%s>%s</Checksum%s>", word, tour->digest.base64, word);
	buf_add_text(out, "</Part></CompleteMultipartUpload>");
}

/* The object is remembered, too; the upload is gone if it was completed. */
static void
complete(struct s3_tour *tour, struct s3_survey_thing *upload, const char *etag, bool only_new,
	struct s3_result *result)
{
	struct s3_survey_thing *object = s3_survey_remember(&tour->trial, upload->key);
	struct buf query = { 0 }, document = { 0 };
	struct s3_step step = {
		.method = "POST",
		.key = upload->key,
		.lines = { { "Content-Type", "application/xml" }, { "If-None-Match", only_new ? "*" : NULL } },
		.has_body = true,
	};

	buf_addf(&query, "uploadId=%s", upload->upload.data);
	add_document(tour, etag, &document);
	step.query = buf_str(&query);
	step.body = buf_str(&document);
	s3_survey_ask(&tour->trial, &step, result);
	memcpy(object->version, result->version, sizeof object->version);
	object->is_gone = !result->is_good && result->status >= 400 && result->status < 500;
	upload->is_gone = result->is_good;
	s3_result_free(result);
	buf_free(&query);
	buf_free(&document);
}

/* Up to and with Complete. NULL: it did not come so far, *result has why. */
static struct s3_survey_thing *
upload_one(struct s3_tour *tour, const char *key, bool only_new, struct s3_result *result)
{
	char etag[SURVEY_VALUE_MAX + 1];
	struct s3_survey_thing *upload = create_upload(tour, key, result);

	if (upload == NULL || survey_is_over(tour->trial.survey) || !send_part(tour, upload, result) ||
		survey_is_over(tour->trial.survey))
		return NULL;
	memcpy(etag, result->etag, sizeof etag);
	complete(tour, upload, etag, only_new, result);
	return upload;
}

static bool
try_multipart(struct s3_tour *tour)
{
	struct s3_result result, read;
	bool is_good = upload_one(tour, tour->second, false, &result) != NULL && result.is_good;
	bool is_same = is_good && !survey_is_over(tour->trial.survey) &&
		s3_survey_gives_back(tour, tour->second, false, &read);

	if (s3_survey_is_over(tour))
		return false;
	s3_survey_found(tour, S3_MULTIPART, is_good && (is_same || tour->found[S3_GET].answer != SURVEY_YES), "%s",
		is_good && !is_same ? "the object does not have the bytes of its parts" : result.words);
	return is_good;
}

static void
try_conditional_complete(struct s3_tour *tour)
{
	struct s3_result result;
	struct s3_survey_thing *upload = upload_one(tour, tour->first, true, &result);

	if (upload == NULL || s3_survey_is_over(tour))
		return;
	found_condition(tour, S3_CONDITIONAL_COMPLETE, &result);
}

static void
try_abort(struct s3_tour *tour)
{
	struct s3_result result;
	struct s3_survey_thing *upload = create_upload(tour, tour->third, &result);
	bool is_gone;

	if (upload == NULL)
		return;
	is_gone = s3_survey_remove(&tour->trial, upload, &result);
	if (!result.is_ended)
		s3_survey_found(tour, S3_ABORT, is_gone, "%s", result.words);
	s3_result_free(&result);
}

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
	try_conditional_put(tour);
	if (s3_survey_is_over(tour))
		return;
	try_list(tour);
	if (s3_survey_is_over(tour))
		return;
	if (!try_multipart(tour))
		tour->why_not = s3_survey_is_over(tour) ? "interrupted" : "multipart uploads failed";
	else {
		try_conditional_complete(tour);
		if (!s3_survey_is_over(tour))
			try_abort(tour);
	}
	if (!s3_survey_is_over(tour))
		try_wrong_checksum(tour);
	s3_survey_is_over(tour);
}
