// SPDX-License-Identifier: MIT
/* credentials_fetch.c - see credentials_fetch.h. One exchange follows the other; the secrets in them are wiped at the end.
 *
 * Only version 2 of the instance's metadata is used, which begins with a token, because version 1 gives keys to everybody who can
 * make this machine send a GET. */
#include "sink/s3/credentials_fetch.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/secret.h"
#include "base/state.h"
#include "sink/exchange.h"
#include "sink/s3/credentials_answer.h"
#include "sink/s3/credentials_file.h"
#include "sink/s3/credentials_keys.h"
#include "sink/s3/sign.h"

#include <string.h>

#define ANSWER_MAX ((size_t)64 * 1024)
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define ROLE_MAX 128u
#define WORD_MAX 64u

enum fetch_state { IDLE, TOKEN, ROLE, KEYS };

static const unsigned may_become[] = {
	[IDLE] = BIT(TOKEN) | BIT(KEYS),
	[TOKEN] = BIT(ROLE) | BIT(IDLE),
	[ROLE] = BIT(KEYS) | BIT(IDLE),
	[KEYS] = BIT(IDLE),
};

struct s3_fetch {
	struct s3_fetch_setup setup;
	enum fetch_state state;
	struct exchange *exchange;
	struct exchange_request request;
	struct http_peer peer;
	struct exchange_line line;
	struct buf secret; /* value of a header line, or a form, that holds a token */
	struct buf target;
	struct buf answer;
	bool is_too_long; /* the answer is */
};

static void
fetch_move(struct s3_fetch *f, enum fetch_state to)
{
	must(state_may_become(may_become, (int)f->state, (int)to));
	f->state = to;
}

static const char *
text(const struct s3_fetch *f, enum s3_source_text which)
{
	return f->setup.source->text[which];
}

/* -- the end ------------------------------------------------------------------------------------------ */

static void
end(struct s3_fetch *f, struct s3_keys *keys, const struct error *err)
{
	fetch_move(f, IDLE);
	secret_wipe(&f->secret);
	secret_wipe(&f->answer);
	buf_free(&f->target);
	f->setup.on_done(f->setup.arg, keys, err);
}

static void
end_badly(struct s3_fetch *f, enum error_kind kind, const char *why)
{
	struct error err = { 0 };

	error_set(&err, kind, "%s", why);
	end(f, NULL, &err);
}

/* -- asking ------------------------------------------------------------------------------------------- */

/* The same as in SDKs: a process that is not on an instance must not wait long to find that out. */
static void
set_peer(struct s3_fetch *f)
{
	bool is_instance = f->setup.source->kind == S3_SOURCE_INSTANCE,
	     is_sts = f->setup.source->kind == S3_SOURCE_WEB_IDENTITY;

	f->peer = (struct http_peer){
		.url = f->setup.source->text[S3_SOURCE_BASE],
		.ca_file = f->setup.source->text[S3_SOURCE_CA_FILE],
		.connect_ms = is_instance ? 1000
			: is_sts          ? 5000
					  : 2000,
		.idle_ms = is_instance ? 1000 : 5000,
		.total_ms = is_instance ? 5000 : 20000,
		.retry_connect = 1,
	};
}

/* `line`: NULL: none; its value is f->secret, unless that is empty. */
static void
ask(struct s3_fetch *f, const char *method, const char *target, const struct exchange_line *line)
{
	buf_clear(&f->answer);
	f->is_too_long = false;
	f->line = line != NULL ? *line : (struct exchange_line){ "Accept", "*/*" };
	f->request = (struct exchange_request){
		.to = &f->peer,
		.method = method,
		.target = target,
		.lines = &f->line,
		.n_lines = 1,
		.body = EXCHANGE_NO_BODY,
		.connect_ms = f->peer.connect_ms,
		.total_at_ms = clock_after(loop_now_ms(f->setup.engine->loop), f->peer.total_ms),
	};
	if (f->setup.source->kind == S3_SOURCE_WEB_IDENTITY) {
		f->request.body = EXCHANGE_WHOLE;
		f->request.whole = buf_str(&f->secret);
	}
	if (f->secret.failed || f->target.failed || !exchange_begin(f->exchange, &f->request))
		end_badly(f, ERR_NOMEM, "out of memory");
}

static bool
is_header_value(const struct buf *b)
{
	return b->failed || (b->len > 0 && b->len <= S3_KEY_MAX && !str_has_control(buf_str(b)));
}

