// SPDX-License-Identifier: MIT
/* admit.c - see admit.h. HAProxy has read the head; what it shows of it is checked as if it came from a client. */
#include "spoa/admit.h"

#include "base/must.h"
#include "base/uuid.h"
#include "reply/status.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *header, *value,
		*count; /* name of the header, of its argument, and of the argument that counts */
} headers[N_ADMIT_HEADERS] = {
	[ADMIT_HOST] = { "host", "host", "hosts" },
	[ADMIT_TYPE] = { "content-type", "type", "types" },
	[ADMIT_LENGTH] = { "content-length", "length", "lengths" },
	[ADMIT_CODING] = { "transfer-encoding", "coding", "codings" },
	[ADMIT_ENCODING] = { "content-encoding", "encoding", "encodings" },
	[ADMIT_EXPECT] = { "expect", "expect", "expects" },
	[ADMIT_ORIGIN] = { "origin", "origin", "origins" },
	[ADMIT_ASKED_METHOD] = { "access-control-request-method", "asks", "asked" },
};

static bool
nth_of(struct str shown, uint64_t count, size_t nth, struct str *value)
{
	*value = str_trim(shown);
	return nth == 0 ? shown.data != NULL : count > nth;
}

/* A header by which routes are chosen. Files of HAProxy that were written for other routes do not tell of it. */
static bool
nth_named(const struct admit *admit, struct str name, size_t nth, struct str *value)
{
	for (size_t i = 0; i < admit->n_named; i++)
		if (str_equal_nocase(name, admit->named[i].name))
			return nth_of(admit->named[i].value, admit->named[i].count, nth, value);
	*admit->missed = true;
	return false;
}

/* Repeated headers are refused wherever they stand, so their values need not be known. */
static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct admit *admit = arg;

	for (size_t i = 0; i < N_ADMIT_HEADERS; i++) {
		if (str_equal_nocase(name, str_of(headers[i].header)))
			return nth_of(admit->headers[i].value, admit->headers[i].count, nth, value);
	}
	return nth_named(admit, name, nth, value);
}

/* -- reading -------------------------------------------------------------------------------------- */

static struct str
text_of(const struct spop_value *value)
{
	return value->type == SPOP_STRING || value->type == SPOP_BINARY ? value->bytes : STR_NONE;
}

static bool
take_header(struct admit *admit, struct str key, const struct spop_value *value)
{
	for (size_t i = 0; i < N_ADMIT_HEADERS; i++) {
		if (str_is(key, headers[i].value))
			admit->headers[i].value = text_of(value);
		else if (str_is(key, headers[i].count))
			admit->headers[i].count = value->number;
		else
			continue;
		return true;
	}
	return false;
}

/* Where what is told of the header goes, which may be the first of it. MATCHING_HEADERS_MAX: there is no room for it. */
static size_t
named_slot(struct admit *admit, struct str name)
{
	for (size_t i = 0; i < admit->n_named; i++)
		if (str_equal(admit->named[i].name, name))
			return i;
	if (admit->n_named == MATCHING_HEADERS_MAX)
		return MATCHING_HEADERS_MAX;
	admit->named[admit->n_named].name = name;
	return admit->n_named++;
}

/* "header.x-tenant", "headers.x-tenant". */
static void
take_named(struct admit *admit, struct str key, const struct spop_value *value)
{
	bool is_count = str_starts_nocase(key, "headers.");
	size_t skip = is_count ? sizeof "headers." - 1 : sizeof "header." - 1, at;

	if (!is_count && !str_starts_nocase(key, "header."))
		return;
	at = named_slot(admit, (struct str){ key.data + skip, key.len - skip });
	if (at == MATCHING_HEADERS_MAX)
		return;
	if (is_count)
		admit->named[at].count = value->number;
	else
		admit->named[at].value = text_of(value);
}

static bool
is_usable_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.data[i] <= ' ' || id.data[i] >= 0x7f)
			return false;
	return id.len > 0 && id.len < sizeof((struct admit *)0)->id;
}

static void
take_client(struct admit *admit, const struct spop_value *value)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (value->type == SPOP_IPV4) {
		memcpy(&in.sin_addr, value->bytes.data, sizeof in.sin_addr);
		memcpy(&admit->client, &in, sizeof in);
	} else if (value->type == SPOP_IPV6) {
		memcpy(&in6.sin6_addr, value->bytes.data, sizeof in6.sin6_addr);
		memcpy(&admit->client, &in6, sizeof in6);
	}
}

/* Arguments that are not known are an operator's own. */
static void
take_argument(struct admit *admit, struct str key, const struct spop_value *value)
{
	struct str text = text_of(value);

	if (str_is(key, "method"))
		admit->head.method = text;
	else if (str_is(key, "target"))
		admit->head.target = text;
	else if (str_is(key, "version") && text.len > 0 && text.len < sizeof admit->version - sizeof "HTTP/")
		snprintf(admit->version, sizeof admit->version, "HTTP/%.*s", STR_ARG(text));
	else if (str_is(key, "id") && is_usable_id(text))
		snprintf(admit->id, sizeof admit->id, "%.*s", STR_ARG(text));
	else if (str_is(key, "client"))
		take_client(admit, value);
	else if (!take_header(admit, key, value))
		take_named(admit, key, value);
}

