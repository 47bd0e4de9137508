// SPDX-License-Identifier: MIT
/* sign.c - see sign.h. "AWS Signature Version 4 signing process" in the words of its documents: a canonical request is
 * hashed into a string to sign, which is signed with a key that was derived from the secret for this day, region and service. */
#include "sink/s3/sign.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/secret.h"
#include "sink/s3/canonical.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define HASH_SIZE 32
#define HASH_HEX_SIZE (2 * HASH_SIZE + 1)
#define DAY_LEN 8       /* of a date: "20130524" */
#define OWN_LINES_MAX 4 /* Host and the x-amz-* lines */

/* One signature on its way. */
struct job {
	const struct s3_sign_request *request;
	const struct s3_sign_keys *keys;
	char date[S3_DATE_SIZE];
	struct buf scope;           /* "20130524/us-east-1/s3/aws4_request" */
	struct s3_sign_line *lines; /* all lines that are signed, sorted by name */
	size_t n_lines;
	struct buf names; /* of the lines: "host;x-amz-date" */
	struct buf query; /* canonical */
	char signature[HASH_HEX_SIZE];
};

/* -- the signature -------------------------------------------------------------------------------- */

static bool
hash_canonical_request(const struct job *job, char hex[HASH_HEX_SIZE])
{
	struct buf text = { 0 };
	unsigned char hash[HASH_SIZE];
	bool ok;

	buf_addf(&text, "%s\n%.*s\n%.*s\n", job->request->method, STR_ARG(job->request->path),
		STR_ARG(buf_str(&job->query)));
	s3_canonical_lines(job->lines, job->n_lines, &text);
	buf_addf(&text, "\n%.*s\n%s", STR_ARG(buf_str(&job->names)), job->request->payload);
	ok = !text.failed && EVP_Digest(text.data, text.len, hash, NULL, EVP_sha256(), NULL) == 1;
	buf_free(&text);
	if (ok)
		str_write_hex(hex, hash, HASH_SIZE);
	return ok;
}

static bool
hmac(const void *key, size_t key_len, struct str text, unsigned char out[HASH_SIZE])
{
	return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.data, text.len, out, NULL) != NULL;
}

/* Turns `key` into the key for `text`. It may do so in place, because HMAC() reads its key first. */
static bool
derive(unsigned char key[HASH_SIZE], const char *text)
{
	return hmac(key, HASH_SIZE, str_of(text), key);
}

static bool
signing_key(const struct job *job, unsigned char key[HASH_SIZE])
{
	struct buf secret = { .is_secret = true };
	bool ok;

	buf_addf(&secret, "AWS4%s", job->keys->secret);
	ok = !secret.failed && hmac(secret.data, secret.len, (struct str){ job->date, DAY_LEN }, key) &&
		derive(key, job->request->region) && derive(key, job->request->service) &&
		derive(key, "aws4_request");
	secret_wipe(&secret);
	return ok;
}

static bool
make_signature(struct job *job)
{
	char hex[HASH_HEX_SIZE] = "";
	unsigned char key[HASH_SIZE], signature[HASH_SIZE];
	struct buf text = { 0 };
	bool ok = hash_canonical_request(job, hex);

	buf_addf(&text, ALGORITHM "\n%s\n%.*s\n%s", job->date, STR_ARG(buf_str(&job->scope)), hex);
	ok = ok && !text.failed && signing_key(job, key) && hmac(key, sizeof key, buf_str(&text), signature);
	OPENSSL_cleanse(key, sizeof key);
	buf_free(&text);
	if (ok)
		str_write_hex(job->signature, signature, HASH_SIZE);
	return ok;
}

/* -- both forms ----------------------------------------------------------------------------------- */

static void
put_line(struct job *job, struct s3_sign_line line)
{
	job->lines[job->n_lines++] = line;
}

static void
put_own_lines(struct job *job)
{
	put_line(job, (struct s3_sign_line){ "x-amz-date", str_of(job->date) });
	if (strcmp(job->request->service, "s3") == 0)
		put_line(job, (struct s3_sign_line){ "x-amz-content-sha256", str_of(job->request->payload) });
	if (job->keys->token != NULL)
		put_line(job, (struct s3_sign_line){ "x-amz-security-token", str_of(job->keys->token) });
}

