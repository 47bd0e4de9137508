// SPDX-License-Identifier: MIT
/* gateway.c - see gateway.h. What is written parses without a warning in HAProxy 2.6 and later. gateway_refusals.c says
 * when HAProxy refuses, and when penstock. The lines stand in a frontend of our own or, for an HAProxy that runs already,
 * in a backend. */
#include "cmd/gateway.h"

#include "cmd/gateway_priv.h"
#include "config/matching.h"
#include "decide/decide.h"
#include "route/named.h"

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
		"    # The agent is asked last, so it is never asked about a request that a rule above has refused.\n"
		"    http-request send-spoe-group penstock penstock-ask if !turned_away\n");
	gateway_add_verdicts(out, config, "the admission agent does not answer");
}

/* With HTTP/1, HAProxy from 3.0 on reads on after an answer of its own. There the filter may answer a client that is
 * still sending, before its body or in the middle of it. */
static void
add_native(struct buf *out, const struct config *config)
{
	gateway_add_verdicts(out, config, "the filter did not answer");
	buf_add_text(out,
		"    # HAProxy before 3.0, and any version with HTTP/2, may lose an answer in a reset if the client is still\n"
		"    # sending. In these cases penstock answers, because it reads on until the client has the answer.\n"
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
	"# No timeout here bounds an upload as a whole: `timeout client` is the longest pause between two bytes of a\n"
	"# client, and `timeout server` the longest wait for penstock, which answers when the whole form is stored.\n"
	"# Never use `option http-buffer-request` or `http-request wait-for-body` here: they keep penstock from seeing\n"
	"# the body while it arrives.\n"
	"\n"
	"global\n"
	"    log stderr format raw local0 info\n"
	"    # How much a client may send with HTTP/2 before it has to wait for HAProxy. With the default of 64 KiB a client\n"
	"    # whose round trip takes 50 ms sends 1.3 MB/s at most.\n"
	"    tune.h2.initial-window-size 1048576\n";

/* filter/README.md has the numbers. */
static const char large_buffers[] =
	"    # HAProxy copies a body that a filter follows, and calls the filter for each buffer. With these larger buffers, of\n"
	"    # which an upload holds up to four, that costs about as much as no filter and the default buffers of 16 KiB.\n"
	"    tune.bufsize 65536\n";

static const char defaults[] =
	"\n"
	"defaults\n"
	"    mode http\n"
	"    log global\n"
	"    # The format of `option httplog`, and behind it the id under which penstock logs the same request.\n"
	"    log-format \"%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %ac/%fc/%bc/%sc/%rc %{+Q}r "
	"request_id=%ID\"\n"
	"    timeout connect 2s\n"
	"    timeout client 60s\n"
	"    timeout http-request 30s\n"
	"    timeout http-keep-alive 75s\n"
	"    timeout queue 30s\n";

static const char part_head[] =
	"# HAProxy's configuration for penstock, beside your own, written by `penstock haproxy --backend` for HAProxy 2.6 and later\n"
	"# Start HAProxy with both, `haproxy -f haproxy.cfg -f penstock.cfg`, and write `use_backend penstock if ...` into your\n"
	"# frontend. Your own rules stand there, too, so they come before those in here; docker/haproxy/README.md has an example.\n";

static const char frontend[] =
	"    # When HAProxy is reloaded, a client may send its next upload just as its idle connection is closed. With this\n"
	"    # option HAProxy keeps the connection for one more request, and closes it with the answer.\n"
	"    option idle-close-on-response\n"
	"    unique-id-format %[uuid()]\n";

static const char identity[] =
	"    # Only this gateway tells penstock who the client is and which route was admitted; a client's own word is removed.\n"
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
	"    # ---- your own rules: this is the place for them, before those of penstock. They should refuse in this way, so\n"
	"    # that the client gets the answer:\n"
	"    # http-request set-var(txn.upload.refuse) int(401) if !{ http_auth(people) }      (401, 403 or 429)\n"
	"    # http-request set-var-fmt(txn.upload.challenge) 'Basic realm=\"uploads\"'\n"
	"    # `http-request auth` and `deny` answer at once, and a client that is still sending may lose that in a reset.\n"
	"    # ---- end of your own rules\n";

/* The route files, for the filter. Their paths are absolute, because HAProxy may be started in another folder. */
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

/* The user's own rules come after the ACLs, which they may use, and before the rules that go by what they have set. */
static void
add_rules(struct buf *out, const struct config *config, const struct gateway_options *options)
{
	gateway_add_acls(out, config);
	buf_add_text(out, identity);
	if (!options->backend)
		buf_add_text(out, own_rules);
	gateway_add_routes(out, config);
	gateway_add_cors(out, config);
	if (options->per_client)
		gateway_add_clients(out, config, &options->peers);
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

/* Says all that the user's own `defaults` could spoil. The user's frontend may have no unique-id-format. */
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

/* What routes go by. One byte more than fits any pattern, so a value that was cut fits none. */
static void
add_named_headers(struct buf *out, const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		for (size_t k = 0; k < config->routes[i].match.headers.n; k++) {
			const char *name = config->routes[i].match.headers.items[k].name;

			if (matching_is_new_header(config, i, k))
				buf_addf(out, " header.%s=req.fhdr(%s),bytes(0,%d) headers.%s=req.fhdr_cnt(%s)",
					name, name, NAMED_VALUE_MAX + 1, name, name);
		}
}

/* `timeout idle` is half of the agent's own, so that HAProxy closes idle connections and not the agent: a question that
 * HAProxy sends while the agent says DISCONNECT would get no answer. */
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
		"    # Without this, HAProxy 2.6 to 3.0 connects in a loop if a head does not fit into a frame.\n"
		"    no option send-frag-payload\n"
		"    # Required up to 3.0, ignored from 3.1 on.\n"
		"    timeout hello 500ms\n"
		"    timeout idle ");
	gateway_add_time(out, config->spoa.idle_ms / 2);
	buf_add_text(out,
		"    # The longest that a request waits for an answer, also while the agent is down and not yet marked as down.\n"
		"    timeout processing 500ms\n"
		"    use-backend penstock-agent\n"
		"    log global\n");
	buf_addf(out,
		"\n"
		"spoe-message penstock-admit\n"
		"    args id=var(txn.upload.request_id) client=src method=method version=req.ver target=url,bytes(0,%d) "
		"host=req.fhdr(host),bytes(0,%d) hosts=req.fhdr_cnt(host) ",
		(int)decide_target_shown(config),
		DECIDE_HOST_MAX + 1); /* one byte more than is taken, so a text that was cut is refused */
	buf_add_text(out,
		"type=req.fhdr(content-type),bytes(0,512) types=req.fhdr_cnt(content-type) "
		"length=req.fhdr(content-length),bytes(0,24) lengths=req.fhdr_cnt(content-length) "
		"coding=req.fhdr(transfer-encoding),bytes(0,64) codings=req.fhdr_cnt(transfer-encoding) "
		"encoding=req.fhdr(content-encoding),bytes(0,64) encodings=req.fhdr_cnt(content-encoding) "
		"expect=req.fhdr(expect),bytes(0,64) expects=req.fhdr_cnt(expect) "
		"origin=req.fhdr(origin),bytes(0,64) origins=req.fhdr_cnt(origin) "
		"asks=req.fhdr(access-control-request-method),bytes(0,64) asked=req.fhdr_cnt(access-control-request-method)");
	add_named_headers(out, config);
	buf_add_text(out,
		"\n"
		"\n"
		"# A rule that follows all others sends this, so it is not sent for every request.\n"
		"spoe-group penstock-ask\n"
		"    messages penstock-admit\n");
}

/* Writes no file if one of them must not be written over. */
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

	if (options->per_client && !gateway_counts_clients(config))
		return error_set(err, ERR_CONFIG,
			"--per-client: no route has limits.per_client.uploads, so there is nothing to count");
	if (mkdir(options->out, 0777) != 0 && errno != EEXIST)
		return error_set(err, ERR_SYSTEM, "%s: %s", options->out, strerror(errno));
	if (options->backend)
		add_penstock_cfg(config, options, &files[0].text);
	else
		add_haproxy_cfg(config, options, &files[0].text);
	if (options->per_client)
		gateway_add_client_tables(&files[0].text, config, &options->peers);
	add_spoe_conf(config, &files[1].text);
	ok = write_all(options, files, is_asking(config, options) ? 2 : 1, err);
	buf_free(&files[0].text);
	buf_free(&files[1].text);
	return ok;
}
