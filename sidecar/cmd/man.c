// SPDX-License-Identifier: MIT
/* man.c - see man.h. Writes Markdown from the command table, which config/manual.h makes into a page. */
#include "cmd/man.h"

#include "cmd/options.h"
#include "config/load.h"
#include "config/manual.h"

#include <string.h>

static const char description[] =
	"## Description\n"
	"penstock is a sidecar that takes `multipart/form-data` uploads and streams every field, while it arrives, to where "
	"a YAML route says it belongs: a folder, a bucket (S3), or an HTTP store. It spools no file to a disk, and nothing becomes "
	"visible downstream until the whole form is known to be good. It stands behind a gateway such as HAProxy, which "
	"brings TLS and HTTP/2. Route files are described in `penstock.yaml`(5).\n";

static const char rest[] =
	"## Exit status\n"
	"| status | |\n|---|---|\n"
	"| 0 | Good. |\n"
	"| 1 | Failed while running. |\n"
	"| 2 | Bad usage or bad configuration. |\n\n"
	"## Signals\n"
	"| signal | |\n|---|---|\n"
	"| `SIGTERM`, `SIGINT` | `penstock run` is not ready for `shutdown.delay` and then takes nothing new, finishes what runs for at most `shutdown.drain`, and ends. A "
	"second one gives up what still runs. |\n"
	"| `SIGHUP` | It reads the route files again. If they have errors it says so, and keeps what is in force. |\n\n"
	"## Environment\n"
	"| variable | |\n|---|---|\n"
	"| `NOTIFY_SOCKET`, `WATCHDOG_USEC` | Set by systemd: `penstock run` tells it when it is ready, reloading, stopping and "
	"alive. |\n"
	"| `AWS_ACCESS_KEY_ID` and others of Amazon's SDKs | Keys of a bucket whose destination has no `credentials`. For "
	"`penstock try s3://BUCKET` also `AWS_ENDPOINT_URL_S3` and `AWS_REGION`. |\n"
	"| `MAGIC` | Databases of libmagic, for `types.detected`, `{detected.ext}` and `content_type: detected`; without it those of the system. |\n"
	"| any other | Where a route file says `{ env: NAME }`. |\n\n"
	"## Files\n"
	"| file | |\n|---|---|\n"
	"| `/etc/penstock/` | The route files that the service reads, in name order. |\n"
	"| `" PENSTOCK_SHARE "/routes.minimal.yaml` | The shortest route file that runs. |\n"
	"| `" PENSTOCK_SHARE "/routes.example.yaml` | A route file with every key. |\n"
	"| `" PENSTOCK_SHARE "/routes.schema.json` | JSON Schema of a route file, for editors. |\n\n"
	"## Examples\n"
	"Store every file field of any form in a folder, and print the route file for it:\n"
	"```\npenstock try ./uploads\ncurl -F file=@photo.jpg http://127.0.0.1:8081/\n```\n\n"
	"Check the route files, then have the service read them:\n"
	"```\npenstock check /etc/penstock && systemctl reload penstock\n```\n"
	"## See also\n"
	"`penstock.yaml`(5), `haproxy`(1), `systemctl`(1)\n";

/* Where the option that begins at `line` ends: the lines that go on with what it does are indented deeper. */
static const char *
add_option(struct buf *out, const char *line)
{
	const char *end = strchr(line, '\n'), *gap = memmem(line, (size_t)(end - line), "  ", 2);
	size_t name = (size_t)((gap != NULL ? gap : end) - line);

	buf_addf(out, "| `%.*s` |", (int)name, line);
	for (line += name;; line = end + 1, end = strchr(line, '\n')) {
		buf_add_char(out, ' ');
		buf_add_str(out, str_trim((struct str){ line, (size_t)(end - line) }));
		if (strncmp(end, "\n   ", 4) != 0)
			break;
	}
	buf_add_text(out, " |\n");
	return end;
}

/* Lines of commands stand between fences. */
static void
fence(struct buf *out, bool *open, bool is_code)
{
	if (*open != is_code)
		buf_add_text(out, "```\n");
	*open = is_code;
}

/* The sentences of the help and its examples (indented), then a table of its options. */
static void
add_help(struct buf *out, const char *help)
{
	bool table = false, code = false;

	for (const char *end; (end = strchr(help, '\n')) != NULL; help = end + 1) {
		bool option = strncmp(help, "  --", 4) == 0, is_code = !option && strncmp(help, "  ", 2) == 0;

		fence(out, &code, is_code);
		if (is_code)
			help += 2;
		if (option && !table)
			buf_add_text(out, "\n| option | |\n|---|---|\n");
		table = table || option;
		if (option)
			end = add_option(out, help + 2);
		else
			buf_addf(out, "%.*s\n", (int)(end - help), help);
	}
	fence(out, &code, false);
	buf_add_char(out, '\n');
}

static void
add_synopsis(struct buf *out)
{
	buf_add_text(out, "## Synopsis\n`penstock` COMMAND [OPTION...] [ARGUMENT...]\n\n");
}

static void
add_commands(struct buf *out)
{
	buf_add_text(out, "## Commands\n");
	for (size_t i = 0; options_row(i) != NULL; i++) {
		buf_addf(out, "### penstock %s %s\n", options_row(i)->name, options_row(i)->synopsis);
		add_help(out, options_row(i)->help);
	}
	buf_add_text(out, "Every command takes `--help`.\n\n");
}

static void
add_program(struct buf *out)
{
	struct buf text = { 0 };

	add_synopsis(&text);
	buf_add_text(&text, description);
	add_commands(&text);
	buf_add_text(&text, rest);
	manual_begin(out, "penstock", 1, "streams the fields of multipart uploads to where they belong");
	manual_add(out, buf_str(&text));
	out->failed = out->failed || text.failed;
	buf_free(&text);
}

bool
man_page(struct buf *out, const char *section)
{
	if (strcmp(section, "1") == 0)
		add_program(out);
	else if (strcmp(section, "5") == 0)
		config_manual(out);
	else
		return false;
	return true;
}
