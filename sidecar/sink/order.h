// SPDX-License-Identifier: MIT
/* order.h - what a part asks of a sink, which carries its bytes away: the interface that uploads.c implements and
 * that `penstock explain` leaves empty.
 *
 * An order describes one object that is to come into being at a destination. The producer owns it, and must not change it from
 * open() until CHANNEL_ENDED (until CHANNEL_UNDONE if it has told CHANNEL_UNDO). It may change only what the transfer does not
 * look at: `digest` before it tells CHANNEL_FINISH, `group`, `entry` and, with KIND_NAMES_LATE, `target` before it tells CHANNEL_COMMIT, and `kept` unless `is_kept`. The transfer writes `outcome` before
 * it reports ENDED or UNDONE, and does not touch the order after that. channel.h has the protocol of the two.
 */
#ifndef PENSTOCK_ORDER_H
#define PENSTOCK_ORDER_H

#include "base/error.h"
#include "channel/blocks.h"
#include "channel/channel.h"
#include "channel/keep.h"
#include "channel/reserve.h"
#include "config/route.h"

#include <stdbool.h>
#include <stdint.h>

#define ORDER_LENGTH_UNKNOWN UINT64_MAX
#define OUTCOME_CHALLENGE_MAX 599 /* bytes of what a 401 asks for */
#define OUTCOME_BODY_MAX 65536    /* bytes of an upstream's answer that are kept where they are wanted */

/* How it ended. */
enum outcome_state {
	OUTCOME_NONE,      /* not yet */
	OUTCOME_COMMITTED, /* the object is there */
	OUTCOME_ABORTED,   /* it is not there and never will be */
	OUTCOME_UNKNOWN,   /* completion was sent, but no answer came: it may be there */
	OUTCOME_UNDONE,    /* it was there and has been taken back */
};

struct outcome {
	enum outcome_state state;
	struct error error;      /* why it is not COMMITTED; ERR_NONE after COMMITTED and a plain cancel */
	struct error undo_error; /* why an undo failed (state stays COMMITTED) */
	unsigned status;         /* HTTP status of the upstream, 0: none came */
	unsigned retry_after_s;  /* what a refusal of it asks to wait; 0: nothing */
	struct buf
		challenge; /* ERR_UPSTREAM_REFUSED by a 401: its WWW-Authenticate; `failed`: none; producer frees */
	char location[512]; /* the upstream's Location, or ""; never longer than fits */
	const char
		*version; /* of the committed object, as its store says it, until CHANNEL_CLOSE; NULL or "": none */
	char type[128];   /* Content-Type of the upstream's answer, or "" */
	struct buf
		body; /* its body, only if want_body; `failed`: none, it was too long or encoded; producer frees */
};

struct sink;        /* sink/sink.h */
struct state_entry; /* state/state.h */
struct table;       /* route/table.h */

/* A header line of an object. */
struct order_line {
	const char *name, *value;
	const char *shown; /* to be shown instead of the value, which may be a secret; NULL: the value */
};

