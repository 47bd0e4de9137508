// SPDX-License-Identifier: MIT
/* http_survey.c - see http_survey.h. Objects of a few kilobytes, each under a random name of its own directly below the URL,
 * one after the other; each is removed before the next is put.
 *
 *   connect ─▶ DELETE of a name that is not there ─▶ (PUT ─▶ GET ─▶ DELETE ─▶ GET)*
 *
 * A store that takes no DELETE would keep what is put: nothing is. Nor is anything POSTed, because the other side makes the
 * names of that, and may do anything else with it. */
#include "sink/http/http_survey.h"

#include "config/kind.h"
#include "sink/http/http_survey_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STOP_AT 8192u /* where a body stops: more than any store keeps in one read */

static const char *const names[] = {
	[REACHABLE] = "reachable",
	[PUT] = "PUT",
	[GET] = "GET",
	[DELETE] = "DELETE",
	[CHUNKED] = "chunked",
	[EARLY_100] = "early 100",
	[SILENCE] = "silence",
	[SLOW_BODY] = "slow body",
	[POST] = "POST",
	[REMOVED] = "removed again",
};

/* Of what the interruption has cut nothing is known. False: it has. */
static bool
is_known(struct http_trial *trial)
{
	return !survey_is_interrupted(trial->survey, &trial->why_not);
}

/* It was interrupted before it was clear what became of it. */
static bool
was_cut(const struct http_trial *trial, const struct attempt *attempt)
{
	return attempt->reply.is_ended || (survey_is_over(trial->survey) && attempt->read_status == 0);
}

static bool
gives_other_bytes(const struct attempt *attempt)
{
	return attempt->read_status != 0 && !attempt->is_same;
}

static struct str
body_of(const struct http_trial *trial, size_t len)
{
	return (struct str){ trial->body, len < BODY_SIZE ? len : BODY_SIZE };
}

/* Taken, and not as something else: an old server may take a chunked body for an empty one. */
static bool
is_kept(const struct http_trial *trial, const struct attempt *attempt)
{
	return survey_is_good(&attempt->reply) && (attempt->is_same || !trial->can_read);
}

static const char *
whether_other(const struct http_trial *trial, const struct attempt *attempt)
{
	bool is_other = survey_is_good(&attempt->reply) && trial->can_read && gives_other_bytes(attempt);

	return is_other ? ", but GET does not give what was put" : "";
}

/* -- what is tried ------------------------------------------------------------------------------------ */

/* Asked before anything is put. */
static bool
takes_delete(struct http_trial *trial)
{
	char target[TARGET_SIZE];
	struct survey_words words;
	unsigned status;

	http_survey_name(target);
	status = http_survey_delete(trial, target, &words);
	if (!is_known(trial))
		return false;
	if (http_survey_is_gone(status))
		return true;
	if (status == 0) {
		http_survey_found(trial, REACHABLE, false, "%s", words.text);
		trial->why_not = "it does not answer";
	} else {
		http_survey_found(trial, DELETE, false, "of a name that is not there: %s", words.text);
		trial->why_not = "nothing is put, because without DELETE it would stay there";
	}
	return false;
}

static bool
try_put(struct http_trial *trial)
{
	struct survey_request request = { .body = body_of(trial, BODY_SIZE) };
	struct attempt attempt;
	bool is_good;

	http_survey_put(trial, &request, &attempt);
	is_good = survey_is_good(&attempt.reply);
	if (attempt.reply.is_ended)
		return is_known(trial);
	http_survey_found(trial, PUT, is_good, "%s", attempt.words.text);
	trial->can_read = attempt.is_same;
	if (!is_good)
		trial->why_not = "PUT failed";
	else if (attempt.read_status >= 200 && attempt.read_status < 300)
		http_survey_found(trial, GET, attempt.is_same, "%s",
			attempt.is_same ? "gives what was put" : "does not give what was put");
	else if (attempt.read_status != 0)
		http_survey_found(trial, GET, false, "it answered %u", attempt.read_status);
	return is_good && is_known(trial);
}

