// SPDX-License-Identifier: MIT
/* options.c - see options.h. One row per command says what it takes; getopt_long() reads the options. */
#include "cmd/options.h"

#include "base/str.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct command_row commands[] = {
	{ "run", COMMAND_RUN, "[--take-over] FILE...|DIR", 1, SIZE_MAX, "ht",
		"Serve uploads as the route files say, until SIGTERM. Where somebody listens already it does not start.\n"
		"  --take-over  start beside the penstock of the same user that listens on these addresses, to replace it: end\n"
		"               that one when this one is ready; until then TCP connections go to both\n" },
	{ "check", COMMAND_CHECK, "FILE...|DIR", 1, SIZE_MAX, "h",
		"Report every problem of the route files; exit 2 if there is an error.\n" },
	{ "probe", COMMAND_PROBE, "[--json] [--hold D] FILE...|DIR", 1, SIZE_MAX, "hjH",
		"Try every destination of the route files: can it be reached, and does it take what will be sent?\n"
		"What is put there is small, has a name that begins with .penstock-probe-, and is removed again.\n"
		"Exit 1 if something that the route files rely on is not kept.\n"
		"  --json    JSON instead of a table\n"
		"  --hold D  try also whether a store bears a body that is silent for so long, such as 30s;\n"
		"            without it that is not tried\n" },
	{ "schema", COMMAND_SCHEMA, "[--app]", 0, 0, "ha",
		"Print the JSON Schema of a route file.\n"
		"  --app  of what an application gets of a form (app of a route)\n" },
	{ "explain", COMMAND_EXPLAIN, "[--split N] [--human] [--grant NAME=VALUE]... ROUTES REQUEST", 2, 2, "hsug",
		"Take one raw HTTP/1.1 request (head and body as on the wire) through routes, rules and names,\n"
		"without a network and without storing anything, and print what would become of it as JSON.\n"
		"What follows the request in the file is not looked at: it would be the next one.\n"
		"REQUEST may be - for standard input. This makes one with curl, which gives up as nobody answers:\n"
		"  nc -l 127.0.0.1 9999 >request &\n"
		"  curl -m 2 -F file=@photo.jpg http://127.0.0.1:9999/upload\n"
		"  --grant NAME=VALUE  what the application that is asked (authorize) would grant; up to 16 times\n"
		"  --split N   feed the body in pieces of N bytes (default: all at once)\n"
		"  --human     a table to read instead of JSON\n" },
	{ "sink", COMMAND_SINK, "[--port N] [--print|--discard] [--status N] [--delay D]", 0, 0, "hpPDSd",
		"Take any request on 127.0.0.1, print method, path, headers, size and SHA-256, answer 200.\n"
		"  --port N    port (default 9000; 0: any)\n"
		"  --print     print bodies too\n"
		"  --discard   print nothing per request\n"
		"  --status N  answer with this status\n"
		"  --delay D   wait before the answer: 500ms, 2s\n" },
	{ "try", COMMAND_TRY, "DIR|URL|s3://BUCKET", 1, 1, "h",
		"Serve on 127.0.0.1:8081 and store every file field of any form in DIR, PUT each below URL, or make\n"
		"an object of it in BUCKET, as AWS_ENDPOINT_URL_S3, AWS_REGION and the keys of the environment say.\n"
		"Prints the route file that it runs with, ready to be saved.\n" },
	{ "haproxy", COMMAND_HAPROXY,
		"--out DIR [--listen ADDR|--backend] [--native] [--per-client [--peer NAME=HOST:PORT]...] [--force] FILE...|DIR",
		1, SIZE_MAX, "holnbfce",
		"Write DIR/haproxy.cfg (and DIR/penstock.spoe.conf) for these route files, complete:\n"
		"`haproxy -f DIR/haproxy.cfg` serves as it stands, and asks the agent of `spoa`.\n"
		"  --out DIR      folder for the files; made if it is not there\n"
		"  --listen ADDR  where HAProxy listens (default 127.0.0.1:8080)\n"
		"  --backend      for an HAProxy that is there already: DIR/penstock.cfg with the backends alone\n"
		"  --native       for an HAProxy with the filter inside, instead of the agent\n"
		"  --per-client   HAProxy counts limits.per_client.uploads, over all penstocks behind it\n"
		"  --peer NAME=HOST:PORT  with it: an HAProxy that counts the same clients; name all of them, up to 16, and start\n"
		"                 each with its own name (haproxy -L NAME)\n"
		"  --force        write also over a file that somebody has edited\n" },
	{ "health", COMMAND_HEALTH, "[--ready] [FILE...|DIR]", 0, SIZE_MAX, "hr",
		"Ask the admin listener of the penstock that runs with these route files (default /etc/penstock)\n"
		"whether it is alive; exit 0 or 1 with a sentence, within two seconds.\n"
		"  --ready     whether it takes uploads, too: not draining, memory left, destinations reachable\n" },
	{ "man", COMMAND_MAN, "1|5", 1, 1, "h",
		"Print a manual page, penstock(1) or penstock.yaml(5): `penstock man 5 | man -l -`.\n" },
	{ "version", COMMAND_VERSION, "", 0, 0, "h",
		"Print the version, and those of the libraries it runs with.\n" },
	{ "help", COMMAND_HELP, "[COMMAND]", 0, 1, "h", "Print this, or the help of one command.\n" },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "split", required_argument, NULL, 's' },
	{ "human", no_argument, NULL, 'u' },
	{ "grant", required_argument, NULL, 'g' },
	{ "port", required_argument, NULL, 'p' },
	{ "print", no_argument, NULL, 'P' },
	{ "discard", no_argument, NULL, 'D' },
	{ "status", required_argument, NULL, 'S' },
	{ "delay", required_argument, NULL, 'd' },
	{ "out", required_argument, NULL, 'o' },
	{ "listen", required_argument, NULL, 'l' },
	{ "native", no_argument, NULL, 'n' },
	{ "backend", no_argument, NULL, 'b' },
	{ "force", no_argument, NULL, 'f' },
	{ "per-client", no_argument, NULL, 'c' },
	{ "peer", required_argument, NULL, 'e' },
	{ "ready", no_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' },
	{ "hold", required_argument, NULL, 'H' },
	{ "take-over", no_argument, NULL, 't' },
	{ "app", no_argument, NULL, 'a' },
	{ NULL, 0, NULL, 0 },
};

