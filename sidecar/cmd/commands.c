// SPDX-License-Identifier: MIT
/* commands.c - what all commands share, and those of a few lines. */
#include "cmd/commands.h"

#include "cmd/man.h"
#include "config/load.h"
#include "http/sink_server.h"
#include "http/worker.h"
#include "reply/app_form.h"
#include "sink/upload.h"
#include "stage/detector.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>

int
command_fail(const struct error *err, int code)
{
	fprintf(stderr, "penstock: %s\n", err->message);
	return code;
}

void
command_print_findings(const struct findings *findings)
{
	if (findings->text.len > 0)
		fwrite(findings->text.data, 1, findings->text.len, stderr);
}

int
command_print(struct buf *out)
{
	bool ok = !out->failed;

	if (ok)
		fwrite(out->data, 1, out->len, stdout);
	else
		fputs("penstock: out of memory\n", stderr);
	buf_free(out);
	return ok ? EXIT_GOOD : EXIT_RUNTIME;
}

int
command_schema(const struct options *options)
{
	struct buf out = { 0 };

	if (options->app)
		app_form_schema(&out);
	else
		config_schema(&out);
	return command_print(&out);
}

int
command_sink(const struct options *options)
{
	struct sink_options how = {
		.port = options->port,
		.print_body = options->print,
		.discard = options->discard,
		.status = options->status,
		.delay_ms = options->delay_ms,
	};
	struct error err = { 0 };

	return sink_run(&how, &err) ? EXIT_GOOD : command_fail(&err, EXIT_RUNTIME);
}

int
command_man(const struct options *options)
{
	struct buf out = { 0 };

	if (!man_page(&out, options->arguments[0])) {
		fprintf(stderr, "penstock: there is no manual page %s\n", options->arguments[0]);
		return EXIT_USAGE;
	}
	return command_print(&out);
}

int
command_version(void)
{
	int magic = detector_library_version();

	printf("penstock %s\n", PENSTOCK_VERSION);
	printf("libmicrohttpd %s\n%s\nlibyaml %s\nlibmagic %d.%d\n", worker_library_version(),
		upload_library_version(), config_library_version(), magic / 100, magic % 100);
	printf("jansson %s\n%s\n", jansson_version_str(), OpenSSL_version(OPENSSL_VERSION));
	return EXIT_GOOD;
}

int
command_help(const struct options *options)
{
	const char *command = options->n_arguments > 0 ? options->arguments[0] : NULL;

	if (options_help(command))
		return EXIT_GOOD;
	fprintf(stderr, "penstock: unknown command %s\n", command);
	return EXIT_USAGE;
}
