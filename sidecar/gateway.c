// SPDX-License-Identifier: MIT
/* gateway.c - see gateway.h. What is written parses without a warning in HAProxy 2.6 and later. Who refuses what stands
 * in gateway_rules.c. */
#include "gateway.h"

#include "decide/decide.h"
#include "gateway_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- the flavours ---------------------------------------------------------------------------------- */

static void
add_spoe(struct buf *out, const struct config *config)
{
	gateway_add_verdicts(out, config, "the admission agent does not answer");
}

/* From 3.0 on HAProxy reads on behind an answer of its own, with HTTP/1: there the filter may answer a client that is
 * still sending, before its body or in it. */
static void
add_native(struct buf *out, const struct config *config)
{
	gateway_add_verdicts(out, config, "the filter did not answer");
	buf_add_text(out,
		"    # An answer given while a client is still sending is lost in a reset by HAProxy before 3.0, and by\n"
		"    # any version with HTTP/2. There penstock answers: it reads on until it has been heard.\n"
		".if version_atleast(3.0)\n"
		"    http-request set-var(txn.upload.pass) bool(true) if { fc_http_major gt 1 }\n"
		".else\n"
		"    http-request set-var(txn.upload.pass) bool(true)\n"
		".endif\n");
}

/* -- the whole ------------------------------------------------------------------------------------- */

static const char head[] =
	"# HAProxy in front of penstock, written by `penstock haproxy` for HAProxy 2.6 and later.\n"
	"# For TLS and HTTP/2: bind :443 ssl crt /etc/haproxy/site.pem alpn h2,http/1.1\n"
	"# Timeouts: an upload takes as long as it takes. `timeout client` is the longest pause between two bytes of\n"
	"# a client, not the longest upload; `timeout server` the longest wait for penstock, which answers when the\n"
	"# whole form is stored. Never use `option http-buffer-request` or `http-request wait-for-body` here: they\n"
	"# keep penstock from seeing the body while it arrives.\n"
	"\n"
	"global\n"
	"    log stderr format raw local0 info\n"
	"    # What a client may send with HTTP/2 before it hears from HAProxy. With the 64 KiB that are usual, one that is\n"
	"    # 50 ms away sends 1.3 MB/s at most.\n"
	"    tune.h2.initial-window-size 1048576\n";

/* filter/README.md has the numbers. */
static const char large_buffers[] =
	"    # HAProxy copies a body that a filter follows, and wakes the filter for each buffer. With larger ones, of which\n"
	"    # an upload holds up to four, it costs about what it costs without a filter and with the usual 16 KiB.\n"
	"    tune.bufsize 65536\n";

static const char defaults[] =
	"\n"
	"defaults\n"
	"    mode http\n"
	"    log global\n"
	"    # As `option httplog`, and the id under which penstock logs the same request.\n"
	"    log-format \"%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %ac/%fc/%bc/%sc/%rc %{+Q}r "
	"request_id=%ID\"\n"
	"    timeout connect 2s\n"
	"    timeout client 60s\n"
	"    timeout server 10m\n"
	"    timeout http-request 30s\n"
	"    timeout http-keep-alive 75s\n"
	"    timeout queue 30s\n";

static const char identity[] =
	"    # Nobody but this gateway says who the client is and which route was admitted.\n"
	"    http-request set-header X-Request-Id %[unique-id]\n"
	"    http-request set-header X-Forwarded-For %[src]\n"
	"    http-request set-header X-Forwarded-Proto http if !{ ssl_fc }\n"
	"    http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"
	"    http-request del-header Forwarded\n"
	"    http-request del-header traceparent\n"
	"    http-request del-header tracestate\n"
	"    http-request del-header X-Penstock-Route\n"
	"    http-request del-header X-Penstock-Refuse\n";

/* "Any address" is where penstock listens, not where it can be found. */
static const char *
reachable(const char *host)
{
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(host, "::") == 0 ? "::1" : host;
}

