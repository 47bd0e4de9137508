// SPDX-License-Identifier: MIT
/* test_parts_verdict.c - a form is taken, or refused with one sentence at one byte, in a dry run as in one whose sinks take
 * everything, and however its body is cut. */
#include "config/load.h"
#include "part/field_error.h"
#include "source/multipart/form.h"

#include "lib/form_run.h"

/* -- verdicts ----------------------------------------------------------------------------------------- */

#define STORE "store: { to: d, key: \"{part}-{field}\" }"
#define LONG                                                                                                       \
	"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"

#define SAID                                                                                                       \
	"digest: md5, default: drop, fields: [ { name: a, verify: { field: \"*-d\" }, " STORE                      \
	" }, { name: b, verify: { field: \"*-d\", missing: refuse }, " STORE " } ]"
#define MD5_OF_1 "c4ca4238a0b923820dcc509a6f75849b"
#define APP "app: { to: h, path: /app, sign: none, failed: { path: /failed } }, "

static const struct form_run_verdict rows[] = {
	{ "fields: [ { name: \"*\", " STORE " } ]", "a=1|b=2|c@c.txt=3", ERR_NONE, "", "" },
	{ "fields: [ { name: \"*\", " STORE " } ]", "", ERR_NONE, "", "" },
	{ "fields: [ { name: a, " STORE " } ]", "b=1", ERR_RULE, "",
		"field \"b\": no rule of this route takes it" },
	{ "default: drop, fields: [ { name: a, " STORE " } ]", "b=1|c@c=2", ERR_NONE, "", "" },
	{ "fields: [ { name: a, reject: true }, { name: \"*\", " STORE " } ]", "b=1|a=2", ERR_RULE, "",
		"field \"a\": this route rejects it" },
	{ "fields: [ { name: a, drop: true } ]", "a=1|a=2", ERR_NONE, "", "" },
	/* kinds */
	{ "fields: [ { name: a, kind: file, " STORE " } ]", "a=1", ERR_RULE, "",
		"field \"a\": no rule of this route takes it" },
	{ "fields: [ { name: a, kind: value, " STORE " } ]", "a@f=1", ERR_RULE, "",
		"field \"a\": no rule of this route takes it" },
	{ "fields: [ { name: a, kind: value, " STORE
	  " }, { name: a, kind: file, max_count: 1, store: { to: d, key: f } } ]",
		"a@f=1|a=1", ERR_NONE, "", "" },
	/* counts */
	{ "fields: [ { name: a, max_count: 1, " STORE " } ]", "a=1|a=2", ERR_TOO_LARGE, "max_count",
		"field \"a\": more than 1 part" },
	{ "fields: [ { name: a, max_count: 2, store: { to: d, key: \"{part}\" } } ]", "a=1|a=2|a=3", ERR_TOO_LARGE,
		"max_count", "field \"a\": more than 2 parts" },
	{ "fields: [ { name: a, nth: 2, store: { to: d, key: second } }, { name: a, drop: true } ]", "a=1|a=2|a=3",
		ERR_NONE, "", "" },
	{ "fields: [ { name: a, required: true, " STORE " }, { name: b, " STORE " } ]", "b=1", ERR_RULE, "",
		"field \"a\": it is required and missing" },
	{ "fields: [ { name: a, required: true, " STORE " } ]", "a=1", ERR_NONE, "", "" },
	/* sizes */
	{ "fields: [ { name: a, max_size: 3B, " STORE " } ]", "a=123", ERR_NONE, "", "" },
	{ "fields: [ { name: a, max_size: 3B, " STORE " } ]", "a=1234", ERR_TOO_LARGE, "max_size",
		"field \"a\": over max_size of 3 bytes" },
	{ "fields: [ { name: a, min_size: 3B, " STORE " } ]", "a=12", ERR_RULE, "min_size",
		"field \"a\": under min_size of 3 bytes" },
	{ "limits: { values: 4B }, fields: [ { name: \"*\", " STORE " } ]", "a=12|b=345", ERR_TOO_LARGE, "values",
		"field \"b\": over values of 4 bytes" },
	{ "limits: { body: 40B }, fields: [ { name: a, " STORE " } ]", "a=12", ERR_TOO_LARGE, "body",
		"the body is over the limit of 40 bytes" },
	{ "limits: { body: 1B }, fields: [ { name: a, " STORE " } ]", "a=12", ERR_TOO_LARGE, "body",
		"the body is over the limit of 1 byte" },
	/* names */
	{ "fields: [ { name: a, max_count: 1, store: { to: d, key: \"{file.name}\" } }, { name: b, max_count: 1, store: { to: d, key: x } } ]",
		"a@x=1|b=2", ERR_RULE, "", "field \"b\": it would get the name of another part of the form" },
	{ "fields: [ { name: a, max_count: 1, store: { to: h, path: \"/{file.name}\" } }, { name: b, max_count: 1, store: { to: h, path: \"/x_y\" } } ]",
		"a@x%2Fy=1|b=2", ERR_NONE, "", "" },
	{ "fields: [ { name: a, max_count: 1, store: { to: h, path: \"/%78/{file.name}\" } }, { name: b, max_count: 1, store: { to: h, path: \"/x/y%2Dz\" } } ]",
		"a@y-z=1|b=2", ERR_RULE, "", "field \"b\": it would get the name of another part of the form" },
	{ "fields: [ { name: a, max_count: 1, store: { to: h, path: \"/same\" } }, { name: b, max_count: 1, store: { to: d, key: same } } ]",
		"a=1|b=2", ERR_NONE, "", "" },
	{ "fields: [ { name: a, max_count: 1, store: { to: root, key: \"{file.name}\" } }, { name: b, max_count: 1, store: { to: root, key: x } } ]",
		"a@x=1|b=2", ERR_RULE, "", "field \"b\": it would get the name of another part of the form" },
	{ "fields: [ { name: \"*\", store: { to: h, path: /inbox, method: POST } } ]", "a=1|a=2", ERR_NONE, "",
		"" },
	{ "fields: [ { name: \"*\", store: { to: d, key: \"{part}{file.ext}\" } } ]", "a=1|a@x=2|a@x.y=3", ERR_NONE,
		"", "" },
	{ "fields: [ { name: \"*\", store: { to: root, key: \"{part}-{field}\" } } ]",
		"a=1|" LONG LONG LONG LONG LONG LONG LONG LONG "=2", ERR_RULE, "names.long",
		"field \"" LONG LONG "...\": the name it would get is longer than 255 bytes" },
	{ "fields: [ { name: \"*\", store: { to: d, key: \"{date:%Y.%m}-{request_id}-{path.1}-{uuid}.{file.ext}\" } } ]",
		"a=1|b@b.txt=2", ERR_NONE, "", "" },
	{ "fields: [ { name: \"*\", store: { to: safe, key: \"{part}/{field}\" } } ]", "a=1|../b=2", ERR_RULE,
		"names.unsafe", "field \"../b\": {field} would put a '/' into the name of an object" },
	{ "fields: [ { name: \"*\", store: { to: s, key: \"{part}\", metadata: { a: \"{file.name}\" } } } ]",
		"a=1|b@=2", ERR_NONE, "", "" },
	/* values for an application, and names of files that it is told of */
	{ APP "fields: [ { name: a, kind: value, forward: true }, { name: p, kind: file, " STORE
	      " }, { name: \"*\", kind: value, forward: true } ]",
		"a=1|p@p=2|b=3|a=", ERR_NONE, "", "" },
	{ APP "fields: [ { name: p, kind: file, " STORE " }, { name: \"*\", kind: value, forward: true } ]",
		"a=1|p[x]=2", ERR_BAD_REQUEST, "",
		"field \"p[x]\": a value has the name of a file that the application is told of" },
	{ APP "default: drop, fields: [ { name: \"p[]\", kind: file, " STORE " } ]", "p=2", ERR_BAD_REQUEST, "",
		"field \"p\": a value has the name of a file that the application is told of" },
	{ APP "default: drop, fields: [ { name: p, " STORE " } ]", "p=2|p.x@p=3|q@p=3|p@=", ERR_NONE, "", "" },
	{ APP "limits: { values: 4B }, fields: [ { name: \"*\", kind: value, forward: true } ]", "a=12|b=345",
		ERR_TOO_LARGE, "values", "field \"b\": over values of 4 bytes" },
	/* digests in other fields */
	{ SAID, "a@f=1|a-d=" MD5_OF_1, ERR_NONE, "", "" },
	{ SAID, "a-d=xMpCOKC5I4INzFCab3WEmw|b-d=" MD5_OF_1 "|a@f=1|b@f=1", ERR_NONE, "", "" },
	{ SAID, "a-d=xMpCOKC5I4INzFCab3WEmw==|a@f=1|a@f=1|a-d=" MD5_OF_1, ERR_NONE, "", "" },
	{ SAID, "a@f=1|-d=|d=|a-e=x|aa-d=", ERR_NONE, "", "" },
	{ SAID, "a-d=" MD5_OF_1 "|a@f=2", ERR_RULE, "verify",
		"field \"a\": its bytes have another md5 than \"a-d\" says" },
	{ SAID, "a@f=1|a-d=xMpCOKC5I4INzFCab3WEmw=x", ERR_RULE, "verify",
		"field \"a\": its bytes have another md5 than \"a-d\" says" },
	{ SAID, "a@f=1|a-d=", ERR_RULE, "verify", "field \"a\": there is no digest in \"a-d\"" },
	{ SAID, "a@f=1|a-d=" MD5_OF_1 MD5_OF_1, ERR_RULE, "verify",
		"field \"a\": its rule does not make the digest that stands in \"a-d\"" },
	{ SAID, "a@f=1|a-d=" MD5_OF_1 "|a-d=" MD5_OF_1, ERR_RULE, "verify",
		"field \"a\": there are more or fewer files of this name than values in \"a-d\"" },
	{ SAID, "b@f=1|a-d=" MD5_OF_1, ERR_RULE, "verify",
		"field \"b\": its rule wants a digest of it in \"b-d\"" },
	{ "digest: md5, fields: [ { name: \"*\", verify: { field: \"*-d\", missing: refuse }, " STORE " } ]",
		LONG LONG LONG "@f=1", ERR_RULE, "verify",
		"field \"" LONG LONG "...\": its rule wants a digest of it in \"*-d\"" },
	/* inputs left empty */
	{ "fields: [ { name: a, max_count: 1, " STORE " } ]", "b@=|a@f=1", ERR_NONE, "", "" },
	{ "fields: [ { name: a, required: true, " STORE " } ]", "a@=", ERR_RULE, "",
		"field \"a\": it is required and missing" },
	{ "fields: [ { name: a, " STORE " } ]", "b@=1", ERR_RULE, "",
		"field \"b\": no rule of this route takes it" },
	{ "fields: [ { name: a, " STORE " } ]", "a@=1", ERR_NONE, "", "" },
	/* types of the first bytes */
	{ "fields: [ { name: a, types: { detected: [text/plain] }, " STORE " } ]",
		"a@a=some text|a@=more of it|a=none", ERR_NONE, "", "" },
	{ "fields: [ { name: a, types: { detected: [text/plain] }, " STORE " } ]", "a=text|a@a=%PDF-1.4 and so on",
		ERR_MEDIA_TYPE, "types.detected",
		"field \"a\": it is application/pdf, declared as nothing; the rule \"a\" takes text/plain" },
	{ "fields: [ { name: a, max_size: 3B, types: { detected: [text/plain] }, " STORE " } ]", "a=text",
		ERR_TOO_LARGE, "max_size", "field \"a\": over max_size of 3 bytes" },
	{ "fields: [ { name: b, drop: true }, { name: a, store: { to: s, key: \"{part}\", metadata: { e: \"{detected.ext}\" } } } ]",
		"a@a=some text", ERR_NONE, "", "" },
	/* one object of several parts */
	{ "fields: [ { name: a, concat: { to: d, key: all } }, { name: b, digest: sha256, " STORE " } ]",
		"a=1|b=2|a=3|a=|b2=", ERR_RULE, "", "field \"b2\": no rule of this route takes it" },
	{ "commit: each, fields: [ { name: a, concat: { to: d, key: all } }, { name: b, digest: crc32c, " STORE
	  " } ]",
		"a=1|b=2|a=3", ERR_NONE, "", "" },
	/* a name is shown up to some length, and never cut within a character */
	{ "fields: [ { name: a, " STORE " } ]", LONG LONG LONG "=1", ERR_RULE, "",
		"field \"" LONG LONG "...\": no rule of this route takes it" },
	{ "fields: [ { name: a, " STORE " } ]", "x" LONG LONG LONG LONG LONG "=1", ERR_RULE, "",
		"field \"x" LONG
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9...\": no rule of this route takes it" },
};

