// SPDX-License-Identifier: MIT
/* survey_note.c - what a kind of destination tells a survey (survey.h), and asks it. */
#include "sink/survey.h"

#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>

void
survey_note(struct survey *survey, const char *ability, enum survey_answer answer, const char *relied_on,
	const char *fmt, ...)
{
	struct survey_finding *finding;
	va_list args;

	must(survey->findings.n < SURVEY_FINDINGS_MAX);
	finding = &survey->findings.items[survey->findings.n++];
	finding->ability = ability;
	finding->answer = answer;
	snprintf(finding->relied_on, sizeof finding->relied_on, "%s", relied_on != NULL ? relied_on : "");
	va_start(args, fmt);
	vsnprintf(finding->sentence, sizeof finding->sentence, fmt, args);
	va_end(args);
}

bool
survey_is_over(const struct survey *survey)
{
	return survey->state != SURVEY_TRYING;
}

bool
survey_is_broken(const struct survey_finding *finding)
{
	return finding->answer == SURVEY_NO && finding->relied_on[0] != '\0';
}