/* Whole, for penstock is started here, and HAProxy anywhere. */
static void
add_socket(struct buf *address, const char *path)
{
	char here[PATH_MAX];

	buf_add_text(address, "unix@");
	if (path[0] != '/' && getcwd(here, sizeof here) != NULL)
		buf_addf(address, "%s/", here);
	buf_add_text(address, path);
}

static void
add_server_address(struct buf *out, const struct listen *listen)
{
	struct buf address = { 0 };

	if (listen->unix_socket != NULL)
		add_socket(&address, listen->unix_socket);
	else if (strchr(listen->host, ':') != NULL)
		buf_addf(&address, "[%s]:%s", reachable(listen->host), listen->port);
	else
		buf_addf(&address, "%s:%s", reachable(listen->host), listen->port);
	gateway_add_word(out, &address);
}

/* Not one with proxy_protocol, if that can be helped: behind its header our X-Request-Id would be the client's word. */
static const struct listen *
server_of(const struct config *config)
{
	for (size_t i = 0; i < config->n_listen; i++)
		if (!config->listen[i].proxy_protocol)
			return &config->listen[i];
	return &config->listen[0];
}

static void
add_backends(struct buf *out, const struct config *config, bool with_agent)
{
	buf_add_text(out,
		"\n"
		"backend penstock\n"
		"    # An upload cannot be sent twice, so it never goes over a connection that may be closing.\n"
		"    http-reuse never\n"
		"    server penstock ");
	add_server_address(out, server_of(config));
	buf_addf(out, " check inter 2s%s\n",
		server_of(config)->proxy_protocol ? " send-proxy-v2 check-send-proxy" : "");
	if (!with_agent)
		return;
	buf_add_text(out,
		"\n"
		"backend penstock-agent\n"
		"    mode tcp\n"
		"    option spop-check\n"
		"    # Ten connections that fail take it down at once: up to 3.0 a question whose connection fails is asked\n"
		"    # again without a pause, thousands of times until its time is over.\n"
		"    timeout connect 500ms\n"
		"    timeout server 3m\n"
		"    server agent ");
	add_server_address(out, &config->spoa.listen[0]);
	buf_add_text(out, " check inter 1s fall 2 rise 1 observe layer4 error-limit 10 on-error mark-down\n");
}

/* The route files, for the filter; their paths are whole. */
static void
add_filter_line(struct buf *out, const struct config *config)
{
	buf_add_text(out, "    filter penstock");
	for (size_t i = 0; i < config->n_files; i++) {
		char whole[PATH_MAX];

		buf_add_text(out, " config ");
		gateway_add_quoted(out, realpath(config->files[i], whole) != NULL ? whole : config->files[i]);
	}
	buf_add_text(out, " fail closed\n");
}

static void
add_spoe_line(struct buf *out, const struct gateway_options *options)
{
	char whole[PATH_MAX], file[PATH_MAX + sizeof "/penstock.spoe.conf"];

	snprintf(file, sizeof file, "%s/penstock.spoe.conf",
		realpath(options->out, whole) != NULL ? whole : options->out);
	buf_add_text(out, "    filter spoe engine penstock config ");
	gateway_add_quoted(out, file);
	buf_add_text(out, "\n");
}

static void
add_haproxy_cfg(const struct config *config, const struct gateway_options *options, struct buf *out)
{
	bool with_agent = !options->native && config->spoa.n_listen > 0;

	buf_add_text(out, head);
	if (options->native)
		buf_add_text(out, large_buffers);
	buf_add_text(out, defaults);
	gateway_add_own_errors(out);
	buf_addf(out, "\nfrontend uploads\n    bind %s\n    unique-id-format %%[uuid()]\n", options->listen);
	if (options->native)
		add_filter_line(out, config);
	else if (with_agent)
		add_spoe_line(out, options);
	gateway_add_routes(out, config);
	gateway_add_may_answer(out);
	buf_add_text(out, identity);
	if (options->native)
		add_native(out, config);
	else if (with_agent)
		add_spoe(out, config);
	else
		gateway_add_rules(out, config);
	if (options->native || with_agent)
		buf_add_text(
			out, "    http-request set-header X-Penstock-Route %[var(txn.upload.route)] if allowed\n");
	buf_add_text(out, "    default_backend penstock\n");
	add_backends(out, config, with_agent);
}

