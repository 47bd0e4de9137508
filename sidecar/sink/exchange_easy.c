// SPDX-License-Identifier: MIT
/* exchange_easy.c - what libcurl is told about an exchange.
 *
 * HTTP/1.1 only: multiplexed uploads are slower in every libcurl measured, and broken in some. No Expect: a
 * silent upstream would cost a second. */
#include "sink/exchange_priv.h"

#include "base/must.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define UPLOAD_BUFFER_MIN (64u * 1024) /* libcurl's limits are 16 KiB and 2 MiB; lazily touched */
#define UPLOAD_BUFFER_MAX (2048u * 1024)
#define ANSWER_BUFFER 4096L
#define ANSWER_BUFFER_OF_STREAM 1024L /* libcurl's least: it waits all the while that a slow client sends */
/* What a connection is made with holds for a minute at the most, half of it before it is made. */
#define CA_AGE_S 30L      /* the authorities are read again after so long; libcurl would take a day */
#define NAME_AGE_S 30L    /* a name is resolved again after so long */
#define LIFETIME_S 30L    /* no request goes over a connection that is older, however busy it is */
#define KEPT_ONCE_S 1L    /* whoever cannot ask once more uses an idle one only while its server surely keeps it */
#define FEW_DESCRIPTORS 8 /* a failed transfer has given back as many, at the most */

static bool
is_out_of_files(void)
{
	return errno == EMFILE || errno == ENFILE;
}

static rlim_t
most_descriptors(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

/* A new descriptor has the lowest number that is free. Where that stands in the last quarter, or none is left, libcurl closes what has been
 * idle for more than a moment. Not at once: what takes back a part of a form that was refused for want of descriptors needs the connection. */
static bool
is_among_last(int fd)
{
	return fd < 0 ? is_out_of_files() : (rlim_t)fd >= most_descriptors() / 4 * 3;
}

/* libcurl does not say why it got no socket. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *x = arg;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	x->engine->is_crowded = is_among_last(fd);
	if (fd >= 0 && engine_sockets_made(&x->engine->sockets, fd))
		return x->user.fd = fd;
	x->socket_error = fd < 0 ? errno : ENOMEM;
	if (fd >= 0)
		close(fd);
	return CURL_SOCKET_BAD;
}

/* A new descriptor has the lowest number that is free. */
static bool
is_short_of_files(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0)
		return is_out_of_files();
	close(fd);
	return (rlim_t)fd + FEW_DESCRIPTORS >= most_descriptors();
}

void
exchange_easy_look(const struct exchange *x, struct exchange_facts *facts)
{
	long connect_error = 0;
	curl_off_t named_us = 0;

	if (facts->status != 0 || facts->code == CURLE_OK)
		return;
	curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &connect_error);
	curl_easy_getinfo(x->easy, CURLINFO_NAMELOOKUP_TIME_T, &named_us);
	facts->is_nameless = named_us == 0;
	facts->was_kept = x->is_asking && exchange_is_kept(x);
	facts->os_error = x->socket_error != 0 && x->socket_error != EAFNOSUPPORT ? x->socket_error
										  : (int)connect_error;
	facts->is_short_of_files = is_short_of_files();
}

/* RFC 9110 section 9.2.2. */
static bool
is_idempotent(const char *method)
{
	static const char *const methods[] = { "PUT", "DELETE", "GET", "HEAD", "OPTIONS" };

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(method, methods[i]) == 0)
			return true;
	return false;
}

bool
exchange_may_repeat(const struct exchange_request *request)
{
	bool is_here = request->body == EXCHANGE_NO_BODY || request->body == EXCHANGE_WHOLE ||
		request->body == EXCHANGE_READ;

	return is_here && !request->is_once && is_idempotent(request->method);
}

