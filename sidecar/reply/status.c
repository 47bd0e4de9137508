// SPDX-License-Identifier: MIT
/* status.c - see status.h. */
#include "reply/status.h"

#include <stddef.h>

/* ERROR: it is ours or a destination's, so somebody has to look. WARN: it is the client's, but a key of the route file may be what
 * is in its way. INFO: it is the client's alone. */
static const struct {
	unsigned status;
	enum log_level level;
} rows[ERROR_KINDS] = {
	[ERR_NONE] = { 200, LOG_INFO },
	[ERR_BAD_REQUEST] = { 400, LOG_INFO },
	[ERR_UNAUTHORIZED] = { 401, LOG_INFO },
	[ERR_FORBIDDEN] = { 403, LOG_INFO },
	[ERR_NO_ROUTE] = { 404, LOG_INFO }, /* anybody may ask for anything */
	[ERR_METHOD] = { 405, LOG_INFO },
	[ERR_LENGTH_REQUIRED] = { 411, LOG_INFO },
	[ERR_HEADERS] = { 431, LOG_INFO },
	[ERR_MEDIA_TYPE] = { 415, LOG_INFO },
	[ERR_EXPECTATION] = { 417, LOG_INFO },
	[ERR_TOO_MANY] = { 429, LOG_WARN }, /* limits.concurrent */
	[ERR_MALFORMED] = { 400, LOG_INFO },
	[ERR_TRUNCATED] = { 400, LOG_INFO },
	[ERR_TOO_LARGE] = { 413, LOG_WARN }, /* limits, max_size */
	[ERR_RULE] = { 422, LOG_WARN },      /* fields, default */
	[ERR_EXISTS] = { 409, LOG_INFO },
	[ERR_REFUSED] = { 403, LOG_INFO },     /* as the application has said it */
	[ERR_CLIENT_SLOW] = { 408, LOG_WARN }, /* client.timeout, and a gateway that holds bytes back */
	[ERR_CLIENT_GONE] = { 499, LOG_INFO },
	[ERR_BUSY] = { 503, LOG_ERROR },
	[ERR_DRAINING] = { 503, LOG_ERROR },
	[ERR_NOMEM] = { 503, LOG_ERROR },
	[ERR_INTERNAL] = { 500, LOG_ERROR },
	[ERR_UPSTREAM] = { 502, LOG_ERROR },
	[ERR_UPSTREAM_TIMEOUT] = { 504, LOG_ERROR },
	[ERR_UPSTREAM_FULL] = { 507, LOG_ERROR },
	[ERR_UPSTREAM_REFUSED] = { 502, LOG_ERROR }, /* if it says no status itself */
	[ERR_CONFIG] = { 500, LOG_ERROR },
	[ERR_SYSTEM] = { 500, LOG_ERROR },
};

unsigned
reply_status(enum error_kind kind)
{
	return rows[kind].status;
}

enum log_level
reply_level(enum error_kind kind)
{
	return rows[kind].level;
}

unsigned
reply_status_of(const struct error *error)
{
	return error->status != 0 ? error->status : reply_status(error->kind);
}

/* 413 and 429 are about a limit, be it the store's. */
enum log_level
reply_level_of(const struct error *error)
{
	if (error->status == 0)
		return reply_level(error->kind);
	if (error->status >= 500)
		return LOG_ERROR;
	return error->status == 413 || error->status == 429 ? LOG_WARN : LOG_INFO;
}

bool
reply_is_of_store(enum error_kind kind)
{
	return kind == ERR_UPSTREAM || kind == ERR_UPSTREAM_REFUSED;
}

const char *
reply_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 203, "Non-Authoritative Information" },
		{ 204, "No Content" },
		{ 205, "Reset Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 499, "Client Closed Request" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}
