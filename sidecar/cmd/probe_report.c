// SPDX-License-Identifier: MIT
/* probe_report.c - see probe_report.h. A destination's rows are printed as soon as they are known, because trying silence
 * takes long; JSON is printed whole, at the end. */
#include "cmd/probe_report.h"

#include "sink/survey.h"
#include "sink/upload.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct report {
	json_t *list;               /* NULL: a table */
	size_t n_broken, n_untried; /* of what the route files rely on */
	bool is_lost;               /* a part of the JSON could not be made */
};

static const char *
answer_word(const struct survey_finding *finding)
{
	switch (finding->answer) {
	case SURVEY_YES:
		return "yes";
	case SURVEY_NO:
		return "no";
	case SURVEY_NOT_TRIED:
		break;
	}
	return "not tried";
}

/* -- a table ------------------------------------------------------------------------------------------ */

/* In capitals, so that it catches the eye. */
static void
print_row(const struct survey_finding *finding)
{
	const char *relied_on = finding->relied_on[0] != '\0' ? finding->relied_on : "-";

	printf("  %-20s %-10s %-22s %s\n", finding->ability,
		survey_is_broken(finding) ? "NO" : answer_word(finding), relied_on, finding->sentence);
}

static void
print_destination(const struct survey_findings *findings)
{
	printf("%s (%s)\n", findings->to->name, findings->type);
	if (findings->n == 0)
		puts("  there is nothing to try");
	for (size_t i = 0; i < findings->n; i++)
		print_row(&findings->items[i]);
	fflush(stdout);
}

static void
print_sum(const struct report *report, bool was_ended)
{
	if (report->n_broken > 0)
		printf("%zu thing%s that the route files rely on %s not kept\n", report->n_broken,
			PLURAL(report->n_broken), report->n_broken == 1 ? "is" : "are");
	else if (!was_ended && report->n_untried == 0)
		puts("good: everything that the route files rely on is kept");
	else if (!was_ended)
		printf("good: what the route files rely on is kept, as far as it was tried; %zu thing%s not tried\n",
			report->n_untried, report->n_untried == 1 ? " was" : "s were");
	if (was_ended)
		puts("interrupted: not everything was tried");
}

/* -- JSON --------------------------------------------------------------------------------------------- */

static json_t *
finding_json(const struct survey_finding *finding)
{
	return json_pack("{s:s, s:s, s:s?, s:b, s:s}", "ability", finding->ability, "answer", answer_word(finding),
		"relied_on", finding->relied_on[0] != '\0' ? finding->relied_on : NULL, "broken",
		survey_is_broken(finding), "sentence", finding->sentence);
}

static void
add_destination(struct report *report, const struct survey_findings *findings)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < findings->n; i++)
		ok = json_array_append_new(list, finding_json(&findings->items[i])) == 0;
	ok = json_array_append_new(report->list,
		     json_pack("{s:s, s:s, s:o}", "name", findings->to->name, "type", findings->type, "findings",
			     list)) == 0 &&
		ok;
	report->is_lost = report->is_lost || !ok;
}

static bool
print_json(const struct report *report, bool good, bool was_ended, struct error *err)
{
	json_t *root = json_pack(
		"{s:b, s:b, s:O}", "good", good, "interrupted", was_ended, "destinations", report->list);
	bool ok = root != NULL && !report->is_lost &&
		(json_dumpf(root, stdout, JSON_INDENT(2)) == 0 || ferror(stdout) != 0);

	json_decref(root);
	puts("");
	return ok ? true : error_nomem(err);
}

/* -- all of it ---------------------------------------------------------------------------------------- */

static void
on_destination(void *arg, const struct survey_findings *findings)
{
	struct report *report = arg;

	for (size_t i = 0; i < findings->n; i++) {
		const struct survey_finding *finding = &findings->items[i];

		report->n_broken += survey_is_broken(finding);
		report->n_untried += finding->answer == SURVEY_NOT_TRIED && finding->relied_on[0] != '\0';
	}
	if (report->list != NULL)
		add_destination(report, findings);
	else
		print_destination(findings);
}

static bool
survey_and_print(const struct config *config, const struct probe_report_options *options, struct report *report,
	bool *good, struct error *err)
{
	struct survey_listener listener = { .on_destination = on_destination, .arg = report };
	bool was_ended = false;

	if (!survey_run(config, options->hold_ms, &listener, &was_ended, err))
		return false;
	*good = report->n_broken == 0 && !was_ended;
	if (options->json)
		return print_json(report, *good, was_ended, err);
	print_sum(report, was_ended);
	return true;
}

bool
probe_report(const struct config *config, const struct probe_report_options *options, bool *good, struct error *err)
{
	struct report report = { .list = options->json ? json_array() : NULL };
	bool ok = !options->json || report.list != NULL || error_nomem(err);

	if (ok && upload_setup(err)) {
		ok = survey_and_print(config, options, &report, good, err);
		upload_teardown();
	}
	json_decref(report.list);
	return ok && !error_is_set(err);
}
