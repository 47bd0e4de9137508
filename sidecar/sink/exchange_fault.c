// SPDX-License-Identifier: MIT
/* exchange_fault.c - see exchange_fault.h. Sentences never name an address: they go to clients. */
#include "sink/exchange_fault.h"

#include <errno.h>

static bool
is_connect_failure(CURLcode code)
{
	return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
		code == CURLE_SSL_CONNECT_ERROR;
}

bool
exchange_fault_may_retry(const struct exchange_facts *facts)
{
	return is_connect_failure(facts->code) && !facts->body_begun && facts->status == 0 && !facts->was_idle &&
		!facts->was_overdue;
}

static bool
is_broken_connection(CURLcode code)
{
	return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
		code == CURLE_SEND_FAIL_REWIND;
}

bool
exchange_fault_is_stale(const struct exchange_facts *facts)
{
	return facts->status == 0 && !facts->is_in_head && !facts->was_idle && !facts->was_overdue &&
		(facts->was_asked_twice || (facts->was_kept && is_broken_connection(facts->code)));
}

#define CODE_TOO_LARGE 100 /* CURLE_TOO_LARGE, which 7.88 does not have: it says OUT_OF_MEMORY for the same */

/* -- why there was no answer -------------------------------------------------------------------------- */

struct cause {
	int code;
	enum error_kind kind;
	const char *sentence;
};

/* What the system said to connect(2) or socket(2). */
static const struct cause connect_causes[] = {
	{ ECONNREFUSED, ERR_UPSTREAM, "it refused the connection" },
	{ ENOENT, ERR_UPSTREAM, "its socket is not there" },
	{ EACCES, ERR_UPSTREAM, "penstock may not connect to it" },
	{ EPERM, ERR_UPSTREAM, "penstock may not connect to it" },
	{ ENETUNREACH, ERR_UPSTREAM, "no way leads to it" },
	{ EHOSTUNREACH, ERR_UPSTREAM, "no way leads to it" },
	{ EADDRNOTAVAIL, ERR_UPSTREAM, "no local address or port is left to reach it from" },
	{ ETIMEDOUT, ERR_UPSTREAM_TIMEOUT, "nobody answered the connection" },
	{ EMFILE, ERR_BUSY, "no file descriptor is left for a connection to it" },
	{ ENFILE, ERR_BUSY, "no file descriptor is left for a connection to it" },
	{ ENOBUFS, ERR_NOMEM, "the system has no memory left for a connection to it" },
	{ ENOMEM, ERR_NOMEM, "the system has no memory left for a connection to it" },
	{ 0, ERR_UPSTREAM, "it could not be connected to" },
};

/* Those that are ours, or the route file's, are not told as the destination's. Whatever is not here is. */
static const struct cause curl_causes[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, ERR_UPSTREAM, "its host name does not resolve" },
	{ CURLE_OPERATION_TIMEDOUT, ERR_UPSTREAM_TIMEOUT, "connecting took longer than timeout.connect" },
	{ CURLE_SSL_CONNECT_ERROR, ERR_UPSTREAM, "TLS could not be set up" },
	{ CURLE_SSL_CIPHER, ERR_UPSTREAM, "TLS could not be set up" },
	{ CURLE_SSL_CACERT_BADFILE, ERR_INTERNAL, "the authorities to trust cannot be read" },
	{ CURLE_SSL_CERTPROBLEM, ERR_INTERNAL, "the certificate to show it, or its key, cannot be used" },
	{ CURLE_PEER_FAILED_VERIFICATION, ERR_UPSTREAM, "its certificate was not accepted" },
	{ CURLE_SSL_ISSUER_ERROR, ERR_UPSTREAM, "its certificate was not accepted" },
	{ CURLE_SSL_INVALIDCERTSTATUS, ERR_UPSTREAM, "its certificate was not accepted" },
	{ CURLE_SSL_CLIENTCERT, ERR_UPSTREAM, "it wants a certificate: `tls: { cert, key }`" },
	{ CURLE_SEND_ERROR, ERR_UPSTREAM, "it cut the connection" },
	{ CURLE_RECV_ERROR, ERR_UPSTREAM, "it cut the connection" },
	{ CURLE_SEND_FAIL_REWIND, ERR_UPSTREAM,
		"it closed the connection without an answer" }, /* it would send anew */
	{ CURLE_GOT_NOTHING, ERR_UPSTREAM, "it closed the connection without an answer" },
	{ CURLE_PARTIAL_FILE, ERR_UPSTREAM, "its answer was cut short" },
	{ CURLE_OK, ERR_UPSTREAM,
		"its answer is not HTTP/1.1" }, /* HTTP/2 in its first line, or a head that breaks off */
	{ CURLE_WEIRD_SERVER_REPLY, ERR_UPSTREAM, "its answer is not HTTP/1.1" },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_UPSTREAM, "its answer is not HTTP/1.1" },
	{ CODE_TOO_LARGE, ERR_UPSTREAM, "the head of its answer is too long" },
	{ CURLE_OUT_OF_MEMORY, ERR_NOMEM, "out of memory" },
	{ CURLE_ABORTED_BY_CALLBACK, ERR_NOMEM, "out of memory" }, /* for a trailer */
	{ CURLE_FAILED_INIT, ERR_INTERNAL, "libcurl could not begin" },
	{ CURLE_URL_MALFORMAT, ERR_INTERNAL, "libcurl does not take the URL" },
	{ CURLE_NOT_BUILT_IN, ERR_INTERNAL, "libcurl was built without what it takes" },
	{ CURLE_BAD_FUNCTION_ARGUMENT, ERR_INTERNAL, "libcurl was called wrongly" },
	{ CURLE_UNKNOWN_OPTION, ERR_INTERNAL, "libcurl was called wrongly" },
	{ CURLE_UNRECOVERABLE_POLL, ERR_NOMEM, "the system has no memory left to wait for it" },
};

