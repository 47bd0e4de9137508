// SPDX-License-Identifier: MIT
/* judge.c - see judge.h. S3 says what is wrong by a code in its answer, and stores that are not Amazon's use the same codes. If
 * there is none, as in the answer to HEAD, the status decides. */
#include "sink/s3/judge.h"

#include <string.h>

struct meaning {
	const char *code;
	enum s3_fate fate;
	enum error_kind kind;
	const char *remedy; /* ends the sentence: what may be wrong, often a key of the route file; or "" */
};

static const struct meaning meanings[] = {
	{ "AccessDenied", S3_REFUSED, ERR_UPSTREAM, "; these credentials may not do that there" },
	{ "NoSuchBucket", S3_REFUSED, ERR_UPSTREAM, "; there is no such bucket: see `bucket` and `endpoint`" },
	{ "InvalidAccessKeyId", S3_REFUSED, ERR_UPSTREAM,
		"; the store does not know the access key: see `credentials`" },
	{ "SignatureDoesNotMatch", S3_REFUSED, ERR_UPSTREAM,
		"; the secret key is another one, or something on the way changes the request" },
	{ "ExpiredToken", S3_REFUSED, ERR_UPSTREAM, "; the session of the credentials is over" },
	{ "InvalidToken", S3_REFUSED, ERR_UPSTREAM, "; see `session_token` of the credentials" },
	{ "TokenRefreshRequired", S3_REFUSED, ERR_UPSTREAM, "; the session of the credentials is over" },
	{ "AuthorizationHeaderMalformed", S3_REFUSED, ERR_UPSTREAM, "; see `region`" },
	{ "PermanentRedirect", S3_REFUSED, ERR_UPSTREAM, "; the bucket is in another region: see `region`" },
	{ "RequestTimeTooSkewed", S3_REFUSED, ERR_UPSTREAM, "" },
	{ "NotImplemented", S3_REFUSED, ERR_UPSTREAM,
		"; the store does not know something that was asked: see `checksum`, `exists` and `headers`" },
	{ "EntityTooLarge", S3_REFUSED, ERR_UPSTREAM, "; the store takes no object of that size" },
	{ "EntityTooSmall", S3_REFUSED, ERR_UPSTREAM, "; see `part_size`" },
	{ "PreconditionFailed", S3_REFUSED, ERR_EXISTS, "" },
	{ "ConditionalRequestConflict", S3_REFUSED, ERR_BUSY, "; somebody else is writing the same name" },
	{ "QuotaExceeded", S3_REFUSED, ERR_UPSTREAM_FULL, "; the store has no room left" },
	{ "XMinioStorageFull", S3_REFUSED, ERR_UPSTREAM_FULL, "; the store has no room left" },
	{ "InsufficientStorage", S3_REFUSED, ERR_UPSTREAM_FULL, "; the store has no room left" },
	{ "BadDigest", S3_AGAIN, ERR_UPSTREAM, "; the bytes were changed on the way" },
	{ "InvalidDigest", S3_AGAIN, ERR_UPSTREAM, "; the bytes were changed on the way" },
	{ "XAmzContentSHA256Mismatch", S3_AGAIN, ERR_UPSTREAM, "; the bytes were changed on the way" },
	{ "XAmzContentChecksumMismatch", S3_AGAIN, ERR_UPSTREAM, "; the bytes were changed on the way" },
	{ "InternalError", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "SlowDown", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "ServiceUnavailable", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "RequestTimeout", S3_AGAIN, ERR_UPSTREAM_TIMEOUT, "" },
	{ "RequestTimeoutException", S3_AGAIN, ERR_UPSTREAM_TIMEOUT, "" },
	{ "ThrottlingException", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "TooManyRequests", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "OperationAborted", S3_AGAIN, ERR_UPSTREAM, "" },
};

static const struct meaning statuses[] = {
	{ "301", S3_REFUSED, ERR_UPSTREAM, "; redirects are not followed: see `endpoint` and `region`" },
	{ "307", S3_REFUSED, ERR_UPSTREAM, "; redirects are not followed: see `endpoint` and `region`" },
	{ "403", S3_REFUSED, ERR_UPSTREAM, "; these credentials may not do that there" },
	{ "408", S3_AGAIN, ERR_UPSTREAM_TIMEOUT, "" },
	{ "412", S3_REFUSED, ERR_EXISTS, "" },
	{ "429", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "500", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "502", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "503", S3_AGAIN, ERR_UPSTREAM, "" },
	{ "504", S3_AGAIN, ERR_UPSTREAM_TIMEOUT, "" },
	{ "507", S3_REFUSED, ERR_UPSTREAM_FULL, "; the store has no room left" },
};

