// SPDX-License-Identifier: MIT
/* frame.c - see frame.h. Every reader looks at the length that is left before it looks at a byte. */
#include "spoa/frame.h"

#include <string.h>

#define VARINT_MAX 10 /* bytes of the longest one that means something in 64 bits */
#define BOOL_TRUE 0x10u
#define ACTION_SET_VAR 1u
#define SET_VAR_ARGS 3u

const char *
spop_status_text(unsigned status)
{
	static const char *const texts[] = {
		[SPOP_OK] = "normal",
		[SPOP_IO] = "I/O error",
		[SPOP_TIMEOUT] = "a timeout occurred",
		[SPOP_TOO_BIG] = "frame is too big",
		[SPOP_INVALID] = "invalid frame received",
		[SPOP_NO_VERSION] = "version value not found",
		[SPOP_NO_FRAME_SIZE] = "max-frame-size value not found",
		[SPOP_NO_CAPABILITIES] = "capabilities value not found",
		[SPOP_BAD_VERSION] = "unsupported version",
		[SPOP_BAD_FRAME_SIZE] = "max-frame-size too big or too small",
		[SPOP_FRAGMENTED] = "payload fragmentation is not supported",
		[SPOP_INTERLACED] = "invalid interlaced frames",
		[SPOP_NO_FRAME] = "frame-id not found",
		[SPOP_RESOURCES] = "resource allocation error",
	};

	return status < sizeof texts / sizeof texts[0] ? texts[status] : "unknown error";
}

/* -- reading ------------------------------------------------------------------------------------ */

static bool
take(struct str *rest, size_t n, struct str *out)
{
	if (rest->len < n)
		return false;
	*out = (struct str){ rest->data, n };
	*rest = (struct str){ rest->data + n, rest->len - n };
	return true;
}

static bool
take_byte(struct str *rest, unsigned *byte)
{
	struct str one;

	if (!take(rest, 1, &one))
		return false;
	*byte = (unsigned char)one.data[0];
	return true;
}

uint32_t
spop_read_length(const unsigned char bytes[SPOP_LENGTH_SIZE])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The first byte gives its lower four bits, or all if it is below 240; each further one adds its seven bits shifted
 * (and, since it is added and not or-ed, the bit that says "more follows" counts too). */
bool
spop_read_varint(struct str *rest, uint64_t *value)
{
	unsigned byte, shift = 4;

	if (!take_byte(rest, &byte))
		return false;
	*value = byte;
	if (byte < 0xf0)
		return true;
	for (int n = 1; n < VARINT_MAX; n++, shift += 7) {
		uint64_t more;

		if (!take_byte(rest, &byte))
			return false;
		more = (uint64_t)byte << shift;
		if (more >> shift != byte || *value + more < more)
			return false;
		*value += more;
		if (byte < 0x80)
			return true;
	}
	return false;
}

bool
spop_read_string(struct str *rest, struct str *string)
{
	uint64_t len;

	return spop_read_varint(rest, &len) && len <= rest->len && take(rest, (size_t)len, string);
}

bool
spop_read_value(struct str *rest, struct spop_value *value)
{
	unsigned byte;

	if (!take_byte(rest, &byte))
		return false;
	*value = (struct spop_value){ .type = (enum spop_value_type)(byte & 0xf) };
	switch (value->type) {
	case SPOP_NULL:
		return true;
	case SPOP_BOOL:
		value->truth = (byte & BOOL_TRUE) != 0;
		return true;
	case SPOP_INT32:
	case SPOP_UINT32:
	case SPOP_INT64:
	case SPOP_UINT64:
		return spop_read_varint(rest, &value->number);
	case SPOP_IPV4:
		return take(rest, 4, &value->bytes);
	case SPOP_IPV6:
		return take(rest, 16, &value->bytes);
	case SPOP_STRING:
	case SPOP_BINARY:
		return spop_read_string(rest, &value->bytes);
	}
	return false;
}

