// SPDX-License-Identifier: MIT
/* core.h - what the filter inside HAProxy knows of penstock: plain C types only, because HAProxy's headers and ours
 * use the same names for different things. glue/ is on HAProxy's side of it, core.c on ours.
 *
 * A filter core is immutable and may be asked by any thread; a core_request belongs to one stream:
 *
 *   NEW ──core_decide()──▶ REFUSED
 *    │               └────▶ FOLLOWED ──core_feed()──▶ REFUSED         core_stop(): FOLLOWED ──▶ LEFT_ALONE
 *    └──── fault ─────────────┴──────▶ REFUSED or, under `fail open`, LEFT_ALONE
 *
 * A fault is one that the request has not caused: memory runs out, or a must() of ours fails in any of these functions (a bug).
 * Neither ever ends the process: the request is refused (503, 500), or let alone. */
#ifndef PENSTOCK_NATIVE_CORE_H
#define PENSTOCK_NATIVE_CORE_H

#include <stdbool.h>
#include <stddef.h>

struct filter_core;
struct core_request;

/* A promise of ours that was broken, and where. The texts live for ever. */
struct core_bug {
	const char *cond, *file;
	int line;
};

/* What becomes of requests at a fault, and who is told of bugs. */
struct core_manner {
	bool fail_open; /* they are let alone; else they are refused */
	/* Called on the thread that met the bug, from within any function below. NULL: nobody is told. */
	void (*on_bug)(void *arg, const struct core_bug *bug);
	void *arg;
};

/* Reads the route files. NULL: *problems is all that is wrong with them, to be freed by the caller (NULL there too: out
 * of memory). What is only a warning is the sidecar's to say. A bug is a problem too. */
struct filter_core *core_new(char *const *paths, size_t n, const struct core_manner *manner, char **problems);
void core_free(struct filter_core *core); /* NULL is fine */

/* A request's head. Nothing is NUL-terminated. */
struct core_head {
	const char *method, *target, *version, *id; /* id: of the request, for the answer; cut to 128 bytes */
	size_t method_len, target_len, version_len, id_len;
	/* Value of the n-th header line of this name, from 0. False: there is none. */
	bool (*header)(
		const void *arg, const char *name, size_t name_len, size_t nth, const char **value, size_t *len);
	const void *arg;
};

/* What an answer says to the page of another origin that has sent the request (`cors` of a route). */
struct core_page {
	bool varies;                 /* by Origin; else none of this is said, and the texts may be NULL */
	const char *origin, *expose; /* Access-Control-Allow-Origin, -Expose-Headers; "": is not said */
	bool credentials;            /* Access-Control-Allow-Credentials: true */
};

/* Texts live as long as the request. */
struct core_verdict {
	bool allow;
	bool is_fault;               /* a fault kept it from being judged to its end */
	unsigned status;             /* 200, or what the client is to be told */
	const char *title;           /* the reason phrase of that status */
	const char *reason;          /* a sentence, "" if allowed */
	const char *route;           /* its id, "" if none is known */
	const char *limit;           /* of a refusal: the key of the limit that was passed, "" for none */
	const char *allow_methods;   /* with 405: value of Allow; "" else */
	const char *id;              /* of the request, as given; "" for none */
	unsigned long long max_body; /* bytes, if has_max_body */
	bool has_max_body;
	unsigned retry_after;  /* seconds, or 0 */
	struct core_page page; /* of a refusal */
};

/* NULL: out of memory; then core_without_memory() is the verdict. */
struct core_request *core_request_new(const struct filter_core *core);
void core_request_free(struct core_request *request); /* NULL is fine */

const struct core_verdict *core_without_memory(const struct filter_core *core);

/* Once: decides on the head, as the sidecar will. */
const struct core_verdict *core_decide(struct core_request *request, const struct core_head *head);

/* The last verdict; NULL: none yet. */
const struct core_verdict *core_verdict(const struct core_request *request);

/* Must the bytes of its body be fed? */
bool core_follows(const struct core_request *request);

/* Takes the next bytes of the body of a request that is followed. NULL: they may pass, and the next ones may be fed, also if it is
 * not followed any more. Else the verdict that ends the request; then no more may be fed. */
const struct core_verdict *core_feed(struct core_request *request, const char *data, size_t len);

/* Ends the following: whatever is fed from now on passes. */
void core_stop(struct core_request *request);

/* The problem+json (RFC 9457) of a refusal, which lives as long as the request. *len is 0: it cannot be had. */
const char *core_problem(struct core_request *request, size_t *len);

#endif
