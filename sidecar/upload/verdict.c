// SPDX-License-Identifier: MIT
/* verdict.c - see verdict.h. Sentences name the destination by its name in the route file and never by an
 * address: they go to clients. */
#include "upload/verdict.h"

#include <errno.h>

static bool
is_connect_failure(CURLcode code)
{
	return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
		code == CURLE_SSL_CONNECT_ERROR;
}

bool
verdict_may_retry(const struct verdict_facts *facts)
{
	return is_connect_failure(facts->code) && !facts->body_begun && facts->status == 0 && !facts->was_idle &&
		!facts->was_overdue;
}

const char *
verdict_describe(CURLcode code)
{
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "its host name does not resolve";
	case CURLE_COULDNT_CONNECT:
		return "it refused the connection";
	case CURLE_SSL_CONNECT_ERROR:
		return "TLS could not be set up";
	case CURLE_SSL_CACERT_BADFILE:
		return "the authorities to trust cannot be read";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "its certificate was not accepted";
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return "it cut the connection";
	case CURLE_SEND_FAIL_REWIND: /* and libcurl would have sent anew */
	case CURLE_GOT_NOTHING:
		return "it closed the connection without an answer";
	case CURLE_PARTIAL_FILE:
		return "its answer was cut short";
	case CURLE_OK: /* HTTP/2 in its first line, or a head that breaks off */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return "its answer is not HTTP/1.1";
	default:
		return curl_easy_strerror(code);
	}
}

static void
judge_status(const struct verdict_facts *facts, struct error *err)
{
	enum error_kind kind = facts->status == 507 ? ERR_UPSTREAM_FULL
		: facts->status == 504              ? ERR_UPSTREAM_TIMEOUT
						    : ERR_UPSTREAM;

	error_set(err, kind, "destination \"%s\" answered %u%s", facts->destination, facts->status,
		facts->was_complete && !facts->was_early ? "" : " before the upload was complete");
}

static void
judge_code(const struct verdict_facts *facts, struct error *err)
{
	if (facts->was_idle)
		error_set(err, ERR_UPSTREAM_TIMEOUT,
			"destination \"%s\": nothing moved for longer than timeout.idle", facts->destination);
	else if (facts->was_overdue)
		error_set(err, ERR_UPSTREAM_TIMEOUT, "destination \"%s\": it took longer than timeout.total",
			facts->destination);
	else if (facts->code == CURLE_OPERATION_TIMEDOUT)
		error_set(err, ERR_UPSTREAM_TIMEOUT,
			"destination \"%s\": connecting took longer than timeout.connect", facts->destination);
	else if (facts->code == CURLE_OUT_OF_MEMORY)
		error_set(err, ERR_NOMEM, "out of memory");
	else
		error_set(err, ERR_UPSTREAM, "destination \"%s\": %s", facts->destination,
			verdict_describe(facts->code));
}

/* The object may be there although nobody said so plainly. Whoever never saw the end cannot have stored it, and whoever
 * answers the whole request with an error has not, but for a gateway that speaks of somebody behind it. None at all, a
 * good answer that then broke off, or one to half of the request, leaves it open. */
static bool
is_open(const struct verdict_facts *facts)
{
	bool is_good = facts->status >= 200 && facts->status < 300;
	bool is_gateways = facts->status == 502 || facts->status == 504;

	if (facts->was_complete)
		return facts->status < 200 || is_good || is_gateways;
	return is_good && facts->was_early;
}

void
verdict_of(const struct verdict_facts *facts, struct outcome *outcome)
{
	bool answered = facts->status >= 200, good = facts->status >= 200 && facts->status < 300;
	struct verdict_facts told = *facts;

	outcome->status = facts->status;
	if (facts->is_cut && facts->code == CURLE_OK)
		told.code =
			CURLE_PARTIAL_FILE; /* libcurl takes the end of the connection for the end of the head */
	/* CURLE_WRITE_ERROR: we did not care to read all of a long answer. */
	if (good && facts->was_complete && !facts->was_early &&
		(told.code == CURLE_OK || told.code == CURLE_WRITE_ERROR)) {
		outcome->state = OUTCOME_COMMITTED;
		return;
	}
	outcome->state = is_open(facts) ? OUTCOME_UNKNOWN : OUTCOME_ABORTED;
	if (answered && (!good || facts->was_early || told.code == CURLE_OK))
		judge_status(facts, &outcome->error);
	else
		judge_code(&told, &outcome->error);
}
