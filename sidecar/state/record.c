// SPDX-License-Identifier: MIT
/* record.c - see record.h. */
#include "state/record.h"

#include <string.h>

#define HEAD 18 /* "LLLLLLLL CCCCCCCC " */
#define HEX 8

/* CRC-32 as in ISO 3309, four bits at a time. */
static uint32_t
crc_of(struct str s)
{
	static const uint32_t nibbles[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190,
		0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0,
		0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < s.len; i++) {
		crc ^= (unsigned char)s.data[i];
		crc = (crc >> 4) ^ nibbles[crc & 15];
		crc = (crc >> 4) ^ nibbles[crc & 15];
	}
	return ~crc;
}

/* -- writing ------------------------------------------------------------------------------------------ */

static void
add_field(struct buf *payload, const char *field)
{
	buf_add(payload, field, strlen(field) + 1);
}

static void
add_app(struct buf *payload, const struct record_app *app)
{
	add_field(payload, app->destination);
	add_field(payload, app->route);
	add_field(payload, app->request_id);
	buf_add_char(payload, app->when);
	add_field(payload, "");
	add_field(payload, app->failed);
	add_field(payload, app->resolve != NULL ? app->resolve : "");
}

void
record_begin(struct buf *payload, const char *id, const struct record_app *app)
{
	buf_clear(payload);
	add_field(payload, app != NULL ? "J" : "I");
	add_field(payload, id);
	if (app != NULL)
		add_app(payload, app);
}

void
record_add(struct buf *payload, const struct record_object *object)
{
	add_field(payload, object->destination);
	add_field(payload, object->at);
	add_field(payload, object->target);
	buf_add_char(payload, object->back);
	add_field(payload, object->upload != NULL ? object->upload : "");
}

void
record_write(struct buf *out, struct str payload)
{
	buf_addf(out, "%08zx %08x ", payload.len, crc_of(payload));
	buf_add_str(out, payload);
	buf_add_char(out, '\n');
}

void
record_write_note(struct buf *out, enum record_kind kind, const char *id)
{
	char payload[2 + UUID_SIZE] = { (char)kind };

	memcpy(payload + 2, id, UUID_SIZE);
	record_write(out, (struct str){ payload, sizeof payload });
}

/* -- reading ------------------------------------------------------------------------------------------ */

/* The field that begins at *p, which is moved behind it. NULL: there is none. */
static const char *
next_field(struct str *rest)
{
	const char *field = rest->data, *nul = rest->len > 0 ? memchr(field, '\0', rest->len) : NULL;

	if (nul == NULL)
		return NULL;
	rest->len -= (size_t)(nul + 1 - field);
	rest->data = nul + 1;
	return field;
}

bool
record_next_object(struct str *objects, struct record_object *object)
{
	const char *back;

	object->destination = next_field(objects);
	object->at = next_field(objects);
	object->target = next_field(objects);
	back = next_field(objects);
	object->back = back != NULL ? *back : '\0';
	object->upload = object->back != '\0' && back[1] != '\0' ? back + 1 : NULL;
	return back != NULL;
}

static bool
read_hex(const char *p, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < HEX; i++) {
		int digit = str_hex_value(p[i]);

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint32_t)digit;
	}
	return true;
}

/* The payload of the record that begins there. False: none does. */
static bool
read_payload(struct str rest, struct str *payload)
{
	uint32_t len, crc;

	if (rest.len < HEAD || !read_hex(rest.data, &len) || !read_hex(rest.data + HEX + 1, &crc) ||
		rest.data[HEX] != ' ' || rest.data[HEAD - 1] != ' ' || len >= rest.len - HEAD ||
		rest.data[HEAD + len] != '\n')
		return false;
	*payload = (struct str){ rest.data + HEAD, len };
	return crc_of(*payload) == crc;
}

static bool
read_app(struct str *rest, struct record_app *app)
{
	const char *when;

	app->destination = next_field(rest);
	app->route = next_field(rest);
	app->request_id = next_field(rest);
	when = next_field(rest);
	app->failed = next_field(rest);
	app->resolve = next_field(rest);
	if (app->resolve == NULL || strlen(when) != 1 || strchr("hc", *when) == NULL)
		return false;
	app->when = *when;
	if (*app->resolve == '\0')
		app->resolve = NULL;
	return true;
}

bool
record_read(struct str payload, struct record *record)
{
	const char *kind = next_field(&payload);

	if (kind == NULL || strlen(kind) != 1 || strchr("IJAFGTD", *kind) == NULL)
		return false;
	*record = (struct record){ .kind = *kind == 'J' ? RECORD_INTENT : (enum record_kind) * kind,
		.id = next_field(&payload),
		.has_app = *kind == 'J' };
	if (record->has_app && !read_app(&payload, &record->app))
		return false;
	record->objects = payload;
	return record->id != NULL && strlen(record->id) < UUID_SIZE;
}

/* To where the next record begins, or to the end of all. */
static void
skip_to_record(struct str *rest)
{
	struct str payload;

	do
		*rest = (struct str){ rest->data + 1, rest->len - 1 };
	while (rest->len > 0 && !read_payload(*rest, &payload));
}

enum record_found
record_next(struct str *rest, struct record *record)
{
	struct str payload;

	if (rest->len == 0)
		return RECORD_END;
	if (read_payload(*rest, &payload)) {
		size_t len = HEAD + payload.len + 1;

		*rest = (struct str){ rest->data + len, rest->len - len };
		return record_read(payload, record) ? RECORD_FOUND : RECORD_TORN;
	}
	skip_to_record(rest);
	return RECORD_TORN;
}