static void
a_form_gets_one_verdict_however_it_comes(void **state)
{
	(void)state;
	form_run_verdicts(rows, sizeof rows / sizeof rows[0]);
}

/* -- what is remembered ------------------------------------------------------------------------------- */

static void
look_at_parts(const struct parts *parts)
{
	const struct part *part = parts_first(parts);

	assert_int_equal(parts_count(parts), 3);
	assert_true(str_is(part->field, "a") && part->filename.data == NULL && part->type.data == NULL);
	assert_true(part->is_whole && part->size == 5 && part->action == ACTION_STORE);
	part = part->next;
	assert_true(str_is(part->field, "b") && part->action == ACTION_DROP && part->delivery == NULL);
	part = part->next;
	assert_true(str_is(part->filename, "c.txt") && part->number == 3 && part->facts.n == 1);
	assert_null(part->next);
}

/* All of a value, and nothing of what goes elsewhere. */
static void
look_at_values(const struct parts *parts)
{
	const struct part *part = parts_first(parts);

	assert_true(str_is(buf_str(&part->value), "some value") && part->action == ACTION_FORWARD);
	assert_null(part->delivery);
	part = part->next;
	assert_true(part->value.len == 0 && part->value.data == NULL);
	part = part->next;
	assert_true(
		str_is(buf_str(&part->value), "both") && part->action == ACTION_STORE && part->delivery != NULL);
	part = part->next;
	assert_true(part->value.len == 0 && part->action == ACTION_FORWARD && part->next == NULL);
}

