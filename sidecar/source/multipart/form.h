// SPDX-License-Identifier: MIT
/* form.h - body bytes in, part events out (RFC 7578, RFC 2046 section 5.1).
 *
 *                 form_feed()
 *   body bytes ──▶ guard ──canonical stream──▶ MHD_PostProcessor ──callback──▶ on_data
 *                    └── part head read whole ──▶ on_begin      └── (its key is the part's number)
 *                    └── delimiter seen ─────────────────────────────────────▶ on_end
 *
 * The guard (guard.h) finds the true delimiters and reads each part's head itself; libmicrohttpd's
 * post-processor sees only what it cannot misread and delivers the bytes. Events are the same for every
 * way of cutting the body into pieces, except for where one part's bytes are cut into on_data calls.
 *
 * A form belongs to one thread. Pure: no sockets, no clock, no routes.
 *
 *   PREAMBLE ─▶ HEAD ─▶ BODY ─▶ (HEAD | EPILOGUE)        any state ─▶ FAILED
 *   EPILOGUE: the final delimiter and its line end were seen; what follows is read and ignored.
 */
#ifndef PENSTOCK_FORM_H
#define PENSTOCK_FORM_H

#include "base/error.h"
#include "base/str.h"
#include "source/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORM_BOUNDARY_MAX 70   /* RFC 2046 section 5.1.1 */
#define FORM_PREAMBLE_MAX 1024 /* bytes of text before the first delimiter */
#define FORM_HEADERS_MAX 32    /* header lines in one part's head */

/* The boundary parameter of a Content-Type. */
struct boundary {
	char text[FORM_BOUNDARY_MAX + 1];
	size_t len;
};

/* Reads a Content-Type value by the grammar of RFC 9110 section 8.3.1 (token or quoted-string, any
 * parameter order and case). ERR_MEDIA_TYPE: not multipart/form-data, a malformed parameter, an extended one
 * (boundary*), two boundaries, or none of 1 to 70 characters. No allocation. */
bool boundary_read(struct str content_type, struct boundary *out, struct error *err);

struct form_limits {
	uint64_t parts;     /* parts; one more is ERR_TOO_LARGE with limit "parts" */
	uint64_t part_head; /* bytes of one head; more is ERR_TOO_LARGE with limit "part_head" */
};

struct form;

/* Starts a form. NULL: out of memory, or the post-processor could not be made (err says). `events` and
 * `arg` are borrowed for the form's life, `boundary` and `limits` are copied. */
struct form *form_new(const struct boundary *boundary, const struct form_limits *limits,
	const struct source_events *events, void *arg, struct error *err);

/* Takes `len` more bytes of the body, all of them. False: the form is over; `err` holds ERR_MALFORMED or
 * ERR_TOO_LARGE with the byte offset, or ERR_NOMEM, unless an event said stop. Cost is linear in all bytes fed, whatever
 * they are. After false only form_free() may be called. */
bool form_feed(struct form *form, const char *data, size_t len, struct error *err);

/* The body has ended. False: it ended too early (ERR_TRUNCATED with the offset) or never showed its
 * boundary (ERR_MALFORMED). */
bool form_finish(struct form *form, struct error *err);

size_t form_memory(const struct form *form); /* bytes that it holds for heads: the longest so far */
void form_free(struct form *form);           /* NULL is fine */

/* [main] Before the first form_new() and after the last form_free(): the connection that libmicrohttpd
 * wants to see when a post-processor is made (postproc.c says why). */
bool form_setup(struct error *err);
void form_teardown(void);

#endif