struct order {
	const struct destination *to;
	struct table *table;      /* of `to`; a transfer that needs it for longer than the order acquires it */
	enum store_method method; /* http only */
	const char *
		target; /* escaped; http: begins with '/'; directory: relative, no empty or dot segment; NULL: not known
			     * yet (KIND_NAMES_LATE) */
	const char *type; /* Content-Type to send, or NULL */
	const struct order_line *
		lines; /* KIND_METADATA: what else the object says of itself, metadata and disposition; KIND_LINES: what goes with it */
	size_t n_lines;
	bool says_digest; /* KIND_LINES: `digest` goes with it, ... */
	const char *
		digest; /* ... the value of a Content-Digest: if is_kept from the start, else known when its bytes have ended */
	unsigned link_s;     /* KIND_LINKS: how long a link to it is to live; 0: none is wanted */
	const char *link_as; /* the Content-Disposition that such a link gives; NULL: the object's own */
	const void *form;    /* the same for all orders of one form; compared, never followed */
	struct reserve *
		reserve; /* of the form, for what its kind says by form_memory (config/kind.h); NULL: none. A transfer that
				   * needs it for longer than the order acquires it */
	const char *request_id;  /* sent as X-Request-Id */
	const char *traceparent; /* passed on, or NULL */
	const char *client;      /* sent as X-Forwarded-For, or NULL */
	bool want_body;          /* of the upstream's answer */
	uint64_t length;         /* known before the start, or ORDER_LENGTH_UNKNOWN: chunked */
	uint64_t largest; /* bytes that it can have at most, or LIMIT_NONE; memory_largest() of config/memory.h */
	bool is_kept;     /* the bytes are `kept`, length is known, nothing comes through the channel's ring */
	struct kept kept; /* if is_kept; else the producer's alone */
	struct order_group *group; /* only where the kind is local; NULL: it becomes visible by itself */
	/* Likewise: what the journal of commits tells of the form; NULL: nothing. */
	struct state_entry *entry;
	unsigned slots; /* of the channel's ring, in chunks */
	size_t unit;    /* bytes that come at once, and should be sent at once */
	struct outcome outcome;
	/* KIND_UPLOADS: set by the transfer before it reports PREPARED, and valid until CHANNEL_CLOSE: the upload that the commit
	 * completes, as it stands in a query. NULL: there is none. */
	const char *upload;
	/* set by open() */
	struct channel *channel;
	const struct sink *sink; /* that carries it out */
	void *transfer;          /* the sink's own */
};

/* Orders for one place (a folder) that become visible together or not at all, even if the process dies meanwhile. The producer
 * makes it before it tells the first of them to commit, tells all of them in one go, and keeps it until all have ENDED. */
struct order_group {
	struct order_group *next; /* the producer's */
	bool is_settled;          /* the consumer's: the first to be told has settled the fate of all */
	size_t n;
	struct order *orders[];
};

/* A link by which anybody who has it gets the object. So it is a secret: it is for the client whose object it is, and never for a
 * log. */
struct order_link {
	struct buf url;
	int64_t expires_s; /* when it ends: seconds since 1970, by this machine's clock */
};

struct app_answer; /* sink/question.h */
struct asking;
struct question;

/* All sinks, as the orders of one worker's requests reach them. */
struct sinks {
	void *arg;

	/* [producer] Bytes of memory that a transfer for this order holds at the least beside its chunks until it has ended. They
	 * are the producer's to charge before a transfer that streams; what it comes to hold beyond that it charges
	 * itself. Transfers of kept bytes are not charged: only a few are under way at once (PLAN_WINDOW). */
	size_t (*cost)(void *arg, const struct order *order);

	/* [producer] Makes the transfer and the channel to it, nothing else; it begins with CHANNEL_START.
	 * False: nothing was made, err says why. Before START the producer may drop it by telling
	 * CHANNEL_CANCEL and waiting for ENDED like at any other time. */
	bool (*open)(void *arg, struct order *order, const struct channel_side *producer, struct error *err);

	/* [producer] Chunks were pushed: lets the transfer send, at once where it lives on this thread (the
	 * transfer's callbacks run before this returns; news are only queued), else by CHANNEL_DATA.
	 * Cheap if the transfer is busy. */
	void (*pump)(void *arg, struct order *order);

	/* [producer] Of an order with `link_s` that ENDED as COMMITTED, before CLOSE: a link that lives from now on, for link_s or as
	 * long as the keys do that sign it. It never waits. `link` is zeroed, and its url the caller's to free after either
	 * result. False: there can be none now, err says why. */
	bool (*link)(void *arg, const struct order *order, struct order_link *link, struct error *err);

	/* [producer] Asks an application (question.h). on_answer comes once, and later; then the asking is gone. NULL: out of memory,
	 * or of the budget, and on_answer does not come. */
	struct asking *(*ask)(void *arg, const struct question *question,
		void (*on_answer)(void *arg, struct app_answer *answer), void *whose);

	/* [producer] The answer is not wanted any more: on_answer does not come. */
	void (*ask_stop)(void *arg, struct asking *asking);

	/* [producer] What still goes on here for orders that have ended must be over soon: the process is ending. */
	void (*cut)(void *arg);
};

#endif
