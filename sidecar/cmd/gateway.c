// SPDX-License-Identifier: MIT
/* gateway.c - see gateway.h. What is written parses without a warning in HAProxy 2.6 and later. Who refuses what stands
 * in gateway_refusals.c. The same lines stand in a frontend of our own or, for an HAProxy that is there already, in a
 * backend. */
#include "cmd/gateway.h"

#include "cmd/gateway_priv.h"
#include "decide/decide.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* -- the flavours ---------------------------------------------------------------------------------- */

static void
add_spoe(struct buf *out, const struct config *config)
{
	buf_add_text(out,
		"    # The agent is asked last: about nobody whom a rule above has refused.\n"
		"    http-request send-spoe-group penstock penstock-ask if !turned_away\n");
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
		".endif\n"
		"    http-request set-var(txn.upload.pass) bool(true) if turned_away\n");
}

/* -- the whole ------------------------------------------------------------------------------------- */

static const char head[] =
	"# HAProxy in front of penstock, written by `penstock haproxy` for HAProxy 2.6 and later\n"
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
	"    timeout http-request 30s\n"
	"    timeout http-keep-alive 75s\n"
	"    timeout queue 30s\n";

static const char part_head[] =
	"# What of HAProxy's configuration belongs to penstock, written by `penstock haproxy --backend` for HAProxy 2.6 and later\n"
	"# Read beside yours: `haproxy -f haproxy.cfg -f penstock.cfg`, and there `use_backend penstock if ...`. Your own rules\n"
	"# stand in your frontend and come before those in here; docker/haproxy/README.md has an example.\n";

static const char frontend[] =
	"    # Who keeps a connection over a reload finds it closed when he sends the next upload. So it is closed by an answer.\n"
	"    option idle-close-on-response\n"
	"    unique-id-format %[uuid()]\n";

static const char identity[] =
	"    # Nobody but this gateway says who the client is and which route was admitted.\n"
	"    http-request set-header X-Request-Id %[var(txn.upload.request_id)]\n"
	"    http-request set-header X-Forwarded-For %[src]\n"
	"    http-request set-header X-Forwarded-Proto http if !{ ssl_fc }\n"
	"    http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"
	"    http-request del-header Forwarded\n"
	"    http-request del-header traceparent\n"
	"    http-request del-header tracestate\n"
	"    http-request del-header X-Penstock-Route\n"
	"    http-request del-header X-Penstock-Refuse\n";

static const char own_rules[] =
	"    # ---- your own rules: here they come before the agent is asked. What they refuse arrives if they say it so:\n"
	"    # http-request set-var(txn.upload.refuse) int(401) if !{ http_auth(people) }      (401, 403 or 429)\n"
	"    # http-request set-var-fmt(txn.upload.challenge) 'Basic realm=\"uploads\"'\n"
	"    # `http-request auth` and `deny` answer at once: a client that is sending already may lose it in a reset.\n"
	"    # ---- end of your own rules\n";

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

static bool
is_asking(const struct config *config, const struct gateway_options *options)
{
	return !options->native && config->spoa.n_listen > 0;
}

static void
add_filter(struct buf *out, const struct config *config, const struct gateway_options *options)
{
	if (options->native)
		add_filter_line(out, config);
	else if (is_asking(config, options))
		add_spoe_line(out, options);
}

/* The user's own rules stand between what they may use and what they may change. */
static void
add_rules(struct buf *out, const struct config *config, const struct gateway_options *options)
{
	gateway_add_acls(out, config);
	buf_add_text(out, identity);
	if (!options->backend)
		buf_add_text(out, own_rules);
	gateway_add_routes(out, config);
	gateway_add_may_answer(out);
	gateway_add_early(out);
	if (options->native)
		add_native(out, config);
	else if (is_asking(config, options))
		add_spoe(out, config);
	else
		gateway_add_rules(out, config);
	if (options->native || is_asking(config, options))
		buf_add_text(
			out, "    http-request set-header X-Penstock-Route %[var(txn.upload.route)] if allowed\n");
	gateway_add_passed_on(out);
}

static void
add_haproxy_cfg(const struct config *config, const struct gateway_options *options, struct buf *out)
{
	buf_add_text(out, head);
	if (options->native)
		buf_add_text(out, large_buffers);
	buf_add_text(out, defaults);
	gateway_add_own_errors(out);
	buf_addf(out, "\nfrontend uploads\n    bind %s\n", options->listen);
	buf_add_text(out, frontend);
	add_filter(out, config, options);
	buf_add_text(out, "    http-request set-var(txn.upload.request_id) unique-id\n");
	add_rules(out, config, options);
	buf_add_text(out, "    default_backend penstock\n\nbackend penstock\n");
	gateway_add_server(out, config);
	if (is_asking(config, options))
		gateway_add_agent(out, config);
}

