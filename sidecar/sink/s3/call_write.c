// SPDX-License-Identifier: MIT
/* call_write.c - one try of a call: its lines, its signature, and the request that is made of them. Each try is signed anew,
 * because a signature has a time in it. */
#include "sink/s3/call_priv.h"

#include "base/mem.h"
#include "sink/s3/credentials.h"

#include <string.h>
#include <time.h>

#define OWN_LINES 6u /* lines of the signature */

static const struct s3_settings *
settings_of(const struct s3_call *call)
{
	return s3_settings(call->object->to);
}

bool
s3_call_make_room(struct s3_call *call, size_t n_lines)
{
	size_t room = n_lines + settings_of(call)->peer.headers.n + OWN_LINES;

	if (room <= call->room)
		return true;
	mem_free(call->lines);
	call->lines = mem_array(room, sizeof *call->lines);
	call->room = call->lines != NULL ? room : 0;
	return call->lines != NULL;
}

static bool
is_for_all(const char *name)
{
	static const char *const begins[] = { S3_CUSTOMER_KEY, "x-amz-request-payer",
		"x-amz-expected-bucket-owner" };

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (str_starts_nocase(str_of(name), begins[i]))
			return true;
	return false;
}

bool
s3_ask_takes_line(const struct s3_ask *ask, const char *name)
{
	return ask->headers == S3_HEADERS_ALL || is_for_all(name);
}

/* The lines that are signed besides Host and those of the signature itself. */
static size_t
gather_lines(const struct s3_call *call, struct exchange_line *lines)
{
	const struct http_peer *peer = &settings_of(call)->peer;
	size_t n = 0;

	for (size_t i = 0; i < call->ask->n_lines; i++)
		if (call->ask->lines[i].value != NULL)
			lines[n++] = call->ask->lines[i];
	for (size_t i = 0; i < peer->headers.n; i++)
		if (s3_ask_takes_line(call->ask, peer->headers.items[i].name))
			lines[n++] = (struct exchange_line){ peer->headers.items[i].name,
				peer->headers.items[i].value };
	return n;
}

/* Signing takes microseconds, and a buffer only for that time. */
static bool
sign_lines(struct s3_call *call, size_t n, struct str path, struct error *err)
{
	struct s3_sign_line *lines = mem_array(n + 1, sizeof *lines);
	const struct s3_keys *keys = call->keys;
	struct s3_sign_keys with = { keys->access, keys->secret, keys->token };
	struct s3_sign_request request = {
		.method = call->ask->method,
		.host = str_of(settings_of(call)->host),
		.path = path,
		.query = call->ask->query.data != NULL ? call->ask->query : STR(""),
		.lines = lines,
		.n_lines = n,
		.payload = call->ask->payload,
		.region = settings_of(call)->region,
		.service = "s3",
		.now = time(NULL),
	};
	bool ok;

	if (lines == NULL)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++)
		lines[i] = (struct s3_sign_line){ call->lines[i].name, str_of(call->lines[i].value) };
	ok = s3_sign(&request, &with, &call->signature, err);
	mem_free(lines);
	return ok;
}

static bool
sign(struct s3_call *call, size_t n, struct error *err)
{
	struct buf path = { 0 };
	bool ok;

	buf_addf(&path, "%s%s", settings_of(call)->path, call->object->target);
	ok = !path.failed ? sign_lines(call, n, buf_str(&path), err) : error_nomem(err);
	buf_free(&path);
	return ok;
}

static void
add_signature(struct s3_call *call, size_t n)
{
	const struct exchange_line own[OWN_LINES] = {
		{ "Host", settings_of(call)->host },
		{ "x-amz-date", call->signature.date },
		{ "x-amz-content-sha256", call->ask->payload },
		{ "x-amz-security-token", call->keys->token },
		{ "Authorization", call->signature.authorization.data },
	};

	memcpy(call->lines + n, own, sizeof own);
}

static bool
make_target(struct s3_call *call, struct error *err)
{
	buf_clear(&call->target);
	buf_add_text(&call->target, call->object->target);
	if (call->signature.query.len > 0)
		buf_addf(&call->target, "?%s", call->signature.query.data);
	return call->target.failed ? error_nomem(err) : true;
}

static void
set_request(struct s3_call *call, size_t n_lines)
{
	const struct s3_ask *ask = call->ask;
	const struct http_peer *peer = &call->object->peer;
	uint64_t end_ms = clock_after(loop_now_ms(call->object->engine->loop), peer->total_ms);

	call->request = (struct exchange_request){
		.to = peer,
		.method = ask->method,
		.target = call->target.data,
		.lines = call->lines,
		.n_lines = n_lines,
		.body = ask->body,
		.whole = ask->whole,
		.length = ask->length,
		.unit = ask->unit,
		.reuse_always = true,
		.is_patient = ask->is_patient,
		.connect_ms = peer->connect_ms,
		.total_at_ms = end_ms < ask->until_ms ? end_ms : ask->until_ms,
	};
}

bool
s3_call_write(struct s3_call *call, struct error *err)
{
	size_t n = gather_lines(call, call->lines);

	if (!sign(call, n, err) || !make_target(call, err))
		return false;
	add_signature(call, n);
	set_request(call, n + OWN_LINES);
	return true;
}