static const struct cause *
find_cause(const struct cause *causes, size_t n, int code)
{
	for (size_t i = 0; i < n; i++)
		if (causes[i].code == code)
			return &causes[i];
	return NULL;
}

#define FIND_CAUSE(causes, code) find_cause((causes), sizeof(causes) / sizeof(causes)[0], (code))

/* libcurl opens files, and sockets between threads, to resolve a name and to set up TLS: without a descriptor it has another
 * name for each. */
static bool
is_for_want_of_files(const struct exchange_facts *facts)
{
	return facts->is_short_of_files &&
		(facts->code == CURLE_COULDNT_RESOLVE_HOST || facts->code == CURLE_SSL_CACERT_BADFILE ||
			facts->code == CURLE_SSL_CERTPROBLEM || facts->code == CURLE_FAILED_INIT ||
			facts->code == CURLE_OUT_OF_MEMORY);
}

/* libcurl 7.88 has no better word for a line of a head that is too long. */
static bool
has_long_head(const struct exchange_facts *facts)
{
	return facts->is_head_too_long || (int)facts->code == CODE_TOO_LARGE ||
		(facts->code == CURLE_OUT_OF_MEMORY && (facts->is_in_head || facts->was_complete));
}

static const char *
describe(const struct exchange_facts *facts, enum error_kind *kind)
{
	const struct cause *cause = NULL;

	if (has_long_head(facts))
		cause = FIND_CAUSE(curl_causes, CODE_TOO_LARGE);
	else if (is_for_want_of_files(facts))
		cause = FIND_CAUSE(connect_causes, EMFILE);
	else if (facts->code == CURLE_COULDNT_CONNECT)
		cause = FIND_CAUSE(connect_causes, facts->os_error);
	else
		cause = FIND_CAUSE(curl_causes, (int)facts->code);
	if (cause == NULL && facts->code == CURLE_COULDNT_CONNECT)
		cause = FIND_CAUSE(connect_causes, 0);
	*kind = cause != NULL ? cause->kind : ERR_UPSTREAM;
	return cause != NULL ? cause->sentence : curl_easy_strerror(facts->code);
}

static const char *
describe_end(const struct exchange_facts *facts, enum error_kind *kind)
{
	struct exchange_facts told = *facts;

	*kind = ERR_UPSTREAM_TIMEOUT;
	if (facts->was_idle)
		return "nothing moved for longer than timeout.idle";
	if (facts->was_overdue)
		return "it took longer than timeout.total";
	if (facts->code == CURLE_OPERATION_TIMEDOUT && facts->is_nameless)
		return "resolving its host name took longer than timeout.connect";
	if (facts->was_asked_twice)
		told.code = CURLE_GOT_NOTHING;
	else if (facts->is_in_head && facts->code == CURLE_BAD_FUNCTION_ARGUMENT)
		told.code = CURLE_WEIRD_SERVER_REPLY; /* a line without a colon */
	else if (facts->is_cut && facts->code == CURLE_OK)
		told.code =
			CURLE_PARTIAL_FILE; /* libcurl takes the end of the connection for the end of the head */
	return describe(&told, kind);
}

/* CURLE_WRITE_ERROR: we did not care to read all of a long answer. */
static bool
is_whole(const struct exchange_facts *facts)
{
	if (facts->was_idle || facts->was_overdue)
		return false;
	if (facts->is_connection)
		return facts->code == CURLE_OK;
	return facts->status != 0 && !facts->is_cut && !facts->is_head_too_long &&
		(facts->code == CURLE_OK || facts->code == CURLE_WRITE_ERROR);
}

struct exchange_result
exchange_fault_judge(const struct exchange_facts *facts)
{
	struct exchange_result result = {
		.status = facts->status,
		.is_whole = is_whole(facts),
		.was_complete = facts->was_complete,
		.was_early = facts->was_early,
		.was_sent_before = facts->was_sent_before,
	};

	if (!result.is_whole)
		result.why = describe_end(facts, &result.kind);
	return result;
}
