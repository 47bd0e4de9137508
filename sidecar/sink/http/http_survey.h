// SPDX-License-Identifier: MIT
/* http_survey.h - what `penstock probe` tries with an http destination (survey.h). */
#ifndef PENSTOCK_HTTP_SURVEY_H
#define PENSTOCK_HTTP_SURVEY_H

#include "sink/survey.h"

void http_survey(struct survey *survey, const struct destination *to);

#endif
