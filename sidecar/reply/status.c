// SPDX-License-Identifier: MIT
/* status.c - see status.h. */
#include "reply/status.h"

#include <stddef.h>

unsigned
reply_status(enum error_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return 200;
	case ERR_BAD_REQUEST:
	case ERR_MALFORMED:
	case ERR_TRUNCATED:
		return 400;
	case ERR_UNAUTHORIZED:
		return 401;
	case ERR_FORBIDDEN:
		return 403;
	case ERR_NO_ROUTE:
		return 404;
	case ERR_METHOD:
		return 405;
	case ERR_CLIENT_SLOW:
		return 408;
	case ERR_EXISTS:
		return 409;
	case ERR_LENGTH_REQUIRED:
		return 411;
	case ERR_TOO_LARGE:
		return 413;
	case ERR_MEDIA_TYPE:
		return 415;
	case ERR_EXPECTATION:
		return 417;
	case ERR_RULE:
		return 422;
	case ERR_TOO_MANY:
		return 429;
	case ERR_CLIENT_GONE:
		return 499;
	case ERR_UPSTREAM:
		return 502;
	case ERR_BUSY:
	case ERR_DRAINING:
	case ERR_NOMEM:
		return 503;
	case ERR_UPSTREAM_TIMEOUT:
		return 504;
	case ERR_UPSTREAM_FULL:
		return 507;
	case ERR_INTERNAL:
	case ERR_CONFIG:
	case ERR_SYSTEM:
		break;
	}
	return 500;
}

const char *
reply_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} rows[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 203, "Non-Authoritative Information" },
		{ 204, "No Content" },
		{ 205, "Reset Content" },
		{ 206, "Partial Content" },
		{ 303, "See Other" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 499, "Client Closed Request" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return "Unknown";
}