static bool
usage(const char *what, const char *which)
{
	fprintf(stderr, "penstock: %s%s%s\nTry 'penstock help'.\n", what, which != NULL ? " " : "",
		which != NULL ? which : "");
	return false;
}

static bool
missing(size_t row)
{
	fprintf(stderr, "penstock: usage: penstock %s %s\nTry 'penstock help %s'.\n", commands[row].name,
		commands[row].synopsis, commands[row].name);
	return false;
}

static size_t
find_command(const char *name)
{
	size_t i = 0;

	while (i < N_COMMANDS && strcmp(commands[i].name, name) != 0)
		i++;
	return i;
}

const struct command_row *
options_row(size_t i)
{
	return i < N_COMMANDS ? &commands[i] : NULL;
}

bool
options_help(const char *command)
{
	size_t only = command != NULL ? find_command(command) : 0;

	if (only == N_COMMANDS)
		return false;
	if (command == NULL)
		printf("penstock streams the fields of multipart/form-data uploads to where YAML routes say.\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (command == NULL || i == only)
			printf("penstock %s %s\n%s\n", commands[i].name, commands[i].synopsis, commands[i].help);
	printf("Exit status: 0 good, 1 failed while running, 2 bad usage or bad configuration.\n");
	return true;
}

static bool
number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	return str_to_u64(str_of(text), out) && *out >= least && *out <= most;
}

/* "500ms", "2s", or plain seconds. */
static bool
delay(const char *text, uint64_t *out_ms)
{
	struct str s = str_of(text);
	uint64_t unit = 1000;

	if (s.len > 2 && strcmp(text + s.len - 2, "ms") == 0) {
		unit = 1;
		s.len -= 2;
	} else if (s.len > 1 && text[s.len - 1] == 's') {
		s.len--;
	}
	if (!str_to_u64(s, out_ms) || *out_ms > 86400000 / unit)
		return false;
	*out_ms *= unit;
	return true;
}

