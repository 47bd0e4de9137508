// SPDX-License-Identifier: MIT
/* sweep.h - looks once through a bucket for unfinished uploads that will not be finished any more: those whose keys begin with
 * sweep.prefix, and that were begun longer ago than sweep.older_than. It aborts them (AbortMultipartUpload), one after the other.
 * The functions are as sink.h says; sweeper.h says when and how often they are called.
 *
 *   LISTING ─a page▶ ENDING ─for each that is old▶ ENDING
 *      ▲ │              │
 *      │ └─refused──────┼─that was the last page, or too much went wrong▶ OVER
 *      └─the next page──┘
 *
 * Other processes may sweep the same bucket, so an upload that is not there any more counts as aborted.
 *
 * A sweep in which anything went wrong has failed, whatever it has aborted. The next sweep begins from the start. */
#ifndef PENSTOCK_S3_SWEEP_H
#define PENSTOCK_S3_SWEEP_H

#include "sink/sink.h"

bool s3_sweeps(const struct destination *to);      /* does the route file want it? */
void *s3_sweep_begin(const struct sweep_job *job); /* [sweeper] */
void s3_sweep_end(void *sweep);                    /* [sweeper] */

#endif
