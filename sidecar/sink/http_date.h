// SPDX-License-Identifier: MIT
/* http_date.h - the date of a line in an answer's head (RFC 9110 section 5.6.7). Of its three forms the one that is still written is
 * read. Pure, any thread. */
#ifndef PENSTOCK_HTTP_DATE_H
#define PENSTOCK_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define HTTP_DATE_SIZE 40 /* for a text that is kept until somebody asks; a date has 29 bytes */

/* "Sun, 06 Nov 1994 08:49:37 GMT" as seconds since 1970. False: it is none. */
bool http_date_read(const char *text, int64_t *at_s);

#endif
