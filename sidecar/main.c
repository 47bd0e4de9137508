// SPDX-License-Identifier: MIT
/* main.c - command line -> configuration -> the command; exit codes, also of output that could not be written; nothing
 * else. */
#include "cmd/explain.h"
#include "cmd/gateway.h"
#include "cmd/healthcheck.h"
#include "cmd/man.h"
#include "cmd/options.h"
#include "cmd/probe_report.h"
#include "cmd/try.h"
#include "config/load.h"
#include "config/memory.h"
#include "daemon/sidecar.h"
#include "intake/listener.h"
#include "intake/sink.h"
#include "intake/worker.h"
#include "sink/sinks.h"
#include "sink/upload.h"
#include "source/multipart/form.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

enum { EXIT_GOOD = 0, EXIT_RUNTIME = 1, EXIT_USAGE = 2 };

static int
fail(const struct error *err, int code)
{
	fprintf(stderr, "penstock: %s\n", err->message);
	return code;
}

/* Takes the configuration over. */
static int
serve(struct config *config, char *const *paths, size_t n_paths)
{
	struct error err = { 0 };

	log_setup(config->log_level, config->log_format);
	return sidecar_run(config, paths, n_paths, &err) ? EXIT_GOOD : fail(&err, EXIT_RUNTIME);
}

/* Prints what was found, all of it. */
static void
print_findings(const struct findings *findings)
{
	if (findings->text.len > 0)
		fwrite(findings->text.data, 1, findings->text.len, stderr);
}

static int
run(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load(options->arguments, options->n_arguments, &findings);
	int code = EXIT_USAGE;

	print_findings(&findings);
	findings_free(&findings);
	if (options->take_over)
		listeners_take_over();
	log_to(STDOUT_FILENO); /* it is what this command says; what keeps it from running is said on stderr */
	if (config != NULL)
		code = serve(config, options->arguments, options->n_arguments);
	return code;
}