static void
try_chunked(struct http_trial *trial)
{
	struct survey_request request = {
		.is_stream = true,
		.is_chunked = true,
		.body = body_of(trial, BODY_SIZE),
	};
	struct attempt attempt;

	http_survey_put(trial, &request, &attempt);
	if (!was_cut(trial, &attempt))
		http_survey_found(trial, CHUNKED, is_kept(trial, &attempt), "%s%s", attempt.words.text,
			whether_other(trial, &attempt));
}

/* Whoever sends at once does not need it. A proxy that has none reads the body before it asks whether it may. */
static void
try_early_100(struct http_trial *trial)
{
	struct survey_request request = {
		.is_stream = true,
		.body = body_of(trial, BODY_SIZE),
		.stop_ms = trial->settings->peer.connect_ms,
		.until_status = true,
	};
	struct attempt attempt;

	http_survey_put(trial, &request, &attempt);
	if (attempt.reply.is_ended)
		return;
	if (attempt.reply.has_continue)
		http_survey_found(trial, EARLY_100, true, "it came before the body; penstock does not wait for it");
	else if (attempt.reply.has_gone_on)
		http_survey_found(
			trial, EARLY_100, false, "none came within timeout.connect; penstock does not wait for it");
	else
		http_survey_found(trial, EARLY_100, false, "%s before the body", attempt.words.text);
}

struct seconds {
	char text[32];
};

static const char *
say_ms(uint64_t ms, struct seconds *to)
{
	if (ms % 1000 == 0)
		snprintf(to->text, sizeof to->text, "%" PRIu64 "s", ms / 1000);
	else
		snprintf(to->text, sizeof to->text, "%" PRIu64 "ms", ms);
	return to->text;
}

/* Is a body that stops taken in the end? drip_ms: 0, or how often one byte goes meanwhile. */
static bool
try_stop(struct http_trial *trial, enum ability ability, uint64_t drip_ms)
{
	struct survey_request request = {
		.is_stream = true,
		.is_chunked = true,
		.body = body_of(trial, STOP_AT + trial->settings->hold_tail),
		.stop_at = STOP_AT,
		.stop_ms = trial->survey->hold_ms,
		.drip_ms = drip_ms,
	};
	struct attempt attempt;
	struct seconds borne;
	bool is_borne;

	http_survey_put(trial, &request, &attempt);
	if (was_cut(trial, &attempt))
		return false;
	is_borne = attempt.reply.has_gone_on && is_kept(trial, &attempt);
	say_ms(is_borne ? trial->survey->hold_ms : attempt.reply.stopped_ms, &borne);
	http_survey_found(trial, ability, is_borne, is_borne ? "borne for %s" : "after %s: %s%s", borne.text,
		attempt.words.text, whether_other(trial, &attempt));
	return is_borne;
}

static void
not_tried(struct http_trial *trial, enum ability ability, const char *why)
{
	snprintf(trial->found[ability].sentence, sizeof trial->found[ability].sentence, "%s", why);
}

static void
try_hold(struct http_trial *trial)
{
	uint64_t every_ms = trial->settings->hold_every_ms;

	if (trial->survey->hold_ms == 0) {
		not_tried(trial, SILENCE, "only with --hold");
		not_tried(trial, SLOW_BODY, "only with --hold");
	} else if (trial->found[CHUNKED].answer != SURVEY_YES) {
		not_tried(trial, SILENCE, "only a chunked body is held, and it takes none");
		not_tried(trial, SLOW_BODY, "only a chunked body is held, and it takes none");
	} else if (try_stop(trial, SILENCE, 0)) {
		http_survey_found(trial, SLOW_BODY, true, "it bears silence");
	} else if (every_ms == LIMIT_NONE) {
		not_tried(trial, SLOW_BODY, "`hold` sends nothing meanwhile");
	} else if (trial->left[0] == '\0' && is_known(trial)) {
		try_stop(trial, SLOW_BODY, every_ms);
	}
}

