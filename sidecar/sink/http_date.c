// SPDX-License-Identifier: MIT
/* http_date.c - see http_date.h. strptime() also takes names that are written out, and blanks where none may be: the length says so. */
#include "sink/http_date.h"

#include <string.h>
#include <time.h>

bool
http_date_read(const char *text, int64_t *at_s)
{
	struct tm tm = { 0 };
	const char *end;

	if (strlen(text) != sizeof "Sun, 06 Nov 1994 08:49:37 GMT" - 1)
		return false;
	end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (end == NULL || *end != '\0')
		return false;
	*at_s = (int64_t)timegm(&tm);
	return true;
}
