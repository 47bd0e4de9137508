// SPDX-License-Identifier: MIT
/* s3_survey.c - see s3_survey.h. It makes objects of a few kilobytes, one of them by an upload of one part, and uploads that are
 * not finished. Each thing is remembered before the request that may make it, and all are removed at the end, by the version that
 * they got, because in a bucket with versioning a plain DELETE would only hide them.
 *
 *   connect ─▶ keys ─▶ DELETE of nothing ─▶ put, read, follow a link, put again if nothing is there ─▶ list ─▶ upload, complete it, read
 *   ─▶ upload, complete it if nothing is there ─▶ upload, list it, abort it ─▶ put with a wrong checksum ─▶ remove everything */
#include "sink/s3/s3_survey.h"

#include "base/mem.h"
#include "sink/s3/s3_survey_priv.h"

#include <stdio.h>
#include <string.h>

#define KEYS_WAIT_MS 10000u
#define KEYS_LOOK_MS 50u

static const char *const names[] = {
	[S3_REACHABLE] = "reachable",
	[S3_CREDENTIALS] = "credentials",
	[S3_PUT] = "put",
	[S3_GET] = "read back",
	[S3_LINK] = "presigned link",
	[S3_CONDITIONAL_PUT] = "conditional put",
	[S3_LIST] = "list",
	[S3_MULTIPART] = "multipart",
	[S3_CONDITIONAL_COMPLETE] = "conditional complete",
	[S3_LIST_UPLOADS] = "list uploads",
	[S3_ABORT] = "abort",
	[S3_CHECKSUM] = "wrong checksum",
	[S3_DELETE] = "delete",
	[S3_REMOVED] = "removed again",
};

static void
rely(struct s3_tour *tour, enum s3_ability ability, bool does, const char *key)
{
	snprintf(tour->found[ability].relied_on, sizeof tour->found[ability].relied_on, "%s", does ? key : "");
}

/* -- reach it ----------------------------------------------------------------------------------------- */

static bool
reach(struct s3_tour *tour)
{
	return survey_reach(tour->trial.survey, &tour->trial.peer, &tour->found[S3_REACHABLE], &tour->why_not);
}

static bool
open_keyring(struct s3_tour *tour, struct error *err)
{
	const struct s3_settings *settings = tour->trial.settings;
	const struct s3_credentials *keys = &settings->credentials;
	struct s3_keyring_setup setup = {
		.given = keys->access_key != NULL || keys->profile != NULL ? keys : NULL,
		.region = settings->region,
	};

	tour->trial.keyring = s3_keyring_open(&setup, NULL, 0, err);
	return tour->trial.keyring != NULL;
}

/* Waits for keys that have to be fetched. */
static bool
wait_for_keys(struct s3_tour *tour, struct error *err)
{
	for (unsigned waited = 0;; waited += KEYS_LOOK_MS) {
		struct s3_keys *keys;

		*err = (struct error){ 0 };
		keys = s3_keyring_take(tour->trial.keyring, err);
		s3_keys_release(keys);
		if (keys != NULL || err->kind != ERR_BUSY || waited >= KEYS_WAIT_MS ||
			survey_is_over(tour->trial.survey))
			return keys != NULL;
		survey_wait(tour->trial.survey, KEYS_LOOK_MS);
	}
}

static bool
find_keys(struct s3_tour *tour)
{
	struct error error = { 0 };
	bool ok = open_keyring(tour, &error) && wait_for_keys(tour, &error);

	if (s3_survey_is_over(tour))
		return false;
	s3_survey_found(
		tour, S3_CREDENTIALS, ok, "%s", ok ? s3_keyring_source(tour->trial.keyring) : error.message);
	if (!ok)
		tour->why_not = "there are no credentials";
	return ok;
}

/* Asks first, because some stores make a bucket of any name by a PUT. Keys that may not ask may still be allowed to put. */
static bool
has_bucket(struct s3_tour *tour)
{
	struct s3_step step = { .method = "HEAD", .key = "/" };
	struct s3_result result;

	s3_survey_ask(&tour->trial, &step, &result);
	s3_result_free(&result);
	if (s3_survey_is_over(tour))
		return false;
	if (result.status != 404)
		return true;
	s3_survey_found(tour, S3_PUT, false, "there is no such bucket: see `bucket` and `endpoint`");
	tour->why_not = "there is no such bucket";
	return false;
}

/* -- the end ------------------------------------------------------------------------------------------ */

/* False: something may still be there. */
static bool
remove_all(struct s3_tour *tour, const char **left, struct s3_result *last)
{
	bool is_good = true;

	for (size_t i = 0; i < tour->trial.n_things; i++) {
		struct s3_survey_thing *thing = &tour->trial.things[i];
		struct s3_result result = { 0 };

		if (!thing->is_gone && !s3_survey_remove(&tour->trial, thing, &result)) {
			*left = thing->key;
			is_good = false;
		}
		s3_result_free(&result);
		buf_free(&thing->upload);
		if (result.words[0] != '\0' && (is_good || !thing->is_gone))
			*last = result;
	}
	return is_good;
}

