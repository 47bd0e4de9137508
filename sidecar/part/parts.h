// SPDX-License-Identifier: MIT
/* parts.h - all parts of one form: reads the form, asks the rules, counts against the limits, names what is
 * to be stored, and puts each part's bytes on their way (delivery.h).
 *
 *   parts_prepare() ─▶ parts_feed() ─▶ source ─▶ on_begin: rule, name, delivery
 *        │                                       on_data : stages; hold, keep, or chunk ─▶ channel
 *        │                                       on_end  : finish (and commit, with `commit: each`)
 *        └── room and chunks for all that one feed can make, or "wait"
 *
 * `penstock explain` runs this very code with a dry transaction: everything is decided and named, no byte is kept.
 * All on one thread.
 */
#ifndef PENSTOCK_PARTS_H
#define PENSTOCK_PARTS_H

#include "base/error.h"
#include "config/route.h"
#include "part/naming.h"
#include "source/source.h"
#include "stage/facts.h"
#include "stage/tools.h"
#include "txn/txn.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of one part. Strings are as the client sent them, but decoded; absent ones are STR_NONE. */
struct part {
	unsigned number;
	struct str field, filename, type;
	uint64_t size;
	bool is_whole;             /* its end has come, so size and facts are final */
	struct facts facts;        /* what stages have found */
	struct buf value;          /* all of it, of a rule with `forward` or if is_named */
	bool says_digest;          /* of another part, as `verify.field` of a rule has it: its value is kept, too */
	bool is_named;             /* names are made of its value (config/needed.h) */
	const struct rule *rule;   /* NULL: `default: drop` took it */
	enum action action;        /* what becomes of it: an empty file input is dropped */
	struct delivery *delivery; /* NULL: dropped */
	struct part *next;
};

struct parts_setup {
	const struct stage_tools *tools; /* of this thread, opened for the configuration that has the route */
	const struct route *route;
	const struct naming *naming;
	struct txn *txn; /* takes the deliveries; with a dry one everything is named, and no byte is kept */
};

struct parts;

/* `setup` is copied; what it points to is borrowed for the life of the parts. NULL: `err` says why; ERR_BAD_REQUEST if
 * naming_check() or the source refuses the head. */
struct parts *parts_new(const struct parts_setup *setup, struct error *err);

/* To be called before the transaction is freed. NULL is fine. */
void parts_free(struct parts *parts);

enum parts_readiness {
	PARTS_READY,       /* the next `len` bytes may be fed */
	PARTS_WAIT_SPACE,  /* a channel is full: on_news will be called when there is room */
	PARTS_WAIT_CHUNKS, /* the pool is empty: the caller waits for chunks (pool_wait) and asks again */
};

/* To be called before parts_feed(): makes sure of room in the channels and reserves chunks for *len bytes (at most
 * SOURCE_FEED_MAX). If the pool has little, or bytes are held, it lowers *len and reserves for that. The next parts_feed() uses or
 * returns what was reserved. */
enum parts_readiness parts_prepare(struct parts *parts, size_t *len);
size_t parts_wanted(const struct parts *parts); /* after PARTS_WAIT_CHUNKS: how many of them */

/* Is there room in the channels for `len` more bytes (any number)? Arms on_news if not. Reserves nothing. */
bool parts_has_room(struct parts *parts, size_t len);

/* Feeds `len` bytes of body (at most SOURCE_FEED_MAX), after PARTS_READY. False: refused, `err` says why.
 * The error and its offset are the same however the body is cut. */
bool parts_feed(struct parts *parts, const char *data, size_t len, struct error *err);

/* Lets the transfers run with what has been fed. To be called once per piece of body, after the feeds. */
void parts_flush(struct parts *parts);

/* To be called when the body has ended. True: the form is whole, keeps all rules, and no delivery expects more. */
bool parts_finish(struct parts *parts, struct error *err);

/* About how many bytes of the budget would be free again if the form were given up. */
size_t parts_held(const struct parts *parts);

const struct part *parts_first(const struct parts *parts);
size_t parts_count(const struct parts *parts);

#endif
