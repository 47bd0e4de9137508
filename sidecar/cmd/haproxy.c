// SPDX-License-Identifier: MIT
/* haproxy.c - `penstock haproxy`. */
#include "cmd/commands.h"

#include "cmd/gateway.h"
#include "config/load.h"

#include <stdio.h>

static bool
read_peers(const struct options *options, struct gateway_options *how, struct error *err)
{
	for (size_t i = 0; i < options->n_peers; i++)
		if (!gateway_read_peer(options->peers[i], &how->peers, err))
			return false;
	if (options->n_peers > 0 && !options->per_client)
		return error_set(
			err, ERR_CONFIG, "--peer: what peers tell each other is counted with --per-client alone");
	return options->n_peers != 1 || error_set(err, ERR_CONFIG, "--peer: name all HAProxies, this one too");
}

int
command_haproxy(const struct options *options)
{
	struct findings findings = { 0 };
	struct config *config = config_load_routes(options->arguments, options->n_arguments, &findings);
	struct gateway_options how = { .out = options->out,
		.listen = options->listen != NULL ? options->listen : "127.0.0.1:8080",
		.native = options->native,
		.backend = options->backend,
		.force = options->force,
		.per_client = options->per_client };
	struct error err = { 0 };
	int code = EXIT_USAGE;

	command_print_findings(&findings);
	if (!read_peers(options, &how, &err))
		command_fail(&err, EXIT_USAGE);
	else if (config != NULL)
		code = gateway_write(config, &how, &err) ? EXIT_GOOD : command_fail(&err, EXIT_RUNTIME);
	if (code == EXIT_GOOD)
		printf(options->backend ? "written: haproxy -f YOURS -f %s/penstock.cfg\n"
					: "written: haproxy -f %s/haproxy.cfg\n",
			options->out);
	config_free(config);
	findings_free(&findings);
	return code;
}
