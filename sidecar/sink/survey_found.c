// SPDX-License-Identifier: MIT
/* survey_found.c - see survey_found.h. */
#include "sink/survey_found.h"

#include "sink/survey_ask.h"

#include <stdio.h>

void
survey_find(struct survey_found *to, bool can, const char *fmt, va_list args)
{
	to->answer = can ? SURVEY_YES : SURVEY_NO;
	vsnprintf(to->sentence, sizeof to->sentence, fmt, args);
}

bool
survey_is_interrupted(const struct survey *survey, const char **why_not)
{
	if (!survey_is_over(survey))
		return false;
	*why_not = "interrupted";
	return true;
}

bool
survey_reach(struct survey *survey, const struct http_peer *peer, struct survey_found *to, const char **why_not)
{
	struct survey_request request = { .to = peer, .target = "" };
	struct survey_reply reply;

	survey_ask(survey, &request, &reply);
	if (survey_is_interrupted(survey, why_not))
		return false;
	to->answer = reply.result.is_whole ? SURVEY_YES : SURVEY_NO;
	snprintf(to->sentence, sizeof to->sentence, "%s", reply.result.is_whole ? "" : reply.result.why);
	if (!reply.result.is_whole)
		*why_not = "it cannot be reached";
	return reply.result.is_whole;
}

void
survey_note_found(struct survey *survey, const char *ability, const struct survey_found *what, const char *why_not)
{
	bool has_reason = what->answer != SURVEY_NOT_TRIED || what->sentence[0] != '\0';

	survey_note(survey, ability, what->answer, what->relied_on, "%s",
		has_reason || why_not == NULL ? what->sentence : why_not);
}