static void
tell_memory(const struct config *config)
{
	struct buf out = { 0 };

	memory_tell(config, &out);
	if (!out.failed && out.len > 0)
		fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

static int
check(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load(options->arguments, options->n_arguments, &findings);

	if (config != NULL)
		findings.warnings += sinks_check(config, &findings.text);
	print_findings(&findings);
	if (config != NULL)
		tell_memory(config);
	if (config != NULL)
		printf("good: %zu route%s, %zu destination%s, %u warning%s\n", config->n_routes,
			PLURAL(config->n_routes), config->n_destinations, PLURAL(config->n_destinations),
			findings.warnings, PLURAL(findings.warnings));
	else
		fprintf(stderr, "%u error%s, %u warning%s\n", findings.errors, PLURAL(findings.errors),
			findings.warnings, PLURAL(findings.warnings));
	config_free(config);
	findings_free(&findings);
	return config != NULL ? EXIT_GOOD : EXIT_USAGE;
}

static int
probe(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load(options->arguments, options->n_arguments, &findings);
	struct probe_report_options how = { .json = options->json, .hold_ms = options->hold_ms };
	struct error err = { 0 };
	bool good = false;
	int code = EXIT_USAGE;

	print_findings(&findings);
	if (config != NULL && !probe_report(config, &how, &good, &err))
		code = fail(&err, EXIT_RUNTIME);
	else if (config != NULL)
		code = good ? EXIT_GOOD : EXIT_RUNTIME;
	config_free(config);
	findings_free(&findings);
	return code;
}

/* All of it, and frees it; finish_output() sees whether that went well. */
static int
print(struct buf *out)
{
	bool ok = !out->failed;

	if (ok)
		fwrite(out->data, 1, out->len, stdout);
	else
		fputs("penstock: out of memory\n", stderr);
	buf_free(out);
	return ok ? EXIT_GOOD : EXIT_RUNTIME;
}

static int
schema(void)
{
	struct buf out = { 0 };

	config_schema(&out);
	return print(&out);
}

static int
explain(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load(options->arguments, 1, &findings);
	struct explain_options how = { .split = options->split, .human = options->human };
	struct error err = { 0 };
	int code = EXIT_USAGE;

	if (config == NULL)
		print_findings(&findings);
	else
		code = explain_run(config, options->arguments[1], &how, &err) ? EXIT_GOOD
									      : fail(&err, EXIT_RUNTIME);
	config_free(config);
	findings_free(&findings);
	return code;
}

static int
sink(const struct options *options)
{
	struct sink_options how = {
		.port = options->port,
		.print_body = options->print,
		.discard = options->discard,
		.status = options->status,
		.delay_ms = options->delay_ms,
	};
	struct error err = { 0 };

	return sink_run(&how, &err) ? EXIT_GOOD : fail(&err, EXIT_RUNTIME);
}

static int
try(const struct options *options)
{
	struct findings findings = { 0 };
	struct error err = { 0 };
	struct config *config = try_config(options->arguments[0], &findings, &err);
	int code = EXIT_USAGE;

	if (config != NULL)
		code = serve(config, NULL, 0);
	else if (error_is_set(&err))
		code = fail(&err, EXIT_RUNTIME);
	else
		print_findings(&findings);
	findings_free(&findings);
	return code;
}

static int
haproxy(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load_routes(options->arguments, options->n_arguments, &findings);
	struct gateway_options how = { .out = options->out,
		.listen = options->listen != NULL ? options->listen : "127.0.0.1:8080",
		.native = options->native,
		.backend = options->backend,
		.force = options->force };
	struct error err = { 0 };
	int code = EXIT_USAGE;

	print_findings(&findings);
	if (config != NULL)
		code = gateway_write(config, &how, &err) ? EXIT_GOOD : fail(&err, EXIT_RUNTIME);
	if (code == EXIT_GOOD)
		printf(options->backend ? "written: haproxy -f YOURS -f %s/penstock.cfg\n"
					: "written: haproxy -f %s/haproxy.cfg\n",
			options->out);
	config_free(config);
	findings_free(&findings);
	return code;
}

static int
ask_running(const struct config *config, bool ready)
{
	struct buf answer = { 0 };
	struct error err = { 0 };
	enum healthcheck_result result = healthcheck(&config->admin, ready ? "/readyz" : "/livez", &answer, &err);

	if (result == HEALTHCHECK_NOBODY)
		fail(&err, EXIT_RUNTIME);
	else if (answer.len > 0)
		fwrite(answer.data, 1, answer.len, result == HEALTHCHECK_GOOD ? stdout : stderr);
	buf_free(&answer);
	return result == HEALTHCHECK_GOOD ? EXIT_GOOD : EXIT_RUNTIME;
}

/* The secrets of destinations are not looked at: a health check may run without them. */
static int
health(const struct options *options)
{
	static char usual[] = "/etc/penstock";
	char *const usual_paths[] = { usual };
	struct findings findings = { 0 };
	bool is_given = options->n_arguments > 0;
	struct config *config = config_load_routes(
		is_given ? options->arguments : usual_paths, is_given ? options->n_arguments : 1, &findings);
	int code = EXIT_USAGE;

	if (config == NULL)
		print_findings(&findings);
	else if (config->admin.n_listen == 0)
		fputs("penstock: nobody to ask: the route files have no admin: { listen: [...] }\n", stderr);
	else
		code = ask_running(config, options->ready);
	config_free(config);
	findings_free(&findings);
	return code;
}

static int
man(const struct options *options)
{
	struct buf out = { 0 };

	if (!man_page(&out, options->arguments[0])) {
		fprintf(stderr, "penstock: there is no manual page %s\n", options->arguments[0]);
		return EXIT_USAGE;
	}
	return print(&out);
}

static int
version(void)
{
	printf("penstock %s\n", PENSTOCK_VERSION);
	printf("libmicrohttpd %s\n%s\nlibyaml %s\n", intake_library_version(), upload_library_version(),
		config_library_version());
	printf("jansson %s\n%s\n", jansson_version_str(), OpenSSL_version(OPENSSL_VERSION));
	return EXIT_GOOD;
}

static int
help(const struct options *options)
{
	const char *command = options->n_arguments > 0 ? options->arguments[0] : NULL;

	if (options_help(command))
		return EXIT_GOOD;
	fprintf(stderr, "penstock: unknown command %s\n", command);
	return EXIT_USAGE;
}

static int
dispatch(const struct options *options)
{
	switch (options->command) {
	case COMMAND_RUN:
		return run(options);
	case COMMAND_CHECK:
		return check(options);
	case COMMAND_PROBE:
		return probe(options);
	case COMMAND_SCHEMA:
		return schema();
	case COMMAND_EXPLAIN:
		return explain(options);
	case COMMAND_SINK:
		return sink(options);
	case COMMAND_TRY:
		return try(options);
	case COMMAND_HAPROXY:
		return haproxy(options);
	case COMMAND_HEALTH:
		return health(options);
	case COMMAND_MAN:
		return man(options);
	case COMMAND_VERSION:
		return version();
	case COMMAND_HELP:
		break;
	}
	return help(options);
}

/* What could not be written is no success, whichever command it was. */
static int
finish_output(int code)
{
	bool is_written = fflush(stdout) == 0;

	if (is_written && ferror(stdout) == 0)
		return code;
	fputs("penstock: the output could not be written\n", stderr);
	return code != EXIT_GOOD ? code : EXIT_RUNTIME;
}

int
main(int argc, char **argv)
{
	struct options options;

	if (!options_read(argc, argv, &options))
		return EXIT_USAGE;
	return finish_output(dispatch(&options));
}
