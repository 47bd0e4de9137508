// SPDX-License-Identifier: MIT
/* folder_survey.h - what `penstock probe` tries in the folder of a destination (survey.h). Blocking calls. */
#ifndef PENSTOCK_FOLDER_SURVEY_H
#define PENSTOCK_FOLDER_SURVEY_H

#include "sink/survey.h"

void folder_survey(struct survey *survey, const struct destination *to);

#endif