/* HAProxy is to be the one who closes what is idle: a question that crosses our farewell would go unanswered. */
static void
add_spoe_conf(const struct config *config, struct buf *out)
{
	unsigned long long idle_ms = (unsigned long long)config->spoa.idle_ms / 2;
	bool in_seconds = idle_ms >= 1000 && idle_ms % 1000 == 0;

	buf_add_text(out,
		"# The question that HAProxy asks penstock's agent; filter/README.md explains each line.\n"
		"[penstock]\n"
		"spoe-agent penstock-agent\n"
		"    messages penstock-admit\n"
		"    option var-prefix upload\n"
		"    option set-on-error error\n"
		"    # Without this a head that fits no frame makes HAProxy 2.6 to 3.0 connect in a loop.\n"
		"    no option send-frag-payload\n"
		"    # Required up to 3.0, ignored from 3.1 on.\n"
		"    timeout hello 500ms\n");
	buf_addf(out, "    timeout idle %llu%s\n", in_seconds ? idle_ms / 1000 : idle_ms + (idle_ms == 0),
		in_seconds ? "s" : "ms");
	buf_add_text(out,
		"    # What a request waits at most for an answer, also while the agent is down and not yet marked so.\n"
		"    timeout processing 500ms\n"
		"    use-backend penstock-agent\n"
		"    log global\n");
	buf_addf(out,
		"\n"
		"spoe-message penstock-admit\n"
		"    args id=unique-id method=method version=req.ver target=url,bytes(0,%d) "
		"host=req.fhdr(host),bytes(0,%d) hosts=req.fhdr_cnt(host) ",
		DECIDE_TARGET_MAX + 1,
		DECIDE_HOST_MAX + 1); /* one byte more than is taken: so what was cut is refused */
	buf_add_text(out,
		"type=req.fhdr(content-type),bytes(0,512) types=req.fhdr_cnt(content-type) "
		"length=req.fhdr(content-length),bytes(0,24) lengths=req.fhdr_cnt(content-length) "
		"coding=req.fhdr(transfer-encoding),bytes(0,64) codings=req.fhdr_cnt(transfer-encoding) "
		"encoding=req.fhdr(content-encoding),bytes(0,64) encodings=req.fhdr_cnt(content-encoding) "
		"expect=req.fhdr(expect),bytes(0,64) expects=req.fhdr_cnt(expect)\n"
		"    event on-frontend-http-request\n");
}

static bool
write_file(const char *folder, const char *name, const struct buf *text, struct error *err)
{
	char path[PATH_MAX];
	FILE *file;
	bool ok;

	if (text->failed)
		return error_set(err, ERR_NOMEM, "out of memory");
	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	if (file == NULL)
		return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	ok = fwrite(text->data, 1, text->len, file) == text->len;
	if (fclose(file) != 0 || !ok)
		return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	return true;
}

bool
gateway_write(const struct config *config, const struct gateway_options *options, struct error *err)
{
	struct buf cfg = { 0 }, spoe = { 0 };
	bool ok;

	if (mkdir(options->out, 0777) != 0 && errno != EEXIST)
		return error_set(err, ERR_SYSTEM, "%s: %s", options->out, strerror(errno));
	add_haproxy_cfg(config, options, &cfg);
	add_spoe_conf(config, &spoe);
	ok = write_file(options->out, "haproxy.cfg", &cfg, err);
	if (ok && !options->native && config->spoa.n_listen > 0)
		ok = write_file(options->out, "penstock.spoe.conf", &spoe, err);
	buf_free(&cfg);
	buf_free(&spoe);
	return ok;
}
