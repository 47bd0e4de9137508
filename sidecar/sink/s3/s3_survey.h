// SPDX-License-Identifier: MIT
/* s3_survey.h - tries for `penstock probe` what a bucket can do (survey.h). */
#ifndef PENSTOCK_S3_SURVEY_H
#define PENSTOCK_S3_SURVEY_H

#include "sink/survey.h"

void s3_survey(struct survey *survey, const struct destination *to);

#endif
