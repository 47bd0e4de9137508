// SPDX-License-Identifier: MIT
/* filter_core.h - what tests of the filter's core share: route files in a folder of their own, and heads as HAProxy has
 * them. */
#ifndef PENSTOCK_TEST_FILTER_CORE_H
#define PENSTOCK_TEST_FILTER_CORE_H

#include "native/core.h"

#define H "host: h\n"
#define FORM "content-type: multipart/form-data; boundary=B\n"
#define TE "transfer-encoding: chunked\n"
#define FIELDS "fields: [ { name: \"*\", drop: true } ]"

/* A folder with a.yaml and b.yaml: routes album (/album/ and one segment; POST, PUT; 300 bytes, 2 parts, heads of 256),
 * open (no limit) and sized (wants a length). 0, or -1. */
int filter_core_start(void **state);
int filter_core_stop(void **state);

/* Text of a third file; its name. */
void filter_core_write(const char *name, const char *text);

/* Reads the first n of the files. */
struct filter_core *filter_core_read(size_t n, const struct core_manner *manner, char **problems);

/* Of the first two; NULL: they are refused, and it is said why. */
struct filter_core *filter_core_make(const struct core_manner *manner);

/* `headers` are lines, "name: value\n" each, names in small letters; borrowed. */
struct core_head filter_core_head(const char *method, const char *target, const char *headers);

/* One that may go to /album, with chunks. */
struct core_request *filter_core_admitted(const struct filter_core *core);

#endif
