// SPDX-License-Identifier: MIT
/* sink_server.c - see sink_server.h. libmicrohttpd with a thread for each connection: --delay may then simply sleep. A request's
 * block is collected while it comes in and printed under one lock when it is over. The path is printed as it came:
 * nothing is decoded. --print keeps a whole body in memory, so it is for looking at small ones. */
#include "http/sink_server.h"

#include "base/mem.h"
#include "base/str.h"
#include "http/mhd_query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SINK_MEMORY (1024u * 1024)

struct sink_request {
	const struct sink_options *options;
	struct buf target, text, body;
	EVP_MD_CTX *digest; /* NULL: --discard */
	uint64_t size;
	bool begun, answered;
};

static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER; /* one block at a time on stdout */

static size_t
no_unescape(void *arg, struct MHD_Connection *mhd, char *text)
{
	(void)arg;
	(void)mhd;
	return strlen(text);
}

static void *
on_target(void *arg, const char *target, struct MHD_Connection *mhd)
{
	struct sink_request *request = mem_zalloc(sizeof *request);

	(void)mhd;
	if (request != NULL) {
		request->options = arg;
		buf_add_text(&request->target, target);
	}
	mhd_query_drop(target);
	return request;
}

static enum MHD_Result
add_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct sink_request *request = arg;

	(void)kind;
	buf_addf(&request->text, "%s: %s\n", name, value != NULL ? value : "");
	return MHD_YES;
}

static void
begin(struct sink_request *request, struct MHD_Connection *mhd, const char *method)
{
	request->begun = true;
	if (request->options->discard)
		return;
	buf_addf(&request->text, "%s %s\n", method, request->target.data);
	MHD_get_connection_values(mhd, MHD_HEADER_KIND, add_header, request);
	request->digest = EVP_MD_CTX_new();
	if (request->digest == NULL || EVP_DigestInit_ex(request->digest, EVP_sha256(), NULL) != 1)
		request->text.failed = true;
}

static void
take(struct sink_request *request, const char *data, size_t len)
{
	request->size += len;
	if (request->digest != NULL && EVP_DigestUpdate(request->digest, data, len) != 1)
		request->text.failed = true;
	if (request->options->print_body)
		buf_add(&request->body, data, len);
}

static void
add_sum(struct sink_request *request)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	buf_addf(&request->text, "%" PRIu64 " byte%s sha256 ", request->size, PLURAL(request->size));
	if (request->digest != NULL && EVP_DigestFinal_ex(request->digest, sum, &n) != 1)
		request->text.failed = true;
	for (unsigned i = 0; i < n; i++)
		buf_addf(&request->text, "%02x", sum[i]);
}

static void
print(struct sink_request *request, bool whole)
{
	if (whole)
		add_sum(request);
	else
		buf_addf(&request->text, "ended early after %" PRIu64 " byte%s", request->size,
			PLURAL(request->size));
	buf_add_char(&request->text, '\n');
	pthread_mutex_lock(&print_lock);
	if (request->text.failed || request->body.failed)
		fputs("out of memory: a request is not shown\n", stdout);
	else
		fwrite(request->text.data, 1, request->text.len, stdout);
	if (request->body.len > 0) {
		fwrite(request->body.data, 1, request->body.len, stdout);
		fputc('\n', stdout);
	}
	fputc('\n', stdout);
	fflush(stdout);
	pthread_mutex_unlock(&print_lock);
}

static void
wait_before_answer(uint64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (ms > 0 && nanosleep(&ts, &ts) != 0 && errno == EINTR)
		;
}

static enum MHD_Result
answer(struct sink_request *request, struct MHD_Connection *mhd)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result queued;

	if (response == NULL)
		return MHD_NO;
	wait_before_answer(request->options->delay_ms);
	if (!request->options->discard)
		print(request, true);
	request->answered = true;
	queued = MHD_queue_response(mhd, request->options->status != 0 ? request->options->status : 200, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result
on_access(void *arg, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
	const char *data, size_t *len, void **context)
{
	struct sink_request *request = *context;

	(void)arg;
	(void)url;
	(void)version;
	if (request == NULL)
		return MHD_NO;
	if (!request->begun) {
		begin(request, mhd, method);
		return MHD_YES;
	}
	if (*len > 0) {
		take(request, data, *len);
		*len = 0;
		return MHD_YES;
	}
	return answer(request, mhd);
}

static void
on_completed(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why)
{
	struct sink_request *request = *context;

	(void)arg;
	(void)mhd;
	(void)why;
	if (request == NULL)
		return;
	if (request->begun && !request->answered && !request->options->discard)
		print(request, false);
	EVP_MD_CTX_free(request->digest);
	buf_free(&request->target);
	buf_free(&request->text);
	buf_free(&request->body);
	mem_free(request);
	*context = NULL;
}

static struct MHD_Daemon *
start(struct sink_options *options)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(options->port) };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* AUTO: poll() in each thread, for select() ends at descriptor 1023 */
	return MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION,
		options->port, NULL, NULL, on_access, options, MHD_OPTION_SOCK_ADDR, &addr,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, options, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)SINK_MEMORY, MHD_OPTION_END);
}

bool
sink_run(const struct sink_options *options, struct error *err)
{
	struct sink_options own = *options; /* libmicrohttpd's callbacks take what is not const */
	struct MHD_Daemon *daemon;
	sigset_t set;
	int which;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* before libmicrohttpd makes its threads */
	daemon = start(&own);
	if (daemon == NULL)
		return error_set(
			err, ERR_SYSTEM, "cannot listen on 127.0.0.1:%u: %s", options->port, strerror(errno));
	printf("penstock sink: listening on http://127.0.0.1:%u\n",
		MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&set, &which);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* a second one ends it at once, whatever --delay still waits */
	MHD_stop_daemon(daemon);
	return true;
}