static void
look_at_names(const struct parts *parts)
{
	const struct delivery *delivery = parts_first(parts)->delivery;

	assert_string_equal(buf_str(&delivery->shown).data, "x-{uuid}-{date:%Y}-{request_id}-1");
	assert_int_equal(delivery->target.len, strlen("x-") + 36 + strlen("-1970-id-1"));
}

static void
look_at_memory(const struct parts *parts)
{
	assert_true(parts_held(parts) > 20000);
}

static void
what_is_known_of_each_part_stands_until_the_end(void **state)
{
	struct config *config = form_run_config(
		"fields: [ { name: b, drop: true }, { name: \"*\", digest: crc32c, " STORE " } ]");
	struct buf body = { 0 };
	struct error err = { 0 };

	(void)state;
	form_run_text("a=12345|b=1|c@c.txt=", &body);
	assert_true(form_run(config->routes, buf_str(&body), 7, false, look_at_parts, &err));
	assert_true(form_run(config->routes, buf_str(&body), 7, true, look_at_parts, &err));
	buf_free(&body);
	config_free(config);
}

static void
the_value_of_what_is_forwarded_is_kept_whole(void **state)
{
	struct config *config = form_run_config(
		"app: { to: h, path: /app, form: json, sign: none, failed: { path: /failed } }, fields: [ { name: a, kind: value, "
		"forward: true }, { name: b, kind: value, types: { detected: [text/plain] }, forward: true, " STORE
		" }, { name: c, kind: file, " STORE " } ]");
	struct error err = { 0 };
	struct buf body = { 0 };

	(void)state;
	form_run_text("a=some value|c@c=file|b=both|a=", &body);
	for (size_t step = 1; step < 200; step += 33)
		for (int is_dry = 0; is_dry < 2; is_dry++)
			assert_true(form_run(config->routes, buf_str(&body), step, is_dry, look_at_values, &err));
	buf_free(&body);
	config_free(config);
}

