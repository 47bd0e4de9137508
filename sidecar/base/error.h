// SPDX-License-Identifier: MIT
/* error.h - what went wrong, as a kind (for programs) and a sentence (for people).
 *
 * The place that knows writes the sentence; callers prepend theirs with error_wrap(). The first error
 * wins: error_set() on an error that is already set does nothing, so the cause is never overwritten by
 * its consequences. A zeroed struct error is "no error".
 *
 * reply/ holds the only switch from a kind to an HTTP status.
 */
#ifndef PENSTOCK_ERROR_H
#define PENSTOCK_ERROR_H

#include <stdbool.h>
#include <stdint.h>

enum error_kind {
	ERR_NONE = 0,
	/* the request's head */
	ERR_BAD_REQUEST,     /* 400 the head cannot be understood, or can be understood in two ways */
	ERR_UNAUTHORIZED,    /* 401 the gateway wants to know who sends it */
	ERR_FORBIDDEN,       /* 403 the gateway says no */
	ERR_NO_ROUTE,        /* 404 */
	ERR_METHOD,          /* 405 there is a route for the path, but not for the method */
	ERR_LENGTH_REQUIRED, /* 411 */
	ERR_HEADERS,         /* 431 what is to be passed on of it is too long; limit says which */
	ERR_MEDIA_TYPE,      /* 415 not multipart/form-data, or encoded */
	ERR_EXPECTATION,     /* 417 an Expect other than 100-continue */
	ERR_TOO_MANY,        /* 429 over limits.concurrent, or the gateway's limit; Retry-After */
	/* the form */
	ERR_MALFORMED, /* 400 malformed or ambiguous form; offset says where */
	ERR_TRUNCATED, /* 400 the body ended before the form did */
	ERR_TOO_LARGE, /* 413 over a limit; limit says which */
	ERR_RULE,      /* 422 a field rule says no */
	ERR_EXISTS,    /* 409 the name exists already */
	/* the application's */
	ERR_REFUSED, /* it has answered by a refusal, which is the client's answer as it is */
	/* the client's side */
	ERR_CLIENT_SLOW, /* 408 idle or over its total time */
	ERR_CLIENT_GONE, /* nobody is left to answer; logged as 499 */
	/* our side */
	ERR_BUSY,     /* 503 over the memory budget or out of descriptors; Retry-After */
	ERR_DRAINING, /* 503 shutting down; Retry-After */
	ERR_NOMEM,    /* 503 malloc failed */
	ERR_INTERNAL, /* 500 a library refused what it should not */
	/* the destination's side */
	ERR_UPSTREAM,         /* 502 refused, reset, or answered with an error */
	ERR_UPSTREAM_TIMEOUT, /* 504 */
	ERR_UPSTREAM_FULL,    /* 507 no room left where the bytes should go */
	ERR_UPSTREAM_REFUSED, /* its answer's status, which is the client's, too: `status` */
	/* start-up and command line */
	ERR_CONFIG, /* the route file or the command line is wrong */
	ERR_SYSTEM, /* a system call failed at start-up */
};

#define ERROR_KINDS (ERR_SYSTEM + 1)
#define ERROR_NO_OFFSET UINT64_MAX

struct error {
	enum error_kind kind;
	unsigned status;   /* ERR_UPSTREAM_REFUSED alone, else 0 */
	uint64_t offset;   /* byte of the request's body, ERROR_NO_OFFSET where none fits */
	char limit[32];    /* key of the limit that was passed ("max_size"), or "" */
	char field[128];   /* field name that it concerns, or ""; bytes as they came, cut to fit */
	char message[240]; /* one sentence, no full stop at the end */
};

/* [any] Sets kind and sentence unless `err` holds an error already. `err` may be NULL. Always returns
 * false, so that `return error_set(...)` reads as "fail with". */
bool error_set(struct error *err, enum error_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

bool error_nomem(struct error *err); /* [any] ERR_NOMEM, with the one sentence that there is for it */

/* [any] ERR_BUSY: the budget has "no memory left WHAT_FOR", and whoever tries again later may find some; its limit is `memory`. Always
 * false. */
bool error_no_room(struct error *err, const char *what_for);

/* [any] The key of the limit that was passed, of an error that was set just now; cut to fit. */
void error_name_limit(struct error *err, const char *limit);

/* [any] Prepends "prefix: " to the sentence of an error that is set. Always returns false. */
bool error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* [any] True if `err` holds an error. */
bool error_is_set(const struct error *err);

/* [any] Copies `from` into `to` unless `to` holds an error already (the first one wins). */
void error_keep_first(struct error *to, const struct error *from);

/* [any] A stable lower-case word for logs and problem types: "too-large", "malformed", ... */
const char *error_kind_name(enum error_kind kind);

#endif