/* Reads the file each time, because its token is renewed, too. False: the fetch has ended. */
static bool
read_token(struct s3_fetch *f, struct buf *out)
{
	struct error err = { 0 };

	if (!s3_file_read(text(f, S3_SOURCE_TOKEN_FILE), S3_KEY_MAX, out, &err)) {
		error_wrap(&err, "the file with its token");
		end(f, NULL, &err);
		return false;
	}
	while (out->len > 0 && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
		out->data[--out->len] = '\0';
	if (is_header_value(out))
		return true;
	secret_wipe(out);
	end_badly(f, ERR_CONFIG, "the file with its token is empty, or holds a control byte");
	return false;
}

static void
add_field(struct buf *form, const char *name, const char *value)
{
	buf_addf(form, "&%s=", name);
	s3_escape(form, str_of(value), false);
}

/* https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
static void
ask_sts(struct s3_fetch *f)
{
	static const struct exchange_line form = { "Content-Type", "application/x-www-form-urlencoded" };
	struct buf token = { 0 };

	if (!read_token(f, &token))
		return;
	buf_add_text(&f->secret, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
	add_field(&f->secret, "RoleArn", text(f, S3_SOURCE_ROLE));
	add_field(&f->secret, "RoleSessionName", text(f, S3_SOURCE_SESSION_NAME));
	add_field(&f->secret, "WebIdentityToken", token.data);
	f->secret.failed = f->secret.failed || token.failed;
	secret_wipe(&token);
	ask(f, "POST", text(f, S3_SOURCE_TARGET), &form);
}

static void
ask_container(struct s3_fetch *f)
{
	struct exchange_line line = { "Authorization", NULL };

	if (text(f, S3_SOURCE_TOKEN_FILE) != NULL && !read_token(f, &f->secret))
		return;
	line.value = f->secret.len > 0 ? f->secret.data : text(f, S3_SOURCE_AUTHORIZATION);
	ask(f, "GET", text(f, S3_SOURCE_TARGET), &line);
}

static void
ask_token(struct s3_fetch *f)
{
	static const struct exchange_line lifetime = { "X-aws-ec2-metadata-token-ttl-seconds", "21600" };

	ask(f, "PUT", "/latest/api/token", &lifetime);
}

static void
ask_with_token(struct s3_fetch *f)
{
	struct exchange_line line = { "X-aws-ec2-metadata-token", f->secret.data };

	ask(f, "GET", f->target.data, &line);
}

void
s3_fetch_begin(struct s3_fetch *f)
{
	bool is_instance = f->setup.source->kind == S3_SOURCE_INSTANCE;

	set_peer(f);
	fetch_move(f, is_instance ? TOKEN : KEYS);
	if (is_instance)
		ask_token(f);
	else if (f->setup.source->kind == S3_SOURCE_CONTAINER)
		ask_container(f);
	else
		ask_sts(f);
}

/* -- answers ------------------------------------------------------------------------------------------ */

static void
on_answer(void *arg, const char *data, size_t len)
{
	struct s3_fetch *f = arg;

	f->is_too_long = f->is_too_long || f->answer.len + len > ANSWER_MAX;
	if (!f->is_too_long)
		buf_add(&f->answer, data, len);
}

static void
end_refused(struct s3_fetch *f, unsigned status)
{
	struct error err = { 0 };
	char word[WORD_MAX];

	if (f->state == TOKEN)
		error_set(&err, ERR_UPSTREAM, "it has no version 2: it answers %u when asked for a token", status);
	else if (f->state == ROLE && status == 404)
		error_set(&err, ERR_UPSTREAM, "the instance has no role");
	else if (s3_keys_refusal(buf_str(&f->answer), word, sizeof word))
		error_set(&err, ERR_UPSTREAM, "it answers %u (%s)", status, word);
	else
		error_set(&err, ERR_UPSTREAM, "it answers %u", status);
	end(f, NULL, &err);
}

static void
take_token(struct s3_fetch *f)
{
	buf_add_str(&f->secret, buf_str(&f->answer));
	if (!is_header_value(&f->secret)) {
		end_badly(f, ERR_UPSTREAM, "it gives a token that is none");
		return;
	}
	fetch_move(f, ROLE);
	buf_add_text(&f->target, ROLES);
	ask_with_token(f);
}

/* Takes the first line, because an instance has one role. */
static struct str
first_line(struct str s)
{
	const char *end = memchr(s.data, '\n', s.len);

	return str_trim((struct str){ s.data, end != NULL ? (size_t)(end - s.data) : s.len });
}

static void
take_role(struct s3_fetch *f)
{
	struct str role = first_line(buf_str(&f->answer));

	if (role.len == 0 || role.len > ROLE_MAX || str_has_control(role)) {
		end_badly(f, ERR_UPSTREAM, "it names a role that is none");
		return;
	}
	fetch_move(f, KEYS);
	s3_escape(&f->target, role, false);
	ask_with_token(f);
}

static void
take_keys(struct s3_fetch *f)
{
	struct error err = { 0 };
	struct str body = buf_str(&f->answer);
	int64_t now_s = f->setup.now_s();
	struct s3_keys *keys = f->setup.source->kind == S3_SOURCE_WEB_IDENTITY
		? s3_keys_from_sts(body, now_s, &err)
		: s3_keys_from_json(body, now_s, &err);

	end(f, keys, &err);
}

static void
on_done(void *arg, const struct exchange_result *result)
{
	struct s3_fetch *f = arg;

	if (!result->is_whole)
		end_badly(f, result->kind, result->why);
	else if (f->answer.failed)
		end_badly(f, ERR_NOMEM, "out of memory");
	else if (result->status != 200)
		end_refused(f, result->status);
	else if (f->is_too_long)
		end_badly(f, ERR_UPSTREAM, "its answer is too long");
	else if (f->state == TOKEN)
		take_token(f);
	else if (f->state == ROLE)
		take_role(f);
	else
		take_keys(f);
}

static const struct exchange_calls calls = { .on_answer = on_answer, .on_done = on_done };

/* -- life --------------------------------------------------------------------------------------------- */

struct s3_fetch *
s3_fetch_new(const struct s3_fetch_setup *setup)
{
	struct s3_fetch *f = mem_zalloc(sizeof *f);

	if (f == NULL)
		return NULL;
	f->setup = *setup;
	f->secret.is_secret = f->answer.is_secret = true;
	f->exchange = exchange_new(setup->engine, &calls, f);
	if (f->exchange != NULL)
		return f;
	s3_fetch_free(f);
	return NULL;
}

void
s3_fetch_free(struct s3_fetch *f)
{
	if (f == NULL)
		return;
	exchange_free(f->exchange);
	secret_wipe(&f->secret);
	secret_wipe(&f->answer);
	buf_free(&f->target);
	mem_free(f);
}

bool
s3_fetch_is_idle(const struct s3_fetch *f)
{
	return f->state == IDLE;
}