static void
what_differs_each_time_is_shown_as_it_is_written(void **state)
{
	struct config *config = form_run_config(
		"fields: [ { name: a, store: { to: d, key: \"x-{uuid}-{date:%Y}-{request_id}-{part}\" } } ]");
	struct buf body = { 0 };
	struct error err = { 0 };

	(void)state;
	form_run_text("a=1", &body);
	assert_true(form_run(config->routes, buf_str(&body), 100, true, look_at_names, &err));
	buf_free(&body);
	config_free(config);
}

static void
what_a_form_holds_of_the_budget_is_known(void **state)
{
	struct config *config = form_run_config("fields: [ { name: \"*\", store: { to: d, key: \"{part}\" } } ]");
	struct buf body = { 0 };
	struct error err = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n");
		for (int n = 0; n < 10000; n++)
			buf_add_char(&body, 'x');
		buf_add_text(&body, "\r\n");
	}
	buf_add_text(&body, "--B--\r\n");
	assert_true(form_run(config->routes, buf_str(&body), 4096, false, look_at_memory, &err));
	buf_free(&body);
	config_free(config);
}

static void
what_a_request_says_twice_makes_no_name(void **state)
{
	static const char *const routes[] = {
		"fields: [ { name: a, store: { to: d, key: \"{part}-{query.q}\" } } ]",
		"fields: [ { name: a, store: { to: d, key: \"{part}-{header.x}\" } } ]",
		"fields: [ { name: a, store: { to: s, key: \"{part}\", metadata: { m: \"{query.q}{header.x}\" } } } ]",
		"fields: [ { name: a, drop: true } ], response: { redirect: \"/{query.q}{header.x}\" }",
	};
	struct buf body = { 0 };

	(void)state;
	form_run_text("a=1", &body);
	for (int twice = 0; twice < 2; twice++) {
		form_run_at.query = twice ? "/?q=1&q=1" : "/?q=1";
		form_run_at.n_headers = twice ? 2 : 1;
		for (EACH(i, routes)) {
			struct config *config = form_run_config(routes[i]);
			struct error err = { 0 };

			assert_int_equal(form_run(config->routes, buf_str(&body), 50, true, NULL, &err), !twice);
			assert_int_equal(err.kind, twice ? ERR_BAD_REQUEST : ERR_NONE);
			config_free(config);
		}
	}
	form_run_at.query = "/?q=%20";
	form_run_at.n_headers = 1;
	buf_free(&body);
}

