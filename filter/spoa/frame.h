// SPDX-License-Identifier: MIT
/* frame.h - the Stream Processing Offload Protocol 2.0 (HAProxy, doc/SPOE.txt section 3), bytes to values and
 * back. Pure: no sockets, no allocation, no state of its own; any thread.
 *
 *   frame    length:4 type:1 flags:4 stream-id:varint frame-id:varint payload
 *   HELLO    (string, typed)*                        NOTIFY   (string, nb-args:1, (string, typed)*)*
 *   ACK      (action:1, nb-args:1, typed*)*          DISCONNECT (string, typed)*
 *
 * Readers take bytes off the front of a view. They return false if that cannot be done: the bytes end too early, a varint has
 * more than ten bytes or over 64 bits, the type of a value is unknown. The view must not be used after that. Views that
 * come out borrow from the input. Writers append to a frame of bounded size; one that does not fit marks it failed,
 * and spop_write_end() says so.
 */
#ifndef PENSTOCK_SPOA_FRAME_H
#define PENSTOCK_SPOA_FRAME_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOP_LENGTH_SIZE 4 /* bytes of a frame's length, which does not count itself; big endian */
#define SPOP_FRAME_MIN 256 /* what every peer can take (max-frame-size) */
#define SPOP_FRAME_LEAST 7 /* type, flags, two varints of one byte */
#define SPOP_FLAG_FIN 1u   /* the last (for us: the only) fragment */
#define SPOP_FLAG_ABORT 2u

enum spop_type {
	SPOP_UNSET = 0, /* the rest of a fragmented frame */
	SPOP_HAPROXY_HELLO = 1,
	SPOP_HAPROXY_DISCONNECT = 2,
	SPOP_NOTIFY = 3,
	SPOP_AGENT_HELLO = 101,
	SPOP_AGENT_DISCONNECT = 102,
	SPOP_ACK = 103,
};

/* Why a connection is closed (status-code of a DISCONNECT). */
enum spop_status {
	SPOP_OK = 0,
	SPOP_IO = 1,
	SPOP_TIMEOUT = 2,
	SPOP_TOO_BIG = 3,
	SPOP_INVALID = 4,
	SPOP_NO_VERSION = 5,
	SPOP_NO_FRAME_SIZE = 6,
	SPOP_NO_CAPABILITIES = 7,
	SPOP_BAD_VERSION = 8,
	SPOP_BAD_FRAME_SIZE = 9,
	SPOP_FRAGMENTED = 10,
	SPOP_INTERLACED = 11,
	SPOP_NO_FRAME = 12,
	SPOP_RESOURCES = 13,
	SPOP_UNKNOWN = 99,
};

/* A sentence for the peer's log; "unknown error" for a number that is none of these. */
const char *spop_status_text(unsigned status);

enum spop_value_type {
	SPOP_NULL = 0,
	SPOP_BOOL = 1,
	SPOP_INT32 = 2,
	SPOP_UINT32 = 3,
	SPOP_INT64 = 4,
	SPOP_UINT64 = 5,
	SPOP_IPV4 = 6,
	SPOP_IPV6 = 7,
	SPOP_STRING = 8,
	SPOP_BINARY = 9,
};

struct spop_value {
	enum spop_value_type type;
	bool truth;       /* SPOP_BOOL */
	uint64_t number;  /* the four integers; negative ones as two's complement */
	struct str bytes; /* SPOP_STRING, SPOP_BINARY; the 4 or 16 bytes of an address */
};

struct spop_frame {
	unsigned type; /* enum spop_type, or a number of which the peer alone knows what it means */
	uint32_t flags;
	uint64_t stream_id, frame_id;
	struct str payload;
};

/* -- reading ------------------------------------------------------------------------------------ */

uint32_t spop_read_length(const unsigned char bytes[SPOP_LENGTH_SIZE]);

/* A whole frame without its length. */
bool spop_read_frame(struct str bytes, struct spop_frame *frame);

bool spop_read_varint(struct str *rest, uint64_t *value);
bool spop_read_string(struct str *rest, struct str *string); /* varint length, bytes */
bool spop_read_value(struct str *rest, struct spop_value *value);

/* One pair of a KV-LIST. False also at the end: ask for rest->len before. */
bool spop_read_pair(struct str *rest, struct str *key, struct spop_value *value);

/* One message of a NOTIFY: its name, and how many pairs follow that spop_read_pair() takes. */
bool spop_read_message(struct str *rest, struct str *name, unsigned *n_args);

/* -- writing ------------------------------------------------------------------------------------ */

enum spop_scope { SPOP_PROCESS = 0, SPOP_SESSION = 1, SPOP_TRANSACTION = 2, SPOP_REQUEST = 3, SPOP_RESPONSE = 4 };

struct spop_writer {
	unsigned char *data; /* the caller's, `cap` bytes */
	size_t len, cap;
	bool failed; /* it did not fit */
};

/* Begins a frame of at most `cap` bytes with its length (FIN is set). */
void spop_write_begin(struct spop_writer *writer, void *data, size_t cap, enum spop_type type, uint64_t stream_id,
	uint64_t frame_id);
/* Fills in the length. False: it did not fit; nothing of it may be sent. */
bool spop_write_end(struct spop_writer *writer);

void spop_write_varint(struct spop_writer *writer, uint64_t value);
void spop_write_string(struct spop_writer *writer, struct str string);
/* Values with their type, as they stand behind a key or in an action. */
void spop_write_bool(struct spop_writer *writer, bool value);
void spop_write_uint32(struct spop_writer *writer, uint32_t value);
void spop_write_uint64(struct spop_writer *writer, uint64_t value);
void spop_write_text(struct spop_writer *writer, struct str value);
/* The head of an action `set-var`; exactly one value must follow. */
void spop_write_set_var(struct spop_writer *writer, enum spop_scope scope, const char *name);

#endif