/* Where to connect, and over which connection. */
static void
aim(struct exchange *x)
{
	const struct exchange_request *request = x->request;
	const struct http_peer *to = request->to;
	bool may_repeat = exchange_may_repeat(request);
	bool is_kept = (may_repeat || (request->reuse_always && request->body != EXCHANGE_STREAM)) &&
		!x->must_be_new && !request->is_alone;

	curl_easy_setopt(x->easy, CURLOPT_FRESH_CONNECT, is_kept ? 0L : 1L);
	/* Nobody but those who may use kept ones leaves one: each takes a descriptor for as long as it waits. */
	curl_easy_setopt(x->easy, CURLOPT_FORBID_REUSE, (is_kept || may_repeat) && !request->is_alone ? 0L : 1L);
	curl_easy_setopt(
		x->easy, CURLOPT_MAXAGE_CONN, may_repeat && !x->engine->is_crowded ? LIFETIME_S : KEPT_ONCE_S);
	curl_easy_setopt(x->easy, CURLOPT_MAXLIFETIME_CONN, LIFETIME_S);
	curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x->easy, CURLOPT_QUICK_EXIT, 1L); /* never wait for a resolver whose name server is dead */
	curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS,
		request->connect_ms < LONG_MAX ? (long)request->connect_ms : 0L);
	curl_easy_setopt(x->easy, CURLOPT_DNS_CACHE_TIMEOUT, NAME_AGE_S);
	if (to->unix_socket != NULL)
		curl_easy_setopt(x->easy, CURLOPT_UNIX_SOCKET_PATH, to->unix_socket);
	curl_easy_setopt(x->easy, CURLOPT_CA_CACHE_TIMEOUT, CA_AGE_S);
	if (to->ca_file != NULL)
		curl_easy_setopt(x->easy, CURLOPT_CAINFO, to->ca_file);
	if (to->cert_file != NULL)
		curl_easy_setopt(x->easy, CURLOPT_SSLCERT, to->cert_file);
	if (to->key_file != NULL)
		curl_easy_setopt(x->easy, CURLOPT_SSLKEY, to->key_file);
}

size_t
exchange_buffer(size_t unit)
{
	if (unit < UPLOAD_BUFFER_MIN)
		return UPLOAD_BUFFER_MIN;
	return unit < UPLOAD_BUFFER_MAX ? unit : UPLOAD_BUFFER_MAX;
}

static void
set_body(struct exchange *x)
{
	const struct exchange_request *request = x->request;

	if (request->body == EXCHANGE_CONNECT) {
		curl_easy_setopt(x->easy, CURLOPT_CONNECT_ONLY, 1L);
	} else if (request->body == EXCHANGE_WHOLE) {
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->whole.len);
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, request->whole.len > 0 ? request->whole.data : "");
	} else if (request->body != EXCHANGE_NO_BODY) {
		curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(x->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)exchange_buffer(request->unit));
		if (request->length != EXCHANGE_LENGTH_UNKNOWN)
			curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->length);
	}
	if (request->body != EXCHANGE_CONNECT)
		curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->body == EXCHANGE_NO_BODY && strcmp(request->method, "HEAD") == 0)
		curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L); /* it has a length, and no body */
	/* The head alone completes it, or the head and what leaves with it. */
	x->was_complete = request->body == EXCHANGE_NO_BODY || request->body == EXCHANGE_WHOLE ||
		request->length == 0;
}

static bool
make_easy(struct exchange *x)
{
	must(x->easy == NULL);
	x->easy = engine_take_handle(x->engine);
	x->headers = exchange_head_lines(x->request);
	if (x->easy == NULL || x->headers == NULL || !exchange_head_aim(x->easy, x->request))
		return false;
	aim(x);
	set_body(x);
	exchange_set_callbacks(x);
	curl_easy_setopt(x->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(x->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(x->easy, CURLOPT_BUFFERSIZE,
		x->request->body == EXCHANGE_STREAM ? ANSWER_BUFFER_OF_STREAM : ANSWER_BUFFER);
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
	return true;
}

bool
exchange_easy_begin(struct exchange *x)
{
	if (make_easy(x) && curl_multi_add_handle(x->engine->multi, x->easy) == CURLM_OK)
		return true;
	engine_give_handle(x->engine, x->easy); /* it is not in the multi, so nothing has to be removed */
	x->easy = NULL;
	return false;
}