/* What is in one piece is judged in place, what is not is gathered; what follows is not looked at before that. */
static void
a_long_part_is_judged_by_its_first_bytes(void **state)
{
	static const size_t steps[] = { 1000, STAGE_FIRST_MAX, SOURCE_FEED_MAX };
	struct config *config = form_run_config(
		"fields: [ { name: a, types: { detected: [text/plain] }, " STORE " } ]");

	(void)state;
	for (int is_pdf = 0; is_pdf < 2; is_pdf++)
		for (EACH(s, steps)) {
			struct buf body = { 0 };
			struct error err = { 0 };

			buf_addf(&body,
				"--B\r\nContent-Disposition: form-data; name=a\r\nContent-Type: x\r\n\r\n%s",
				is_pdf ? "%PDF-1.4\n" : "text\n");
			for (size_t i = 0; i < 40000; i++)
				buf_add_char(&body, i % 60 == 59 ? '\n' : 'x');
			buf_add_text(&body, "\r\n--B--\r\n");
			assert_int_equal(
				form_run(config->routes, buf_str(&body), steps[s], false, NULL, &err), !is_pdf);
			if (is_pdf)
				assert_non_null(
					strstr(err.message, "it is application/pdf, declared as no media type"));
			buf_free(&body);
		}
	config_free(config);
}

/* A body that is one file comes as it is cut, so that all of its first bytes may lie in one piece. */
static void
a_body_that_is_one_file_is_judged_in_place(void **state)
{
	struct config *config = form_run_config(
		"body: { raw: a }, fields: [ { name: a, types: { detected: [text/plain] }, " STORE " } ]");

	(void)state;
	for (size_t len = STAGE_FIRST_MAX - 1; len <= STAGE_FIRST_MAX + 1; len++)
		for (int is_pdf = 0; is_pdf < 2; is_pdf++) {
			struct buf body = { 0 };
			struct error err = { 0 };

			buf_add_text(&body, is_pdf ? "%PDF-1.4\n" : "text\n");
			while (body.len < len)
				buf_add_char(&body, body.len % 60 == 59 ? '\n' : 'x');
			assert_int_equal(
				form_run(config->routes, buf_str(&body), SOURCE_FEED_MAX, false, NULL, &err),
				!is_pdf);
			buf_free(&body);
		}
	config_free(config);
}

