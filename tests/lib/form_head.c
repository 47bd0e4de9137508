// SPDX-License-Identifier: MIT
/* form_head.c - see form_head.h. */
#include "lib/form_head.h"

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	(void)arg;
	if (nth > 0 || !str_equal_nocase(name, STR("content-type")))
		return false;
	*value = STR("multipart/form-data; boundary=B");
	return true;
}

const struct head form_head = {
	.method = STR("POST"), .target = STR("/"), .version = STR("HTTP/1.1"), .header = nth_header
};
