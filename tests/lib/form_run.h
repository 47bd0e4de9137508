// SPDX-License-Identifier: MIT
/* form_run.h - a form through part/ and txn/, in a dry run or with sinks that take everything at once, on the test's own thread.
 *
 * A request has the header X, "text/x", and a query parameter q of which names may be made. */
#ifndef PENSTOCK_TEST_FORM_RUN_H
#define PENSTOCK_TEST_FORM_RUN_H

#include "lib/check.h"
#include "loop/loop.h"
#include "part/parts_priv.h"

#define FORM_RUN_QUERY "/?q=%20"

#define EACH(i, list)                                                                                              \
	size_t i = 0;                                                                                              \
	i < sizeof(list) / sizeof(list)[0];                                                                        \
	i++

struct form_run_at {
	struct loop *loop;
	struct pool *pool; /* 2 MiB */
	struct blocks *blocks;
	struct stage_tools tools;
	bool refuses_to_open; /* the sink */
	const char *query;    /* the target of the request */
	unsigned n_headers;   /* how often X stands in its head */
};

extern struct form_run_at form_run_at;
extern const struct sinks form_run_sinks;

int form_run_set_up(void **state);
int form_run_tear_down(void **state);

/* One route, for every path, of what `route` says, in a file with the destinations d (discard), safe (the same, refuses unsafe names), root (the
 * folder /), h (http) and s (s3). */
struct config *form_run_config(const char *route);

/* "a=1|b@file.txt=2": a value, and a file. Appends the form. */
void form_run_text(const char *parts, struct buf *out);

/* What is looked at while the form's parts are there. */
typedef void form_run_look(const struct parts *parts);

/* The body in pieces of `step` bytes; then the form is committed, or given up, and every chunk must be back. True: it was taken, and
 * is whole; else err says why it is not. */
bool form_run(const struct route *route, struct str body, size_t step, bool is_dry, form_run_look *looked,
	struct error *err);

/* One verdict on a form of a route, however it comes: in pieces of any size, in a dry run too. `limit` and `message`: of the error, or
 * "". */
struct form_run_verdict {
	const char *route, *form;
	enum error_kind kind; /* ERR_NONE: taken */
	const char *limit, *message;
};
void form_run_verdicts(const struct form_run_verdict *rows, size_t n);

void form_run_on_news(void *arg);

#endif