static bool
may_go_on(struct http_trial *trial)
{
	if (trial->left[0] != '\0')
		trial->why_not = "what was put before could not be removed";
	return trial->left[0] == '\0' && is_known(trial);
}

static void
try_all(struct http_trial *trial)
{
	if (!takes_delete(trial) || !try_put(trial) || !may_go_on(trial))
		return;
	try_chunked(trial);
	if (!may_go_on(trial))
		return;
	try_early_100(trial);
	if (may_go_on(trial))
		try_hold(trial);
	may_go_on(trial);
}

/* -- what the route files rely on --------------------------------------------------------------------- */

static void
look_at_rule(struct http_trial *trial, const struct rule *rule)
{
	bool is_put = rule->method == STORE_PUT;

	if (rule->to != trial->to)
		return;
	trial->has_put = trial->has_put || is_put;
	trial->has_post = trial->has_post || !is_put;
	if (is_put && !rule->buffer && (rule->action == ACTION_CONCAT || rule->max_size > kind_keep_max(rule)))
		trial->may_stream = true;
}

static void
rely(struct http_trial *trial, enum ability ability, const char *key)
{
	snprintf(trial->found[ability].relied_on, sizeof trial->found[ability].relied_on, "%s", key);
}

static void
rely_on_hold(struct http_trial *trial)
{
	struct survey_found *slow = &trial->found[SLOW_BODY];
	struct seconds every;

	if (trial->settings->hold_every_ms == LIMIT_NONE)
		rely(trial, SILENCE, "hold: { every: none }");
	else
		snprintf(slow->relied_on, sizeof slow->relied_on, "hold: { every: %s }",
			say_ms(trial->settings->hold_every_ms, &every));
}

static void
look_at_rules(struct http_trial *trial)
{
	const struct config *config = trial->survey->config;

	for (size_t i = 0; i < config->n_routes; i++)
		for (size_t k = 0; k < config->routes[i].n_rules; k++)
			look_at_rule(trial, &config->routes[i].rules[k]);
	rely(trial, REACHABLE, "url");
	if (trial->has_put)
		rely(trial, PUT, "method: PUT");
	if (trial->has_put && trial->settings->undo_delete)
		rely(trial, DELETE, "undo: DELETE");
	if (trial->may_stream) {
		rely(trial, CHUNKED, "buffer: false");
		rely_on_hold(trial);
	}
}

/* -- all of it ---------------------------------------------------------------------------------------- */

static void
say_what_is_left(struct http_trial *trial)
{
	if (trial->left[0] != '\0') {
		rely(trial, REMOVED, "penstock probe");
		http_survey_found(trial, REMOVED, false, "please remove %s below its url", trial->left);
	} else if (trial->has_put_any)
		http_survey_found(trial, REMOVED, true, "nothing is left");
	else
		not_tried(trial, REMOVED, "nothing was put");
	not_tried(trial, POST, "it would make an object whose name the other side chooses");
}

/* Of what no rule does there nothing is said. */
static bool
is_asked(const struct http_trial *trial, size_t ability)
{
	if (ability == REACHABLE)
		return true;
	return ability == POST ? trial->has_post : trial->has_put;
}

static void
note_all(struct http_trial *trial)
{
	for (size_t i = 0; i < N_ABILITIES; i++)
		if (is_asked(trial, i))
			survey_note_found(trial->survey, names[i], &trial->found[i], trial->why_not);
}

static void
fill(char *body, size_t size)
{
	static const char line[] = "This is a try of `penstock probe` and may be removed.\n";

	for (size_t i = 0; i < size; i++)
		body[i] = line[i % (sizeof line - 1)];
}

void
http_survey(struct survey *survey, const struct destination *to)
{
	struct http_trial trial = { .survey = survey, .to = to, .settings = http_settings(to) };

	fill(trial.body, sizeof trial.body);
	look_at_rules(&trial);
	if (survey_reach(survey, &trial.settings->peer, &trial.found[REACHABLE], &trial.why_not) && trial.has_put)
		try_all(&trial);
	say_what_is_left(&trial);
	note_all(&trial);
}