bool
spop_read_pair(struct str *rest, struct str *key, struct spop_value *value)
{
	return spop_read_string(rest, key) && spop_read_value(rest, value);
}

bool
spop_read_message(struct str *rest, struct str *name, unsigned *n_args)
{
	return spop_read_string(rest, name) && take_byte(rest, n_args);
}

bool
spop_read_frame(struct str bytes, struct spop_frame *frame)
{
	struct str flags;

	if (!take_byte(&bytes, &frame->type) || !take(&bytes, 4, &flags))
		return false;
	frame->flags = spop_read_length((const unsigned char *)flags.data);
	if (!spop_read_varint(&bytes, &frame->stream_id) || !spop_read_varint(&bytes, &frame->frame_id))
		return false;
	frame->payload = bytes;
	return true;
}

/* -- writing ------------------------------------------------------------------------------------ */

static void
put(struct spop_writer *writer, const void *data, size_t len)
{
	if (writer->failed || writer->cap - writer->len < len) {
		writer->failed = true;
		return;
	}
	if (len > 0)
		memcpy(writer->data + writer->len, data, len);
	writer->len += len;
}

static void
put_byte(struct spop_writer *writer, unsigned byte)
{
	unsigned char c = (unsigned char)byte;

	put(writer, &c, 1);
}

void
spop_write_begin(struct spop_writer *writer, void *data, size_t cap, enum spop_type type, uint64_t stream_id,
	uint64_t frame_id)
{
	static const unsigned char fin[4] = { 0, 0, 0, SPOP_FLAG_FIN }, no_length[SPOP_LENGTH_SIZE];

	*writer = (struct spop_writer){ .data = data, .cap = cap };
	put(writer, no_length, sizeof no_length);
	put_byte(writer, type);
	put(writer, fin, sizeof fin);
	spop_write_varint(writer, stream_id);
	spop_write_varint(writer, frame_id);
}

bool
spop_write_end(struct spop_writer *writer)
{
	size_t len = writer->len - SPOP_LENGTH_SIZE;

	if (writer->failed || len > UINT32_MAX)
		return false;
	writer->data[0] = (unsigned char)(len >> 24);
	writer->data[1] = (unsigned char)(len >> 16);
	writer->data[2] = (unsigned char)(len >> 8);
	writer->data[3] = (unsigned char)len;
	return true;
}

void
spop_write_varint(struct spop_writer *writer, uint64_t value)
{
	if (value < 0xf0) {
		put_byte(writer, (unsigned)value);
		return;
	}
	put_byte(writer, (unsigned)(value & 0xf) | 0xf0);
	for (value = (value - 0xf0) >> 4; value >= 0x80; value = (value - 0x80) >> 7)
		put_byte(writer, (unsigned)(value & 0x7f) | 0x80);
	put_byte(writer, (unsigned)value);
}

void
spop_write_string(struct spop_writer *writer, struct str string)
{
	spop_write_varint(writer, string.len);
	put(writer, string.data, string.len);
}

void
spop_write_bool(struct spop_writer *writer, bool value)
{
	put_byte(writer, SPOP_BOOL | (value ? BOOL_TRUE : 0));
}

void
spop_write_uint32(struct spop_writer *writer, uint32_t value)
{
	put_byte(writer, SPOP_UINT32);
	spop_write_varint(writer, value);
}

void
spop_write_uint64(struct spop_writer *writer, uint64_t value)
{
	put_byte(writer, SPOP_UINT64);
	spop_write_varint(writer, value);
}

void
spop_write_text(struct spop_writer *writer, struct str value)
{
	put_byte(writer, SPOP_STRING);
	spop_write_string(writer, value);
}

void
spop_write_set_var(struct spop_writer *writer, enum spop_scope scope, const char *name)
{
	put_byte(writer, ACTION_SET_VAR);
	put_byte(writer, SET_VAR_ARGS);
	put_byte(writer, scope);
	spop_write_string(writer, str_of(name));
}
