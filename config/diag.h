// SPDX-License-Identifier: MIT
/* diag.h - collects what is wrong with route files and prints it in the order of file and line.
 *
 *   config/routes.yaml:14:7: error: unknown key "max_byts" in a field rule; did you mean "max_size"?
 *       14 |       max_byts: 10MiB
 *          |       ^~~~~~~~
 *
 * A problem may be followed by notes that cite other places. Sentences have no full stop. Control bytes
 * and bytes that are not UTF-8 never reach the terminal: they are shown as \xNN and U+FFFD.
 */
#ifndef PENSTOCK_DIAG_H
#define PENSTOCK_DIAG_H

#include "base/str.h"

/* A file as it was read. Its loader owns it (struct loading), and it must outlive every spot in it. */
struct source {
	char *name; /* as messages show it */
	char *text; /* without a byte order mark */
	size_t len;
	unsigned order; /* among all files of one run, in the order read */
};

/* A stretch of one line. */
struct spot {
	const struct source *source; /* NULL: no file is meant */
	unsigned line, column;       /* from 1, in characters; line 0: the file as a whole */
	unsigned width; /* characters to underline; 0: the line is not shown, because a secret stands there */
};

/* Of the character at that byte. */
struct spot diag_spot(const struct source *source, size_t offset);

struct problem;

/* Zeroed is empty. */
struct diag {
	struct problem *problems;
	size_t n, cap;
	unsigned errors, warnings;
	bool nomem; /* an allocation failed: whatever was read is not whole */
};

void diag_error(struct diag *d, struct spot spot, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_warn(struct diag *d, struct spot spot, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same of a sentence that was put together, which is freed. If memory ran out for it, that is remembered instead. */
void diag_error_take(struct diag *d, struct spot spot, struct buf *sentence);
void diag_warn_take(struct diag *d, struct spot spot, struct buf *sentence);

/* A second place that belongs to the problem added last. */
void diag_note(struct diag *d, struct spot spot, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Remembers that memory ran out. Always returns false, so that `return diag_nomem(d)` means "fail". */
bool diag_nomem(struct diag *d);

/* All problems as text, in the order of file and line. */
#define PROBLEMS_SHOWN 500
void diag_print(struct diag *d, struct buf *out);

void diag_fini(struct diag *d);

/* For "%.*s" of text from a file: what is shown of it, at most 60 bytes and no cut character. */
int diag_cut(struct str s);
#define SHOWN(s) diag_cut(s), (s).data != NULL ? (s).data : ""

#endif
