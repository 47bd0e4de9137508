// SPDX-License-Identifier: MIT
/* request.h - one request as the filter judges it: its head, its body, and the text of a refusal. What HAProxy's side
 * sees of it is core.h, and core.c is the only one that calls this, behind a fence: must() may fail in here.
 * Pure but for memory; one thread. */
#ifndef PENSTOCK_NATIVE_REQUEST_H
#define PENSTOCK_NATIVE_REQUEST_H

#include "config/route.h"
#include "native/core.h"
#include "native/scan.h"
#include "route/cors.h"

enum request_state { REQUEST_NEW, REQUEST_REFUSED, REQUEST_FOLLOWED, REQUEST_LEFT_ALONE };

struct filter_core {
	struct config *config;
	struct core_manner manner;
};

struct core_request {
	const struct filter_core *core;
	const struct route *route;
	enum request_state state;
	bool is_broken;   /* a must() failed: nothing but request_fini() may be called for it any more */
	struct scan scan; /* from FOLLOWED on */
	bool has_scan;
	struct error error;
	struct buf allow_methods, problem;
	char id[129];
	char origin[CORS_ORIGIN_MAX +
		1]; /* what `page` says of it, for the head is gone when the body is refused */
	struct core_page page;
	struct core_verdict verdict; /* unless NEW */
};

/* The verdict on a request for which there is no memory: let in under `fail open`, else refused. */
const struct core_verdict *request_without_memory(const struct filter_core *core);

/* To be called after a must() has failed for this request. If it was refused it stays so. Else it is LEFT_ALONE under `fail open`,
 * and let in if there was no verdict yet; without `fail open` it is REFUSED with 500. */
void request_give_up(struct core_request *request);

/* Frees what was allocated for the request, not the request itself. */
void request_fini(struct core_request *request);

/* NEW becomes REFUSED or FOLLOWED, or LEFT_ALONE where memory runs out under `fail open`. */
void request_decide(struct core_request *request, const struct core_head *from);

/* FOLLOWED stays so, or becomes REFUSED, or LEFT_ALONE where memory runs out under `fail open`. */
void request_feed(struct core_request *request, const char *data, size_t len);

/* FOLLOWED becomes LEFT_ALONE; others stay what they are. */
void request_stop(struct core_request *request);

/* Of one that is REFUSED: writes its problem+json into `problem`, which has failed if memory ran out. */
void request_problem(struct core_request *request);

#endif