static bool
begin(struct job *job, struct error *err)
{
	const struct s3_sign_request *request = job->request;
	struct tm tm;

	if (gmtime_r(&request->now, &tm) == NULL ||
		strftime(job->date, sizeof job->date, "%Y%m%dT%H%M%SZ", &tm) != sizeof job->date - 1)
		return error_set(err, ERR_INTERNAL, "the clock's year does not have four digits");
	job->lines = mem_array(request->n_lines + OWN_LINES_MAX, sizeof *job->lines);
	if (job->lines == NULL)
		return error_nomem(err);
	buf_addf(&job->scope, "%.*s/%s/%s/aws4_request", DAY_LEN, job->date, request->region, request->service);
	put_line(job, (struct s3_sign_line){ "host", request->host });
	for (size_t i = 0; i < request->n_lines; i++)
		put_line(job, request->lines[i]);
	return true;
}

static void
sort_lines(struct job *job)
{
	s3_canonical_sort(job->lines, job->n_lines);
	s3_canonical_names(job->lines, job->n_lines, &job->names);
}

static bool
finish(struct job *job, struct error *err)
{
	bool ok = !job->scope.failed && !job->names.failed && !job->query.failed && make_signature(job);

	return ok || error_nomem(err);
}

static void
end(struct job *job)
{
	mem_free(job->lines);
	buf_free(&job->scope);
	buf_free(&job->names);
	buf_free(&job->query);
}

static bool
hand_out(const struct job *job, struct s3_signed *out, struct error *err)
{
	memcpy(out->date, job->date, sizeof out->date);
	buf_clear(&out->authorization);
	buf_addf(&out->authorization, ALGORITHM " Credential=%s/%.*s, SignedHeaders=%.*s, Signature=%s",
		job->keys->access, STR_ARG(buf_str(&job->scope)), STR_ARG(buf_str(&job->names)), job->signature);
	buf_clear(&out->query);
	buf_add_str(&out->query, buf_str(&job->query));
	return (!out->authorization.failed && !out->query.failed) || error_nomem(err);
}

bool
s3_sign(const struct s3_sign_request *request, const struct s3_sign_keys *keys, struct s3_signed *out,
	struct error *err)
{
	struct job job = { .request = request, .keys = keys };
	bool ok = begin(&job, err);

	if (ok) {
		put_own_lines(&job);
		sort_lines(&job);
		s3_canonical_query(request->query, &job.query);
	}
	ok = ok && finish(&job, err) && hand_out(&job, out, err);
	end(&job);
	return ok;
}

void
s3_signed_free(struct s3_signed *out)
{
	buf_free(&out->authorization);
	buf_free(&out->query);
	*out = (struct s3_signed){ 0 };
}

static void
add_escaped(struct buf *query, const char *name, struct str value)
{
	buf_addf(query, "&%s=", name);
	s3_escape(query, value, false);
}

/* The names of the lines and the query are part of what is signed. */
static void
make_presigned_query(struct job *job, unsigned expires_s)
{
	struct buf credential = { 0 }, query = { 0 };

	buf_addf(&credential, "%s/%.*s", job->keys->access, STR_ARG(buf_str(&job->scope)));
	buf_add_str(&query, job->request->query);
	add_escaped(&query, "X-Amz-Algorithm", STR(ALGORITHM));
	add_escaped(&query, "X-Amz-Credential", buf_str(&credential));
	add_escaped(&query, "X-Amz-Date", str_of(job->date));
	buf_addf(&query, "&X-Amz-Expires=%u", expires_s);
	if (job->keys->token != NULL)
		add_escaped(&query, "X-Amz-Security-Token", str_of(job->keys->token));
	add_escaped(&query, "X-Amz-SignedHeaders", buf_str(&job->names));
	s3_canonical_query(buf_str(&query), &job->query);
	job->query.failed |= credential.failed || query.failed;
	buf_free(&credential);
	buf_free(&query);
}

bool
s3_presign(const struct s3_sign_request *request, const struct s3_sign_keys *keys, unsigned expires_s,
	struct buf *query, struct error *err)
{
	struct job job = { .request = request, .keys = keys };
	bool ok;

	must(expires_s >= 1 && expires_s <= S3_PRESIGN_MAX_S);
	ok = begin(&job, err);
	if (ok) {
		sort_lines(&job);
		make_presigned_query(&job, expires_s);
	}
	if (ok && finish(&job, err)) {
		buf_add_str(query, buf_str(&job.query));
		buf_addf(query, "&X-Amz-Signature=%s", job.signature);
		ok = !query->failed || error_nomem(err);
	} else {
		ok = false;
	}
	end(&job);
	return ok;
}
