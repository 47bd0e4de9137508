// SPDX-License-Identifier: MIT
/* error.c - see error.h. Sentences that do not fit are cut, never refused: an error about an error
 * helps nobody. */
#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

bool
error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL || err->kind != ERR_NONE)
		return false;
	*err = (struct error){ .kind = kind, .offset = ERROR_NO_OFFSET };
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof err->message, fmt, ap);
	va_end(ap);
	return false;
}

bool
error_nomem(struct error *err)
{
	return error_set(err, ERR_NOMEM, "out of memory");
}

bool
error_no_room(struct error *err, const char *what_for)
{
	if (err == NULL || error_is_set(err))
		return false;
	error_set(err, ERR_BUSY, "no memory left %s; try again later", what_for);
	error_name_limit(err, "memory");
	return false;
}

void
error_name_limit(struct error *err, const char *limit)
{
	snprintf(err->limit, sizeof err->limit, "%s", limit);
}

bool
error_wrap(struct error *err, const char *fmt, ...)
{
	char prefix[sizeof err->message], whole[sizeof err->message * 2 + 3];
	va_list ap;

	if (err == NULL || err->kind == ERR_NONE)
		return false;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof prefix, fmt, ap);
	va_end(ap);
	snprintf(whole, sizeof whole, "%s: %s", prefix, err->message);
	snprintf(err->message, sizeof err->message, "%.*s", (int)sizeof err->message - 1, whole);
	return false;
}

bool
error_is_set(const struct error *err)
{
	return err != NULL && err->kind != ERR_NONE;
}

void
error_keep_first(struct error *to, const struct error *from)
{
	if (to->kind == ERR_NONE)
		*to = *from;
}

static const char *const kind_names[] = {
	[ERR_NONE] = "none",
	[ERR_BAD_REQUEST] = "bad-request",
	[ERR_UNAUTHORIZED] = "unauthorized",
	[ERR_FORBIDDEN] = "forbidden",
	[ERR_NO_ROUTE] = "no-route",
	[ERR_METHOD] = "method",
	[ERR_LENGTH_REQUIRED] = "length-required",
	[ERR_HEADERS] = "headers-too-long",
	[ERR_MEDIA_TYPE] = "media-type",
	[ERR_EXPECTATION] = "expectation",
	[ERR_TOO_MANY] = "too-many",
	[ERR_MALFORMED] = "malformed",
	[ERR_TRUNCATED] = "truncated",
	[ERR_TOO_LARGE] = "too-large",
	[ERR_RULE] = "rule",
	[ERR_EXISTS] = "exists",
	[ERR_REFUSED] = "refused",
	[ERR_CLIENT_SLOW] = "client-slow",
	[ERR_CLIENT_GONE] = "client-gone",
	[ERR_BUSY] = "busy",
	[ERR_DRAINING] = "draining",
	[ERR_NOMEM] = "out-of-memory",
	[ERR_INTERNAL] = "internal",
	[ERR_UPSTREAM] = "upstream",
	[ERR_UPSTREAM_TIMEOUT] = "upstream-timeout",
	[ERR_UPSTREAM_FULL] = "upstream-full",
	[ERR_UPSTREAM_REFUSED] = "upstream-refused",
	[ERR_CONFIG] = "config",
	[ERR_SYSTEM] = "system",
};

const char *
error_kind_name(enum error_kind kind)
{
	return kind_names[kind];
}
