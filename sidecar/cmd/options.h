// SPDX-License-Identifier: MIT
/* options.h - the command line: `penstock COMMAND [OPTION...] [ARGUMENT...]`. */
#ifndef PENSTOCK_OPTIONS_H
#define PENSTOCK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_GRANTS_MAX 16
#define OPTIONS_PEERS_MAX 16

enum command {
	COMMAND_RUN,
	COMMAND_CHECK,
	COMMAND_PROBE,
	COMMAND_SCHEMA,
	COMMAND_EXPLAIN,
	COMMAND_SINK,
	COMMAND_TRY,
	COMMAND_HAPROXY,
	COMMAND_HEALTH,
	COMMAND_MAN,
	COMMAND_VERSION,
	COMMAND_HELP,
};

struct command_row {
	const char *name;
	enum command command;
	const char *synopsis;
	size_t least, most;  /* arguments */
	const char *options; /* short names of the options it takes, see long_options */
	const char *
		help; /* sentences, then a line for each option: two blanks, `--option VALUE`, two blanks, sentence */
};

struct options {
	enum command command;
	char **arguments; /* what follows the options; points into argv */
	size_t n_arguments;
	/* explain */
	size_t split; /* feed the body in pieces of so many bytes; 0: all at once */
	bool human;
	const char *grants[OPTIONS_GRANTS_MAX]; /* "NAME=VALUE" */
	size_t n_grants;
	/* sink */
	uint16_t port;
	bool print, discard;
	unsigned status;
	uint64_t delay_ms;
	/* haproxy */
	const char *out, *listen; /* listen: NULL if it is not given */
	bool native, backend, force, per_client;
	const char *peers[OPTIONS_PEERS_MAX]; /* "NAME=HOST:PORT" */
	size_t n_peers;
	/* health */
	bool ready;
	/* schema */
	bool app;
	/* probe */
	bool json;
	uint64_t hold_ms;
	/* run */
	bool take_over;
};

/* False: bad usage; a sentence has been printed on stderr. May reorder argv. */
bool options_read(int argc, char **argv, struct options *options);

/* Prints the help of one command ("explain"), or of all where `command` is NULL, on stdout.
 * False: there is no such command. */
bool options_help(const char *command);

/* The rows of the command table, for the manual page; NULL after the last one. */
const struct command_row *options_row(size_t i);

#endif