/* False: the value is not one that this option takes. */
static bool
take_option(struct options *options, int option, const char *value)
{
	uint64_t n = 0;
	bool ok = true;

	switch (option) {
	case 's':
		ok = number(value, 1, SIZE_MAX / 2, &n);
		options->split = (size_t)n;
		break;
	case 'u':
		options->human = true;
		break;
	case 'g':
		ok = options->n_grants < OPTIONS_GRANTS_MAX;
		if (ok)
			options->grants[options->n_grants++] = value;
		break;
	case 'p':
		ok = number(value, 0, 65535, &n);
		options->port = (uint16_t)n;
		break;
	case 'P':
		options->print = true;
		break;
	case 'D':
		options->discard = true;
		break;
	case 'S':
		ok = number(value, 200, 599, &n);
		options->status = (unsigned)n;
		break;
	case 'd':
		ok = delay(value, &options->delay_ms);
		break;
	case 'o':
		options->out = value;
		break;
	case 'l':
		ok = *value != '\0' && !str_has_control(str_of(value)); /* it goes into a line of a file */
		options->listen = value;
		break;
	case 'n':
		options->native = true;
		break;
	case 'b':
		options->backend = true;
		break;
	case 'f':
		options->force = true;
		break;
	case 'c':
		options->per_client = true;
		break;
	case 'e':
		ok = options->n_peers < OPTIONS_PEERS_MAX && !str_has_control(str_of(value));
		if (ok)
			options->peers[options->n_peers++] = value;
		break;
	case 'r':
		options->ready = true;
		break;
	case 'j':
		options->json = true;
		break;
	case 'H':
		ok = delay(value, &options->hold_ms) && options->hold_ms > 0;
		break;
	case 't':
		options->take_over = true;
		break;
	case 'a':
		options->app = true;
		break;
	default:
		ok = false;
		break;
	}
	return ok;
}

static const char *
long_name(int option)
{
	for (size_t i = 0; long_options[i].name != NULL; i++)
		if (long_options[i].val == option)
			return long_options[i].name;
	return "?";
}

static bool
is_long(int option)
{
	return strcmp(long_name(option), "?") != 0;
}

/* Says why what getopt_long(3) gave is no option of this command: it is '?', ':', or an option of another command. */
static bool
refuse_option(int option, char **argv)
{
	const char *word = argv[optind - 1];
	const char letter[] = { '-', (char)optopt, '\0' };
	char name[32];

	if (option == ':')
		return usage("this option needs a value:", word);
	if (option != '?') {
		snprintf(name, sizeof name, "--%s", long_name(option));
		return usage("unknown option", name);
	}
	if (optopt == 0)
		return usage("unknown option", word);
	if (is_long(optopt) && strchr(word, '=') != NULL)
		return usage("this option takes no value:", word);
	return usage("unknown option", letter);
}

/* Reads the options of command row `row`. 'h' wins over everything: the command becomes help. */
static bool
read_options(int argc, char **argv, size_t row, struct options *options)
{
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == ':' || option == '?' || strchr(commands[row].options, option) == NULL)
			return refuse_option(option, argv);
		if (option == 'h') {
			options->command = COMMAND_HELP;
			options->arguments = argv; /* argv[0] is the command's name here, or --help */
			options->n_arguments = argv[0][0] != '-';
			return true;
		}
		if (!take_option(options, option, optarg)) {
			fprintf(stderr, "penstock: --%s cannot be \"%s\"\n", long_name(option), optarg);
			return false;
		}
	}
	options->arguments = argv + optind;
	options->n_arguments = (size_t)(argc - optind);
	if (options->n_arguments < commands[row].least)
		return missing(row);
	if (options->n_arguments > commands[row].most)
		return usage("too many arguments for", commands[row].name);
	if (options->command == COMMAND_HAPROXY && options->out == NULL)
		return usage("haproxy needs --out DIR", NULL);
	if (options->backend && options->listen != NULL)
		return usage("--listen and --backend exclude each other", NULL);
	if (options->print && options->discard)
		return usage("--print and --discard exclude each other", NULL);
	return true;
}

bool
options_read(int argc, char **argv, struct options *options)
{
	size_t row;

	*options = (struct options){ .port = 9000 };
	if (argc < 2)
		return usage("a command is missing", NULL);
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		row = find_command("help");
	else if (strcmp(argv[1], "--version") == 0)
		row = find_command("version");
	else
		row = find_command(argv[1]);
	if (row == N_COMMANDS)
		return usage("unknown command", argv[1]);
	options->command = commands[row].command;
	return read_options(argc - 1, argv + 1, row, options);
}
