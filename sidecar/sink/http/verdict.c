// SPDX-License-Identifier: MIT
/* verdict.c - see verdict.h. Sentences name the destination by its name in the route file and never by an
 * address: they go to clients. */
#include "sink/http/verdict.h"

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
is_for_want_of_files(const struct verdict_facts *facts)
{
	return facts->is_short_of_files &&
		(facts->code == CURLE_COULDNT_RESOLVE_HOST || facts->code == CURLE_SSL_CACERT_BADFILE ||
			facts->code == CURLE_SSL_CERTPROBLEM || facts->code == CURLE_FAILED_INIT ||
			facts->code == CURLE_OUT_OF_MEMORY);
}

/* libcurl 7.88 has no better word for a line of a head that is too long. */
static bool
has_long_head(const struct verdict_facts *facts)
{
	return facts->is_head_too_long || (int)facts->code == CODE_TOO_LARGE ||
		(facts->code == CURLE_OUT_OF_MEMORY && (facts->is_in_head || facts->was_complete));
}

const char *
verdict_describe(const struct verdict_facts *facts, enum error_kind *kind)
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

static void
judge_code(const struct verdict_facts *facts, struct error *err)
{
	enum error_kind kind = ERR_UPSTREAM_TIMEOUT;
	const char *sentence;

	if (facts->was_idle)
		sentence = "nothing moved for longer than timeout.idle";
	else if (facts->was_overdue)
		sentence = "it took longer than timeout.total";
	else if (facts->code == CURLE_OPERATION_TIMEDOUT && facts->is_nameless)
		sentence = "resolving its host name took longer than timeout.connect";
	else
		sentence = verdict_describe(facts, &kind);
	error_set(err, kind, "destination \"%s\": %s", facts->destination, sentence);
}

/* -- what an answer means ----------------------------------------------------------------------------- */

/* What of the route file has to do with such an answer, or "". */
static const char *
remedy_of(const struct verdict_facts *facts)
{
	switch (facts->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return "; redirects are not followed: `url` has to be where it leads";
	case 401:
	case 403:
		return "; see `headers` of the destination";
	case 405:
		return "; see `method`";
	case 408:
		return "; it does not wait for the rest of a form: `buffer: true` sends a part when all are in";
	case 409:
		return "; the name is taken, or what it lies in is not there";
	case 411:
	case 501:
		return facts->is_chunked ? "; `buffer: true` sends the part with its length" : "";
	case 412:
		return "; see the conditions in `headers` of the destination";
	case 413:
		return "; `max_size` can say so earlier";
	case 417:
		return "; penstock sends no Expect, something between may";
	default:
		return "";
	}
}

static void
judge_status(const struct verdict_facts *facts, struct error *err)
{
	enum error_kind kind = facts->status == 507 ? ERR_UPSTREAM_FULL
		: facts->status == 504              ? ERR_UPSTREAM_TIMEOUT
						    : ERR_UPSTREAM;

	error_set(err, kind, "destination \"%s\" answered %u%s%s", facts->destination, facts->status,
		facts->was_complete && !facts->was_early ? "" : " before the upload was complete",
		remedy_of(facts));
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
	if (good && facts->was_complete && !facts->was_early && !facts->is_head_too_long &&
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
