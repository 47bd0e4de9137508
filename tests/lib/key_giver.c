// SPDX-License-Identifier: MIT
/* key_giver.c - see key_giver.h. */
#include "lib/key_giver.h"

#include "base/counter.h"
#include "lib/endpoint.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define KEPT 8u
#define REQUEST_MAX 4096u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the two that follow */
static struct key_manner manner;
static char requests[KEPT][REQUEST_MAX]; /* the n-th: n % KEPT */
static struct counter n_requests, n_keys, ahead_s;
static struct endpoint *endpoint;
static char url[64]; /* also when it is gone */

int64_t
key_giver_now_s(void)
{
	return (int64_t)time(NULL) + (int64_t)counter_read(&ahead_s);
}

void
key_giver_put_forward(size_t s)
{
	counter_add(&ahead_s, s);
}

/* -- answers ------------------------------------------------------------------------------------------ */

static void
add_expiration(struct buf *out, const char *before, const char *after)
{
	time_t at = (time_t)(key_giver_now_s() + manner.expires_in_s);
	char text[32];
	struct tm tm;

	if (manner.expires_in_s == 0)
		return;
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
	buf_addf(out, "%s%s%s", before, text, after);
}

static void
say_keys(struct buf *answer, bool is_xml)
{
	struct buf body = { 0 };
	unsigned n = (unsigned)counter_read(&n_keys) + 1;

	if (is_xml) {
		buf_addf(&body,
			"<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
			"<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A%u</AccessKeyId>"
			"<SecretAccessKey>S%u</SecretAccessKey><SessionToken>T%u</SessionToken>",
			n, n, n);
		add_expiration(&body, "<Expiration>", "</Expiration>");
		buf_add_text(&body,
			"</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
	} else {
		buf_addf(&body, "{\"AccessKeyId\":\"A%u\",\"SecretAccessKey\":\"S%u\",\"Token\":\"T%u\"", n, n, n);
		add_expiration(&body, ",\"Expiration\":\"", "\"");
		buf_add_text(&body, "}");
	}
	endpoint_say(answer, 200, body.data);
	buf_free(&body);
	counter_add(&n_keys, 1);
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void
answer_locked(const char *request, struct buf *answer)
{
	static const char roles[] = "GET /latest/meta-data/iam/security-credentials/";
	bool is_token = begins(request, "PUT /latest/api/token ");
	bool is_role = begins(request, roles) && request[sizeof roles - 1] == ' ';
	unsigned status = is_token ? manner.token_status : is_role ? manner.role_status : manner.keys_status;

	if (status != 200)
		endpoint_say(answer, status, manner.refusal);
	else if (is_token || is_role)
		endpoint_say(answer, 200, is_token ? "dG9rZW4=" : manner.role);
	else
		say_keys(answer, begins(request, "POST "));
}

static void
on_request(void *arg, const char *request, struct buf *answer)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	snprintf(requests[counter_read(&n_requests) % KEPT], REQUEST_MAX, "%s", request);
	if (!manner.is_mute)
		answer_locked(request, answer);
	counter_add(&n_requests, 1);
	pthread_mutex_unlock(&lock);
}

/* -- life --------------------------------------------------------------------------------------------- */

bool
key_giver_start(void)
{
	manner = (struct key_manner){ 200, 200, 200, "", "penstock@role\n", 3600, false };
	counter_set(&n_requests, 0);
	counter_set(&n_keys, 0);
	counter_set(&ahead_s, 0);
	endpoint = endpoint_start(on_request, NULL);
	if (endpoint != NULL)
		snprintf(url, sizeof url, "%s", endpoint_url(endpoint));
	return endpoint != NULL;
}

void
key_giver_stop(void)
{
	if (endpoint != NULL)
		endpoint_stop(endpoint);
	endpoint = NULL;
}

struct key_manner
key_giver_manner(void)
{
	struct key_manner copy;

	pthread_mutex_lock(&lock);
	copy = manner;
	pthread_mutex_unlock(&lock);
	return copy;
}

void
key_giver_set(struct key_manner other)
{
	pthread_mutex_lock(&lock);
	manner = other;
	pthread_mutex_unlock(&lock);
}

const char *
key_giver_url(void)
{
	return url;
}

size_t
key_giver_requests(void)
{
	return counter_read(&n_requests);
}

size_t
key_giver_keys(void)
{
	return counter_read(&n_keys);
}

bool
key_giver_was_asked(size_t n, const char *text)
{
	bool is_there;

	pthread_mutex_lock(&lock);
	is_there = strstr(requests[n % KEPT], text) != NULL;
	pthread_mutex_unlock(&lock);
	return is_there;
}