static void
clean_up(struct s3_tour *tour)
{
	struct s3_result last = { 0 }, read;
	const char *left = NULL;
	bool was_there = tour->found[S3_GET].answer == SURVEY_YES;
	bool is_gone = remove_all(tour, &left, &last);

	if (is_gone && was_there && s3_survey_gives_back(tour, tour->first, true, &read)) {
		left = tour->first;
		snprintf(last.words, sizeof last.words, "it is still there");
		is_gone = false;
	}
	if (tour->found[S3_PUT].answer == SURVEY_YES)
		s3_survey_found(tour, S3_DELETE, is_gone, "%s", last.words);
	rely(tour, S3_REMOVED, !is_gone, "penstock probe");
	if (tour->trial.n_things > 0)
		s3_survey_found(tour, S3_REMOVED, is_gone, "%s%s", is_gone ? "nothing is left" : "please remove ",
			is_gone ? "" : left + 1);
}

/* -- what the route files rely on --------------------------------------------------------------------- */

/* 0: no rule stores there. */
static uint64_t
largest_object(const struct s3_tour *tour)
{
	const struct config *config = tour->trial.survey->config;
	uint64_t largest = 0;

	for (size_t i = 0; i < config->n_routes; i++)
		for (size_t k = 0; k < config->routes[i].n_rules; k++) {
			const struct rule *rule = &config->routes[i].rules[k];
			uint64_t most = rule->action == ACTION_CONCAT ? LIMIT_NONE : rule->max_size;

			if (rule->to == tour->trial.to && most > largest)
				largest = most;
		}
	return largest;
}

static void
look_at_links(struct s3_tour *tour)
{
	const struct config *config = tour->trial.survey->config;
	unsigned n = 0, n_shown = 0;

	for (size_t i = 0; i < config->n_routes; i++)
		for (size_t k = 0; k < config->routes[i].n_rules; k++) {
			const struct rule *rule = &config->routes[i].rules[k];
			unsigned lifetime_s = (unsigned)(rule->presign_ms / 1000);

			if (rule->to != tour->trial.to || lifetime_s == 0)
				continue;
			n++;
			n_shown += rule->head.disposition == DISPOSITION_NONE;
			if (lifetime_s > tour->link.lifetime_s)
				tour->link.lifetime_s = lifetime_s;
		}
	tour->link.shows = n > 0 && n_shown == n;
	rely(tour, S3_LINK, n > 0, "presign");
}

static void
look_at_rules(struct s3_tour *tour)
{
	const struct s3_settings *settings = tour->trial.settings;
	uint64_t largest = largest_object(tour);
	bool has_parts = largest > settings->put_max;
	char checksum[64];

	rely(tour, S3_REACHABLE, true, "endpoint");
	rely(tour, S3_CREDENTIALS, true, "credentials");
	rely(tour, S3_PUT, largest > 0, "bucket");
	rely(tour, S3_CONDITIONAL_PUT, largest > 0 && settings->refuses_existing, "exists: refuse");
	rely(tour, S3_MULTIPART, has_parts, "put_max");
	rely(tour, S3_CONDITIONAL_COMPLETE, has_parts && settings->refuses_existing, "exists: refuse");
	rely(tour, S3_LIST_UPLOADS, settings->sweep_prefix != NULL, "sweep");
	rely(tour, S3_ABORT, has_parts, "put_max");
	look_at_links(tour);
	snprintf(checksum, sizeof checksum, "checksum: %s",
		settings->checksum == S3_SUM_NONE
			? "none"
			: s3_sum_header(settings->checksum) + sizeof "x-amz-checksum-" - 1);
	rely(tour, S3_CHECKSUM, settings->checksum != S3_SUM_NONE, checksum);
	rely(tour, S3_DELETE, settings->undo_delete, "undo: DELETE");
}

/* -- all of it ---------------------------------------------------------------------------------------- */

static void
note_all(struct s3_tour *tour)
{
	for (size_t i = 0; i < S3_N_ABILITIES; i++)
		survey_note_found(tour->trial.survey, names[i], &tour->found[i], tour->why_not);
}

void
s3_survey(struct survey *survey, const struct destination *to)
{
	struct s3_tour *tour = mem_zalloc(sizeof *tour);

	if (tour == NULL) {
		survey_note(survey, names[S3_REACHABLE], SURVEY_NOT_TRIED, NULL, "out of memory");
		return;
	}
	tour->trial.survey = survey;
	tour->trial.to = to;
	tour->trial.settings = s3_settings(to);
	s3_survey_prepare(tour);
	look_at_rules(tour);
	if (reach(tour) && find_keys(tour) && has_bucket(tour))
		s3_survey_try_all(tour);
	if (tour->trial.keyring != NULL)
		clean_up(tour);
	note_all(tour);
	s3_keyring_close(tour->trial.keyring);
	mem_free(tour);
}
