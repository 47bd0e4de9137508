// SPDX-License-Identifier: MIT
/* s3_survey_parts.c - see s3_survey_priv.h: multipart uploads that are completed, refused, and aborted. */
#include "sink/s3/s3_survey_priv.h"
#include "sink/s3/sign.h"

#include <string.h>

/* NULL: there is none, or it is not known. */
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
		.body = s3_survey_body(tour),
		.payload = s3_survey_payload(tour),
	};

	buf_addf(&query, "partNumber=1&uploadId=%s", upload->upload.data);
	step.query = buf_str(&query);
	s3_survey_add_checksum(&tour->digest, &step.lines[0]);
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

/* All steps up to Complete, and that. NULL: one before it failed, *result has why. */
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

bool
s3_survey_try_multipart(struct s3_tour *tour)
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

void
s3_survey_try_conditional_complete(struct s3_tour *tour)
{
	struct s3_result result;
	struct s3_survey_thing *upload = upload_one(tour, tour->first, true, &result);

	if (upload == NULL || s3_survey_is_over(tour))
		return;
	s3_survey_found_condition(tour, S3_CONDITIONAL_COMPLETE, &result);
}

void
s3_survey_try_abort(struct s3_tour *tour)
{
	struct s3_result result;
	struct s3_survey_thing *upload = create_upload(tour, tour->third, &result);
	bool is_gone;

	if (upload == NULL)
		return;
	if (!survey_is_over(tour->trial.survey))
		s3_survey_try_list(tour, S3_LIST_UPLOADS, "uploads=", tour->third + 1);
	is_gone = s3_survey_remove(&tour->trial, upload, &result);
	if (!result.is_ended)
		s3_survey_found(tour, S3_ABORT, is_gone, "%s", result.words);
	s3_result_free(&result);
}