/* False: not readable. *ours counts the messages that ask for an admission. */
static bool
read_message(struct str *rest, struct admit *admit, unsigned *ours)
{
	struct str name, key;
	struct spop_value value;
	unsigned n;

	if (!spop_read_message(rest, &name, &n))
		return false;
	*ours += str_is(name, ADMIT_MESSAGE);
	for (; n > 0; n--) {
		if (!spop_read_pair(rest, &key, &value))
			return false;
		if (str_is(name, ADMIT_MESSAGE))
			take_argument(admit, key, &value);
	}
	return true;
}

/* -- deciding ------------------------------------------------------------------------------------- */

static bool
check_question(struct str payload, struct admit *admit, struct error *err)
{
	unsigned ours = 0;

	while (payload.len > 0)
		if (!read_message(&payload, admit, &ours))
			return error_set(err, ERR_BUSY, "the gateway's question cannot be read");
	if (ours != 1)
		return error_set(err, ERR_BUSY, "the gateway did not ask one question called " ADMIT_MESSAGE);
	if (admit->head.method.len == 0 || admit->head.target.len == 0 || admit->version[0] == '\0')
		return error_set(err, ERR_BUSY, "the gateway's question lacks method, target or version");
	return true;
}

/* HAProxy shows so much of a target and no more. A name that may have been cut is nobody's; one with a '=' behind it is whole. */
static void
leave_out_cut_parameter(const struct config *config, struct head *head)
{
	struct str query = head_query(head);

	if (head->target.len < decide_target_shown(config) || query.data == NULL)
		return;
	while (query.len > 0 && query.data[query.len - 1] != '&' && query.data[query.len - 1] != ';') {
		if (query.data[query.len - 1] == '=')
			return;
		query.len--;
	}
	head->target.len = (size_t)(query.data - head->target.data) + query.len;
}

/* What was decided without the header may be wrong. */
static void
check_was_told(struct admit *admit)
{
	if (!admit->lacks)
		return;
	admit->decision = (struct decision){ 0 };
	error_set(&admit->decision.error, ERR_BUSY,
		"the gateway does not tell of a header by which routes are chosen: its files are to be written again");
}

void
admit_notify(const struct config *config, const struct load *load, struct str payload, struct admit *admit)
{
	*admit = (struct admit){ .head = { .header = nth_header, .arg = admit }, .missed = &admit->lacks };
	if (check_question(payload, admit, &admit->decision.error)) {
		admit->head.version = str_of(admit->version);
		leave_out_cut_parameter(config, &admit->head);
		decide(config, &admit->head, load, &admit->decision);
		check_was_told(admit);
	}
	if (admit->id[0] == '\0')
		uuid_make(admit->id);
	admit->status = admit->decision.allow ? 200 : reply_status(admit->decision.error.kind);
}

static unsigned
retry_after(const struct admit *admit)
{
	unsigned seconds = admit->decision.retry_after_s;

	return seconds == 0 && admit->status == 503 ? 1 : seconds;
}

size_t
admit_ack(const struct admit *admit, uint64_t stream_id, uint64_t frame_id, void *out)
{
	const struct decision *d = &admit->decision;
	struct spop_writer w;

	spop_write_begin(&w, out, ADMIT_ACK_MAX, SPOP_ACK, stream_id, frame_id);
	spop_write_set_var(&w, SPOP_TRANSACTION, "allow");
	spop_write_bool(&w, d->allow);
	spop_write_set_var(&w, SPOP_TRANSACTION, "status");
	spop_write_uint32(&w, admit->status);
	spop_write_set_var(&w, SPOP_TRANSACTION, "reason");
	spop_write_text(&w, d->allow ? STR("") : str_of(d->error.message));
	spop_write_set_var(&w, SPOP_TRANSACTION, "route");
	spop_write_text(&w, d->route != NULL ? str_of(d->route->id) : STR(""));
	if (d->error.limit[0] != '\0') {
		spop_write_set_var(&w, SPOP_TRANSACTION, "limit");
		spop_write_text(&w, str_of(d->error.limit));
	}
	if (d->allow && d->max_body != LIMIT_NONE) {
		spop_write_set_var(&w, SPOP_TRANSACTION, "max_body");
		spop_write_uint64(&w, d->max_body);
	}
	spop_write_set_var(&w, SPOP_TRANSACTION, "retry_after");
	spop_write_uint32(&w, retry_after(admit));
	spop_write_set_var(&w, SPOP_TRANSACTION, "id");
	spop_write_text(&w, str_of(admit->id));
	must(spop_write_end(&w)); /* everything in it is bounded */
	return w.len;
}