static const struct meaning other = { "", S3_REFUSED, ERR_UPSTREAM, "" };

#define N(array) (sizeof(array) / sizeof(array)[0])

static const struct meaning *
find(const struct meaning *table, size_t n, const char *code)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].code, code) == 0)
			return &table[i];
	return NULL;
}

/* A code says more than a status. If the code is not known, the status says whether to ask again. */
static const struct meaning *
meaning_of(const struct s3_facts *facts)
{
	const struct meaning *found = find(meanings, N(meanings), facts->code);
	unsigned status = facts->result->status;
	char digits[4] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
		(char)('0' + status % 10), '\0' };

	if (found == NULL)
		found = find(statuses, N(statuses), digits);
	return found != NULL ? found : &other;
}

static bool
is_good_status(const struct exchange_result *result)
{
	return result->status >= 200 && result->status < 300;
}

static void
say_exists(const struct s3_facts *facts, struct error *err)
{
	error_set(err, ERR_EXISTS, "destination \"%s\": there is an object of that name", facts->destination);
}

static void
say_skew(const struct s3_facts *facts, struct error *err)
{
	error_set(err, ERR_UPSTREAM,
		"destination \"%s\": %s was answered %u RequestTimeTooSkewed; the clocks differ: here it is %s, there %s",
		facts->destination, facts->call, facts->result->status,
		facts->own_time[0] != '\0' ? facts->own_time : "not known",
		facts->store_time[0] != '\0' ? facts->store_time : "not known");
}

static enum s3_fate
judge_answer(const struct s3_facts *facts, struct error *err)
{
	const struct meaning *meaning = meaning_of(facts);

	if (meaning->kind == ERR_EXISTS)
		say_exists(facts, err);
	else if (strcmp(meaning->code, "RequestTimeTooSkewed") == 0)
		say_skew(facts, err);
	else
		error_set(err, meaning->kind, "destination \"%s\": %s was answered %u%s%s%s", facts->destination,
			facts->call, facts->result->status, facts->code[0] != '\0' ? " " : "", facts->code,
			meaning->remedy);
	if (meaning->kind == ERR_BUSY && facts->is_conflict_once)
		return S3_AGAIN;
	return meaning->fate;
}

enum s3_fate
s3_judge(const struct s3_facts *facts, struct error *err)
{
	const struct exchange_result *result = facts->result;
	bool is_good = is_good_status(result) && facts->code[0] == '\0';

	if (result->status != 0 && !is_good)
		return judge_answer(facts, err);
	if (!is_good || !result->is_whole) {
		error_set(err, result->kind, "destination \"%s\": %s: %s", facts->destination, facts->call,
			result->why);
		return result->kind == ERR_INTERNAL || result->kind == ERR_NOMEM ? S3_REFUSED : S3_AGAIN;
	}
	if (result->was_early) {
		error_set(err, ERR_UPSTREAM, "destination \"%s\": %s was answered %u before it was complete",
			facts->destination, facts->call, result->status);
		return S3_AGAIN;
	}
	if (facts->has_other_sum) {
		error_set(err, ERR_UPSTREAM,
			"destination \"%s\": %s: it has got other bytes than it was sent, by its own checksum",
			facts->destination, facts->call);
		return S3_AGAIN;
	}
	if (!facts->wants_document || facts->has_document)
		return S3_DONE;
	error_set(err, ERR_UPSTREAM, "destination \"%s\": %s was answered %u with something that is not S3's",
		facts->destination, facts->call, result->status);
	return S3_AGAIN;
}

bool
s3_is_open(const struct s3_facts *facts, enum s3_fate fate)
{
	unsigned status = facts->result->status;

	if (fate == S3_DONE)
		return false;
	if (facts->result->was_sent_before)
		return true;
	if (!facts->result->was_complete)
		return is_good_status(facts->result);
	return status == 0 || status >= 500 || is_good_status(facts->result);
}

static bool
is_of_keys(const char *code)
{
	static const char *const codes[] = { "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
		"InvalidToken", "TokenRefreshRequired", "AuthorizationHeaderMalformed", "RequestTimeTooSkewed" };

	for (size_t i = 0; i < N(codes); i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

bool
s3_is_for_good(enum s3_fate fate, unsigned status, const char *code)
{
	return fate == S3_REFUSED && status >= 400 && status < 500 && !is_of_keys(code);
}

static bool
is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c != '\0' && strchr(" .,:+-_", c) != NULL);
}

void
s3_take_word(const char *text, char *out, unsigned size)
{
	unsigned n = 0;

	for (; text != NULL && *text != '\0' && n + 1 < size; text++)
		if (is_plain(*text))
			out[n++] = *text;
	out[n] = '\0';
}