/* All that the defaults of somebody else could spoil is said here. His frontend may have no unique-id-format. */
static void
add_penstock_cfg(const struct config *config, const struct gateway_options *options, struct buf *out)
{
	buf_add_text(out, part_head);
	buf_add_text(out,
		"\n"
		"backend penstock\n"
		"    mode http\n"
		"    no option http-buffer-request\n"
		"    retry-on conn-failure\n"
		"    timeout connect 2s\n"
		"    timeout queue 30s\n");
	gateway_add_own_errors(out);
	add_filter(out, config, options);
	buf_add_text(out, "    http-request set-var(txn.upload.request_id) unique-id\n");
	if (options->native)
		buf_add_text(out,
			"    http-request set-var(txn.upload.request_id) var(txn.upload.id) if !{ "
			"var(txn.upload.request_id) -m found }\n");
	buf_add_text(out,
		"    http-request set-var(txn.upload.request_id) uuid() if !{ var(txn.upload.request_id) -m found }\n");
	add_rules(out, config, options);
	gateway_add_server(out, config);
	if (is_asking(config, options))
		gateway_add_agent(out, config);
}

/* HAProxy is to be the one who closes what is idle: a question that crosses our farewell would go unanswered. */
static void
add_spoe_conf(const struct config *config, struct buf *out)
{
	buf_add_text(out,
		"# The question that HAProxy asks penstock's agent; filter/README.md explains each line\n"
		"[penstock]\n"
		"spoe-agent penstock-agent\n"
		"    groups penstock-ask\n"
		"    option var-prefix upload\n"
		"    option set-on-error error\n"
		"    # Without this a head that fits no frame makes HAProxy 2.6 to 3.0 connect in a loop.\n"
		"    no option send-frag-payload\n"
		"    # Required up to 3.0, ignored from 3.1 on.\n"
		"    timeout hello 500ms\n"
		"    timeout idle ");
	gateway_add_time(out, config->spoa.idle_ms / 2);
	buf_add_text(out,
		"    # What a request waits at most for an answer, also while the agent is down and not yet marked so.\n"
		"    timeout processing 500ms\n"
		"    use-backend penstock-agent\n"
		"    log global\n");
	buf_addf(out,
		"\n"
		"spoe-message penstock-admit\n"
		"    args id=var(txn.upload.request_id) method=method version=req.ver target=url,bytes(0,%d) "
		"host=req.fhdr(host),bytes(0,%d) hosts=req.fhdr_cnt(host) ",
		DECIDE_TARGET_MAX + 1,
		DECIDE_HOST_MAX + 1); /* one byte more than is taken: so what was cut is refused */
	buf_add_text(out,
		"type=req.fhdr(content-type),bytes(0,512) types=req.fhdr_cnt(content-type) "
		"length=req.fhdr(content-length),bytes(0,24) lengths=req.fhdr_cnt(content-length) "
		"coding=req.fhdr(transfer-encoding),bytes(0,64) codings=req.fhdr_cnt(transfer-encoding) "
		"encoding=req.fhdr(content-encoding),bytes(0,64) encodings=req.fhdr_cnt(content-encoding) "
		"expect=req.fhdr(expect),bytes(0,64) expects=req.fhdr_cnt(expect)\n"
		"\n"
		"# Asked by a rule, behind all others, and not for every request.\n"
		"spoe-group penstock-ask\n"
		"    messages penstock-admit\n");
}

/* Nothing is written unless all of it may be. */
static bool
write_all(const struct gateway_options *options, struct gateway_file *files, size_t n, struct error *err)
{
	for (size_t i = 0; i < n && !options->force; i++)
		if (!gateway_may_replace(options->out, files[i].name, err))
			return false;
	for (size_t i = 0; i < n; i++) {
		gateway_seal(&files[i].text);
		if (!gateway_write_file(options->out, &files[i], err))
			return false;
	}
	return true;
}

bool
gateway_write(const struct config *config, const struct gateway_options *options, struct error *err)
{
	struct gateway_file files[] = { { .name = options->backend ? "penstock.cfg" : "haproxy.cfg" },
		{ .name = "penstock.spoe.conf" } };
	bool ok;

	if (mkdir(options->out, 0777) != 0 && errno != EEXIST)
		return error_set(err, ERR_SYSTEM, "%s: %s", options->out, strerror(errno));
	if (options->backend)
		add_penstock_cfg(config, options, &files[0].text);
	else
		add_haproxy_cfg(config, options, &files[0].text);
	add_spoe_conf(config, &files[1].text);
	ok = write_all(options, files, is_asking(config, options) ? 2 : 1, err);
	buf_free(&files[0].text);
	buf_free(&files[1].text);
	return ok;
}
