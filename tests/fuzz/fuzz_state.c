// SPDX-License-Identifier: MIT
/* fuzz_state.c - any bytes as what follows the first line of a state file: they are read to their end, nothing outside of
 * them is looked at, and a whole record that is put behind them is found. */
#include "state/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"

static size_t
read_objects(struct str objects)
{
	struct record_object object;
	size_t n = 0;

	while (record_next_object(&objects, &object))
		n += strlen(object.destination) + strlen(object.at) + strlen(object.target) + 1;
	return n;
}

/* All that is there is a text, and what has to be there is. */
static size_t
read_app(const struct record_app *app)
{
	return strlen(app->destination) + strlen(app->route) + strlen(app->request_id) + strlen(app->failed) +
		(app->resolve != NULL ? strlen(app->resolve) : 0) +
		(app->when == RECORD_HELD || app->when == RECORD_COMMITTED);
}

/* Whether the last record is the one of ours. */
static bool
read_all(struct str rest)
{
	enum record_found found;
	struct record record;
	bool is_ours = false;

	while ((found = record_next(&rest, &record)) != RECORD_END) {
		is_ours = found == RECORD_FOUND && record.kind == RECORD_DONE && strcmp(record.id, ID) == 0;
		if (found == RECORD_FOUND && read_objects(record.objects) > record.objects.len)
			abort();
		if (found == RECORD_FOUND && record.has_app && read_app(&record.app) == 0)
			abort();
	}
	return is_ours;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = { 0 };

	buf_add(&text, data, size);
	read_all(buf_str(&text));
	record_write_note(&text, RECORD_DONE, ID);
	if (!read_all(buf_str(&text)))
		abort();
	buf_clear(&text);
	record_write(&text, (struct str){ (const char *)data, size }); /* with a checksum that is right */
	read_all(buf_str(&text));
	buf_free(&text);
	return 0;
}
