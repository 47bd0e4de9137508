// SPDX-License-Identifier: MIT
/* judging.h - what tests of the filter's judge share: route files in a folder of their own, and heads as HAProxy has
 * them. */
#ifndef PENSTOCK_JUDGING_H
#define PENSTOCK_JUDGING_H

#include "native/judge.h"

#define H "host: h\n"
#define FORM "content-type: multipart/form-data; boundary=B\n"
#define TE "transfer-encoding: chunked\n"
#define FIELDS "fields: [ { name: \"*\", drop: true } ]"

/* A folder with a.yaml and b.yaml: routes album (/album/ and one segment; POST, PUT; 300 bytes, 2 parts, heads of 256),
 * open (no limit) and sized (wants a length). 0, or -1. */
int judging_start(void **state);
int judging_stop(void **state);

/* Text of a third file; its name. */
void judging_write(const char *name, const char *text);

/* Reads the first n of the files. */
struct judge *judging_read(size_t n, const struct judge_manner *manner, char **problems);

/* Of the first two; NULL: they are refused, and it is said why. */
struct judge *judging_judge(const struct judge_manner *manner);

/* `headers` are lines, "name: value\n" each, names in small letters; borrowed. */
struct judge_head judging_head(const char *method, const char *target, const char *headers);

/* One that may go to /album, with chunks. */
struct judge_request *judging_admitted(const struct judge *judge);

#endif