/* The digest stands behind other lines of the head, and once. */
static void
a_part_that_says_a_digest_is_compared(void **state)
{
	static const struct {
		const char *lines, *message;
	} heads[] = {
		{ "X: y\r\nContent-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n", "" },
		{ "content-md5: YUFAKrxLKna5cZ2REBfFkg==\r\n",
			"field \"a\": its bytes have another md5 than its content-md5 says" },
		{ "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\nContent-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n",
			"field \"a\": its content-md5 stands twice" },
	};
	struct config *config = form_run_config(
		"fields: [ { name: a, verify: { part_header: content-md5 }, " STORE " } ]");

	(void)state;
	for (EACH(i, heads))
		for (int is_dry = 0; is_dry < 2; is_dry++) {
			struct buf body = { 0 };
			struct error err = { 0 };

			buf_addf(&body, "--B\r\nContent-Disposition: form-data; name=a\r\n%s\r\nhello\r\n--B--\r\n",
				heads[i].lines);
			form_run(config->routes, buf_str(&body), 11, is_dry, NULL, &err);
			assert_string_equal(err.message, heads[i].message);
			buf_free(&body);
		}
	config_free(config);
}

static void
a_head_has_a_few_lines(void **state)
{
	struct config *config = form_run_config("fields: [ { name: \"*\", " STORE " } ]");

	(void)state;
	for (size_t n = FORM_HEADERS_MAX - 2; n <= FORM_HEADERS_MAX; n++) { /* beside Content-Disposition */
		struct buf body = { 0 };
		struct error err = { 0 };
		bool ok;

		buf_add_text(&body, "--B\r\nContent-Disposition: form-data; name=a\r\n");
		for (size_t i = 0; i < n; i++)
			buf_addf(&body, "X-%zu: 1\r\n", i);
		buf_add_text(&body, "\r\n\r\n--B--\r\n");
		ok = form_run(config->routes, buf_str(&body), 1000, true, NULL, &err);
		assert_int_equal(ok, n < FORM_HEADERS_MAX);
		if (!ok)
			assert_non_null(strstr(err.message, "too many header lines in a part's head"));
		buf_free(&body);
	}
	config_free(config);
}

static void
a_body_that_ends_before_its_form_is_refused(void **state)
{
	struct config *config = form_run_config("fields: [ { name: \"*\", " STORE " } ]");
	struct buf body = { 0 };

	(void)state;
	form_run_text("a=1|b=2", &body);
	for (size_t len = 0; len + 2 < body.len; len++)
		for (int is_dry = 0; is_dry < 2; is_dry++) {
			struct error err = { 0 };

			assert_false(
				form_run(config->routes, (struct str){ body.data, len }, 1000, is_dry, NULL, &err));
			assert_true(err.kind == ERR_TRUNCATED || err.kind == ERR_MALFORMED);
		}
	buf_free(&body);
	config_free(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_gets_one_verdict_however_it_comes),
		cmocka_unit_test(what_is_known_of_each_part_stands_until_the_end),
		cmocka_unit_test(the_value_of_what_is_forwarded_is_kept_whole),
		cmocka_unit_test(what_differs_each_time_is_shown_as_it_is_written),
		cmocka_unit_test(what_a_form_holds_of_the_budget_is_known),
		cmocka_unit_test(what_a_request_says_twice_makes_no_name),
		cmocka_unit_test(a_long_part_is_judged_by_its_first_bytes),
		cmocka_unit_test(a_body_that_is_one_file_is_judged_in_place),
		cmocka_unit_test(a_part_that_says_a_digest_is_compared),
		cmocka_unit_test(a_head_has_a_few_lines),
		cmocka_unit_test(a_body_that_ends_before_its_form_is_refused),
	};

	return cmocka_run_group_tests(tests, form_run_set_up, form_run_tear_down);
}
