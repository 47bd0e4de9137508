// SPDX-License-Identifier: MIT
/* http_easy.c - what libcurl is told about a transfer.
 *
 * HTTP/1.1 only: multiplexed uploads are slower in every libcurl measured, and broken in some. No Expect: a
 * silent upstream would cost a second. */
#include "sink/http/http_priv.h"

#include "base/must.h"

#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define UPLOAD_BUFFER_MIN (64L * 1024) /* libcurl's limits are 16 KiB and 2 MiB; lazily touched */
#define UPLOAD_BUFFER_MAX (2048L * 1024)
#define ANSWER_BUFFER 4096L
#define CA_AGE_S 60L        /* the authorities are read again after so long; libcurl would take a day */
#define NAME_AGE_S 60L      /* a name is resolved again after so long; the key `url` says so */
#define CONNECTION_AGE_S 1L /* reuse an idle connection only while its server surely keeps it */
#define FEW_DESCRIPTORS 8   /* a failed transfer has given back as many, at the most */

static bool
add_line(struct http *http, const char *name, const char *value)
{
	struct buf line = { 0 };
	struct curl_slist *list = NULL;

	buf_addf(&line, "%s: %s", name, value);
	if (!line.failed)
		list = curl_slist_append(http->headers, line.data);
	buf_free(&line);
	if (list != NULL)
		http->headers = list;
	return list != NULL;
}

static bool
add_flag(struct http *http, const char *line)
{
	struct curl_slist *list = curl_slist_append(http->headers, line);

	if (list != NULL)
		http->headers = list;
	return list != NULL;
}

static bool
make_headers(struct http *http)
{
	const struct order *order = http->order;
	const struct http_destination *to = &order->to->http;
	bool ok = add_flag(http, "Expect:");

	if (http->state != HTTP_UNDOING) {
		if (order->length == ORDER_LENGTH_UNKNOWN)
			ok = ok && add_flag(http, "Transfer-Encoding: chunked");
		if (order->type != NULL)
			ok = ok && add_line(http, "Content-Type", order->type);
	}
	ok = ok && add_line(http, "X-Request-Id", order->request_id);
	if (order->traceparent != NULL)
		ok = ok && add_line(http, "traceparent", order->traceparent);
	if (order->client != NULL)
		ok = ok && add_line(http, "X-Forwarded-For", order->client);
	for (size_t i = 0; i < to->n_headers; i++)
		ok = ok && add_line(http, to->headers[i].name, to->headers[i].value);
	return ok;
}

/* libcurl does not say why it got no socket. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	int *error = arg, fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	if (fd < 0)
		*error = errno;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* A new descriptor has the lowest number that is free. */
static bool
is_short_of_files(void)
{
	struct rlimit limit = { 0 };
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE;
	close(fd);
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)fd + FEW_DESCRIPTORS >= limit.rlim_cur;
}

void
http_easy_look(CURL *easy, int socket_error, struct verdict_facts *facts)
{
	long connect_error = 0;
	curl_off_t named_us = 0;

	if (facts->status != 0 || facts->code == CURLE_OK)
		return;
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &connect_error);
	curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &named_us);
	facts->is_nameless = named_us == 0;
	facts->os_error = socket_error != 0 && socket_error != EAFNOSUPPORT ? socket_error : (int)connect_error;
	facts->is_short_of_files = is_short_of_files();
}

void
http_easy_aim(CURL *easy, const struct http_destination *to, int *socket_error)
{
	*socket_error = 0;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, socket_error);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* never wait for a resolver whose name server is dead */
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "penstock/" PENSTOCK_VERSION);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, to->connect_ms < LONG_MAX ? (long)to->connect_ms : 0L);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, NAME_AGE_S);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, CONNECTION_AGE_S);
	if (to->unix_socket != NULL)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, to->unix_socket);
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_AGE_S);
	if (to->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, to->ca_file);
	if (to->cert_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, to->cert_file);
	if (to->key_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, to->key_file);
}

static bool
set_url(CURL *easy, const struct order *order)
{
	struct buf url = { 0 };
	bool ok;

	buf_addf(&url, "%s%s", order->to->http.url, order->target);
	ok = !url.failed && curl_easy_setopt(easy, CURLOPT_URL, url.data) == CURLE_OK;
	buf_free(&url);
	return ok;
}

static bool
make_easy(struct http *http)
{
	must(http->easy == NULL);
	http->easy = engine_take_handle(http->engine);
	if (http->easy == NULL || !make_headers(http) || !set_url(http->easy, http->order))
		return false;
	http_easy_aim(http->easy, &http->order->to->http, &http->socket_error);
	http_easy_set_callbacks(http->easy, http);
	curl_easy_setopt(http->easy, CURLOPT_BUFFERSIZE, ANSWER_BUFFER);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
	http->is_paused = http->is_asking = http->is_unwatched = false;
	http->is_in_head = false;
	http->answer_size = http->head_size = 0;
	http->uploaded = 0;
	return true;
}

static bool
add_easy(struct http *http)
{
	if (curl_multi_add_handle(http->engine->multi, http->easy) == CURLM_OK)
		return true;
	engine_give_handle(http->engine, http->easy); /* it is not in the multi, so nothing has to be removed */
	http->easy = NULL;
	return false;
}

/* The size of one send. */
static long
upload_buffer(size_t unit)
{
	if (unit < UPLOAD_BUFFER_MIN)
		return UPLOAD_BUFFER_MIN;
	return unit < UPLOAD_BUFFER_MAX ? (long)unit : UPLOAD_BUFFER_MAX;
}

bool
http_easy_begin(struct http *http)
{
	const struct order *order = http->order;

	if (!make_easy(http)) {
		engine_give_handle(http->engine, http->easy);
		http->easy = NULL;
		return false;
	}
	curl_easy_setopt(http->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(http->easy, CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer(order->unit));
	if (order->method == STORE_POST) {
		curl_easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, "POST");
		/* On a connection that was used before, libcurl sends anew if no answer comes: with POST that could
		 * make a second object (RFC 9110 section 9.2.2). */
		curl_easy_setopt(http->easy, CURLOPT_FRESH_CONNECT, 1L);
	}
	if (order->length != ORDER_LENGTH_UNKNOWN)
		curl_easy_setopt(http->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)order->length);
	http->kept_sent = 0;
	http->was_complete = order->is_kept && order->length == 0; /* its head alone completes it */
	return add_easy(http);
}

bool
http_easy_begin_undo(struct http *http)
{
	if (!make_easy(http)) {
		engine_give_handle(http->engine, http->easy);
		http->easy = NULL;
		return false;
	}
	curl_easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, "DELETE");
	return add_easy(http);
}
