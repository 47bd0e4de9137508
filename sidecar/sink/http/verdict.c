// SPDX-License-Identifier: MIT
/* verdict.c - see verdict.h. Sentences name the destination by its name in the route file and never by an
 * address: they go to clients. */
#include "sink/http/verdict.h"

/* -- what an answer means ----------------------------------------------------------------------------- */

/* What of the route file has to do with such an answer, or "". */
static const char *
remedy_of(const struct verdict_facts *facts)
{
	switch (facts->result->status) {
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
		return "; penstock was holding the part until the rest of its form is in: see `hold`, or `buffer: true`";
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

/* What of it the client may be told. */
static bool
is_for_clients(unsigned status)
{
	static const unsigned statuses[] = { 401, 403, 404, 409, 412, 413, 415, 429, 503 };

	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (statuses[i] == status)
			return true;
	return false;
}

/* Those for which RFC 9110 and RFC 6585 have a Retry-After. */
static bool
may_be_later(unsigned status)
{
	return status == 413 || status == 429 || status == 503;
}

/* A 401 has to say what it asks for (RFC 9110 section 15.5.2): nobody could do anything about another one. */
static bool
pass_on(const struct verdict_facts *facts, struct outcome *outcome)
{
	unsigned status = facts->result->status;

	if (!facts->passes_errors || outcome->state != OUTCOME_ABORTED || !is_for_clients(status))
		return false;
	if (status == 401 && (outcome->challenge.failed || outcome->challenge.len == 0))
		return error_set(&outcome->error, ERR_UPSTREAM,
			"destination \"%s\" answered 401 without a WWW-Authenticate that could be passed on",
			facts->destination);
	error_set(&outcome->error, ERR_UPSTREAM_REFUSED, "destination \"%s\" answered %u", facts->destination,
		status);
	outcome->error.status = status;
	return true;
}

static void
judge_status(const struct verdict_facts *facts, struct error *err)
{
	enum error_kind kind = facts->result->status == 507 ? ERR_UPSTREAM_FULL
		: facts->result->status == 504              ? ERR_UPSTREAM_TIMEOUT
							    : ERR_UPSTREAM;

	error_set(err, kind, "destination \"%s\" answered %u%s%s", facts->destination, facts->result->status,
		facts->result->was_complete && !facts->result->was_early ? "" : " before the upload was complete",
		remedy_of(facts));
}

/* The object may be there although nobody said so plainly. Whoever never saw the end cannot have stored it, and whoever
 * answers the whole request with an error has not, but for a gateway that speaks of somebody behind it. None at all, a
 * good answer that then broke off, or one to half of the request, leaves it open; and so does any, where the request had been sent
 * before. */
static bool
is_open(const struct verdict_facts *facts)
{
	bool is_good = facts->result->status >= 200 && facts->result->status < 300;
	bool is_gateways = facts->result->status == 502 || facts->result->status == 504;

	if (facts->result->was_sent_before)
		return true;
	if (facts->result->was_complete)
		return facts->result->status < 200 || is_good || is_gateways;
	return is_good && facts->result->was_early;
}

void
verdict_of(const struct verdict_facts *facts, struct outcome *outcome)
{
	const struct exchange_result *result = facts->result;
	bool answered = result->status >= 200, good = result->status >= 200 && result->status < 300;

	outcome->status = result->status;
	if (good && result->was_complete && !result->was_early && result->is_whole) {
		outcome->state = OUTCOME_COMMITTED;
		return;
	}
	outcome->state = is_open(facts) ? OUTCOME_UNKNOWN : OUTCOME_ABORTED;
	if (facts->later != NULL && may_be_later(result->status))
		outcome->retry_after_s = retry_after_seconds(facts->later);
	if (pass_on(facts, outcome))
		return;
	if (answered && (!good || result->was_early || result->is_whole))
		judge_status(facts, &outcome->error);
	else
		error_set(&outcome->error, result->kind, "destination \"%s\": %s", facts->destination, result->why);
}
