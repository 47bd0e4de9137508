// SPDX-License-Identifier: MIT
/* sweep.h - one look at a bucket for unfinished uploads that nobody will finish: those whose keys begin with sweep.prefix, and
 * that were begun longer ago than sweep.older_than, are ended (AbortMultipartUpload), one after the other. As sink.h has it;
 * when and how often is sweeper.h's to say.
 *
 *   LISTING ─a page▶ ENDING ─for each that is old▶ ENDING
 *      ▲ │              │
 *      │ └─refused──────┼─that was the last page, or too much went wrong▶ OVER
 *      └─the next page──┘
 *
 * Others may sweep the same bucket: what is not there any more is as good as ended.
 *
 * A sweep that went wrong somewhere has failed, whatever it has ended. Nothing is counted on from one sweep to the next. */
#ifndef PENSTOCK_S3_SWEEP_H
#define PENSTOCK_S3_SWEEP_H

#include "sink/sink.h"

bool s3_sweeps(const struct destination *to);      /* the route file wants it */
void *s3_sweep_begin(const struct sweep_job *job); /* [sweeper] */
void s3_sweep_end(void *sweep);                    /* [sweeper] */

#endif
