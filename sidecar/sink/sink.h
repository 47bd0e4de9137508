// SPDX-License-Identifier: MIT
/* sink.h - the running half of a kind of destination, which takes the bytes of its orders away. config/kind.h has the half that a
 * route file knows. Each sink is one constant, NAME_sink, for the line of sinks.def.
 *
 *   a route table:  open ─▶ (look, is_good)* ─▶ close     other rooms call these for all sinks at once: sinks.h
 *   an order:       cost ─▶ begin ─▶ pump*                other rooms call these through struct sinks: order.h
 */
#ifndef PENSTOCK_SINK_H
#define PENSTOCK_SINK_H

#include "route/table.h"
#include "sink/engine.h"
#include "sink/exchange.h"
#include "sink/order.h"

struct destination_kind;
struct disk;
struct survey;
struct would;

/* What a sink may run on. */
struct sink_place {
	struct engine *engine; /* of the worker that was chosen for the order */
	struct pool *pool;
	struct disk *disk;
};

#define RELIC_VERSION_MAX 1024 /* bytes */

/* What the answer to a question about a relic means. */
enum relic_said {
	RELIC_REMOVED, /* it was there, and has been removed */
	RELIC_ABSENT,  /* it is not there */
	RELIC_ASK_ON,  /* not over: take_back() is to be called again at once, for one more request */
	RELIC_REFUSED, /* refused, or not possible now: to be asked again later */
};

/* What an order of a process that has died may have left. */
struct relic {
	const struct destination *to;
	const struct table *table;           /* of `to`; held until the answer has come */
	struct engine *engine;               /* that asks */
	const char *target;                  /* order.target */
	const char *upload;                  /* order.upload; NULL: there is none, or it is gone */
	struct exchange_request request;     /* that takes it back: take_back() fills it in */
	bool is_found;                       /* the sink's, from one question to the next: it is there, ... */
	char version[RELIC_VERSION_MAX + 1]; /* ... in this version, or "" */
	uint64_t watch_ms;                   /* for how long what was on its way at the kill may still arrive */
	void *own;                           /* what the request points to, if anything ... */
	void (*free_own)(void *own); /* ... and what frees it when the answer has come; NULL: nothing has to */
};

/* One search for what dead processes have left at a destination and no journal tells of. */
struct sweep_job {
	const struct destination *to;
	const struct table *table; /* of `to`; outlives the sweep */
	struct engine *engine;     /* that asks */
	bool *is_told;             /* its failure was logged; the sink's, from one sweep to the next */
	void (*on_end)(void *arg, bool is_good); /* once; may call sweep_end() */
	void *arg;
};

/* All but `begin` and `pump` may be NULL: then there is nothing to do. A sink passes over the destinations of `config` that are of
 * another kind. */
struct sink {
	/* [main] Opens what it keeps for the destinations of one route table: sink_opened(). `before`: what it keeps
	 * open for the table in force, lent so that both tables may share it; NULL at the start. `state`: the journal of
	 * commits over several places; may be NULL. Returns NULL: err says why, and the table is refused. */
	void *(*open)(const struct config *config, const void *before, struct state *state, struct error *err);

	/* [any] The last reference to the table was released: closes what open() returned. */
	void (*close)(void *opened);

	/* [lookout] Looks every few seconds whether what it keeps open is still well. It may block, which delays the looks of other
	 * sinks. `write`: it may also write to find that out. */
	void (*look)(const void *opened, const struct config *config, bool write);

	/* [any] As it was at the last look. For each thing that is not well, a sentence and a newline are added to `why`. */
	bool (*is_good)(const void *opened, const struct config *config, struct buf *why);

	/* [any] Appends what it counts, as base/metrics.h writes it. Each name begins with "penstock_", then the kind's word, so
	 * that no other's is the same. A counter never goes back while the table in force has the destination of its name:
	 * open() takes it over from `before`. */
	void (*metrics)(const void *opened, const struct config *config, struct buf *out);

	/* [main] Adds to `out` a line for each thing that a start would find missing, and returns how many there are. */
	unsigned (*check)(const struct config *config, struct buf *out);

	/* [main] For `penstock probe`: tries what the destination can do, notes each finding, and leaves nothing there
	 * (survey.h). */
	void (*survey)(struct survey *survey, const struct destination *to);

	/* [main] For `penstock explain`: tells what this order, which is not opened, would make it do (would.h). Of the order only
	 * what it says of the object counts: to, method, target, type, length, largest,
	 * is_kept. */
	void (*would)(const struct order *order, struct would *would);

	/* [producer] As sinks.cost. */
	size_t (*cost)(const struct order *order);

	/* [producer] As sinks.open. */
	bool (*begin)(const struct sink_place *place, struct order *order, const struct channel_side *producer,
		struct error *err);

	/* [producer] As sinks.pump. */
	void (*pump)(struct order *order);

	/* [producer] As sinks.link; kinds with KIND_LINKS have it. */
	bool (*link)(const struct order *order, struct order_link *link, struct error *err);

	/* [settle] Fills in request (but for total_at_ms), watch_ms and what is the sink's own. It is to end the upload, if there is
	 * one, else to remove the object. False: it cannot be asked now, err says why. The hook is NULL where no destination has to be
	 * asked. */
	bool (*take_back)(struct relic *relic, struct error *err);

	/* [settle] The first is given each line of the head of the answer to that request (NULL: none is wanted), the second says what
	 * the answer means (NULL: 404 and 410 mean ABSENT, any 2xx REMOVED, all else REFUSED). */
	void (*on_relic_line)(struct relic *relic, struct str line);
	enum relic_said (*relic_said)(struct relic *relic, const struct exchange_result *result);

	/* [any] Is this destination to be swept? NULL: none of this kind is, and the two hooks that follow are NULL, too. */
	bool (*sweeps)(const struct destination *to);

	/* [sweeper] Begins a sweep, and logs how it ends. Returns NULL: it has failed already, and on_end is not called. */
	void *(*sweep_begin)(const struct sweep_job *job);
	void (*sweep_end)(void *sweep); /* [sweeper] stops the sweep if it is not over, and frees it */
};

const struct sink *sink_of(const struct destination *to);

/* What the sink of this kind keeps open for the table, as long as the table is held; NULL where it has no `open`. */
void *sink_opened(const struct table *table, const struct destination_kind *kind);

#endif
