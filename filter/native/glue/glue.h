// SPDX-License-Identifier: MIT
/* glue.h - what the files on HAProxy's side of core.h share. Only they include HAProxy's headers.
 *
 *   filter.c     its line in the configuration, the version stamp, its registration
 *   stream.c     a stream's life: head, body, end
 *   variables.c  txn.upload.*
 *   answer.c     a refusal of HAProxy's own
 *   bugs.c       a bug of ours: HAProxy's log, and a count
 *
 * Nothing is shared between streams but the core, which is immutable, and what bugs.c counts. There is no must() on this
 * side of core.h: what we are given by HAProxy is input. */
#ifndef PENSTOCK_NATIVE_GLUE_H
#define PENSTOCK_NATIVE_GLUE_H

#include "native/core.h"
#include "native/glue/versions.h"

#include <haproxy/api.h>
#include <haproxy/filters.h>
#include <haproxy/stream.h>

#define PATHS_MAX 64

struct setup {               /* one `filter penstock` line */
	struct proxy *proxy; /* where the line stands */
	struct filter_core *core;
	char *paths[PATHS_MAX];
	size_t n_paths;
	bool fail_open;
};

/* -- stream.c -- */

int stream_attach(struct stream *s, struct filter *filter);
void stream_detach(struct stream *s, struct filter *filter);
int stream_analyze(struct stream *s, struct filter *filter, struct channel *chn, unsigned an_bit);
int stream_headers(struct stream *s, struct filter *filter, struct http_msg *msg);
int stream_payload(struct stream *s, struct filter *filter, struct http_msg *msg, unsigned offset, unsigned len);

/* -- variables.c -- */

/* Sets txn.upload.allow, .status, .reason, .route, .limit, .max_body, .retry_after and .id, as the agent does. One that no rule
 * names is not kept. */
void variables_set(struct stream *s, const struct core_verdict *verdict);

/* Has a rule set txn.upload.pass? Then penstock is to answer. */
int variables_pass(struct stream *s);

/* `proc.upload.bugs`, which `get var` of HAProxy's CLI shows, and every rule and log-format may name. */
void variables_set_bugs(unsigned long long n);

/* -- bugs.c -- */

/* For core_new(): counts a bug, and logs it for the proxy of this `struct setup`. */
void bugs_told(void *setup, const struct core_bug *bug);

/* At start: the count can be asked for before there is a bug. */
void bugs_start(void);

/* -- answer.c -- */

/* Ends the stream with a refusal. Where bytes of an answer have left already it is cut off. `request`: who knows
 * the body of it; NULL: it has none. */
void answer_refuse(struct stream *s, const struct core_verdict *verdict, struct core_request *request);

#endif
