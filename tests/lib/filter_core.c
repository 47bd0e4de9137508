// SPDX-License-Identifier: MIT
/* filter_core.c - see filter_core.h. */
#include "lib/filter_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST                                                                                                      \
	"version: 1\nroutes:\n"                                                                                    \
	"  - { id: album, match: { path: \"/album/*\", method: [POST, PUT] }, limits: { body: 300B, parts: 2, "    \
	"part_head: 256B }, " FIELDS " }\n"
#define SECOND                                                                                                                     \
	"version: 1\nstate: /nowhere\ndestinations: { d: { type: discard }, app: { type: http, url: \"http://app\" } }\nroutes:\n" \
	"  - { id: told, match: { path: \"/told\" }, fields: [ { name: photo, store: { to: d, key: \"{uuid}\" } } ], "             \
	"app: { to: app, sign: none, failed: { path: /failed } } }\n"                                                              \
	"  - { id: open, match: { path: \"/open\" }, limits: { body: none }, " FIELDS " }\n"                                       \
	"  - { id: raw, match: { path: \"/raw\", method: PUT }, limits: { body: 300B }, body: { raw: a }, " FIELDS                 \
	" }\n"                                                                                                                     \
	"  - { id: sized, match: { path: \"/sized\" }, limits: { length: required }, " FIELDS " }\n"                               \
	"  - { id: page, match: { path: \"/page\" }, cors: { origins: https://a.example, credentials: true }, " FIELDS             \
	" }\n"

static char folder[] = "/tmp/penstock-core-XXXXXX";
static char paths[3][sizeof folder + 16];

static int
write_file(size_t i, const char *name, const char *text)
{
	FILE *file;
	int failed;

	snprintf(paths[i], sizeof paths[i], "%s/%s", folder, name);
	file = fopen(paths[i], "w");
	if (file == NULL)
		return -1;
	failed = fputs(text, file) < 0;
	return fclose(file) == 0 && !failed ? 0 : -1;
}

void
filter_core_write(const char *name, const char *text)
{
	if (write_file(2, name, text) != 0)
		abort();
}

int
filter_core_start(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	return write_file(0, "a.yaml", FIRST) == 0 ? write_file(1, "b.yaml", SECOND) : -1;
}

int
filter_core_stop(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		unlink(paths[i]);
	return rmdir(folder);
}

struct filter_core *
filter_core_read(size_t n, const struct core_manner *manner, char **problems)
{
	char *const names[] = { paths[0], paths[1], paths[2] };

	return core_new(names, n, manner, problems);
}

struct filter_core *
filter_core_make(const struct core_manner *manner)
{
	char *problems;
	struct filter_core *core = filter_core_read(2, manner, &problems);

	if (core == NULL) {
		fprintf(stderr, "%s", problems != NULL ? problems : "out of memory\n");
		free(problems);
	}
	return core;
}

static bool
nth_header(const void *arg, const char *name, size_t name_len, size_t nth, const char **value, size_t *len)
{
	const char *line = arg;

	for (; *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t colon = strcspn(line, ":");

		if (colon != name_len || memcmp(line, name, name_len) != 0 || nth-- > 0)
			continue;
		*value = line + colon + 1;
		*len = strcspn(*value, "\n");
		return true;
	}
	return false;
}

struct core_head
filter_core_head(const char *method, const char *target, const char *headers)
{
	return (struct core_head){ .method = method,
		.method_len = strlen(method),
		.target = target,
		.target_len = strlen(target),
		.version = "HTTP/1.1",
		.version_len = 8,
		.id = "id-1",
		.id_len = 4,
		.header = nth_header,
		.arg = headers };
}

struct core_request *
filter_core_admitted(const struct filter_core *core)
{
	struct core_head head = filter_core_head("POST", "/album/1", H FORM TE);
	struct core_request *request = core_request_new(core);

	if (request == NULL || !core_decide(request, &head)->allow)
		abort();
	return request;
}
