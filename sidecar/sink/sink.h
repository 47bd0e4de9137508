// SPDX-License-Identifier: MIT
/* sink.h - the running half of a kind of destination: who takes the bytes of its orders away. The half that a route file
 * knows is config/kind.h's. Each is one constant, NAME_sink, for the line of sinks.def.
 *
 *   a route table:  open ─▶ (look, is_good)* ─▶ close     everybody else calls these for all sinks at once: sinks.h
 *   an order:       cost ─▶ begin ─▶ pump*                everybody else calls these through struct sinks: order.h
 */
#ifndef PENSTOCK_SINK_H
#define PENSTOCK_SINK_H

#include "route/table.h"
#include "sink/engine.h"
#include "sink/exchange.h"
#include "sink/order.h"

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
	RELIC_REMOVED, /* what was there is not any more */
	RELIC_ABSENT,  /* it is not there */
	RELIC_ASK_ON,  /* take_back() has one more question, at once */
	RELIC_REFUSED, /* or not now: to be asked again */
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
	uint64_t watch_ms;                   /* so long something that was on its way may still land */
	void *own;                           /* what the request points to, if anything ... */
	void (*free_own)(void *own); /* ... and what frees it when the answer has come; NULL: nothing has to */
};

/* One look for what dead processes have left at a destination, of which nobody is told who it was. */
struct sweep_job {
	const struct destination *to;
	const struct table *table;               /* of `to`; outlives the sweep */
	struct engine *engine;                   /* that asks */
	bool *is_told;                           /* that it fails; the sink's, from one sweep to the next */
	void (*on_end)(void *arg, bool is_good); /* once; may call sweep_end() */
	void *arg;
};

/* All but `begin` and `pump` may be NULL: there is nothing to do. What is in `config` and of another kind is let be. */
struct sink {
	/* [main] Opens what it keeps for the destinations of one route table: sink_opened(). `before`: what it has for the
	 * table in force, lent so that both may share, NULL at the start. `state`: who
	 * knows what became of commits over several places; may be NULL. NULL: err says why, and the table is refused. */
	void *(*open)(const struct config *config, const void *before, struct state *state, struct error *err);

	/* [any] Nobody holds the table any more. */
	void (*close)(void *opened);

	/* [lookout] Every few seconds: is what it keeps open still well? May block, and so hold up the other sinks'.
	 * `write`: also by what leaves traces on a disk. */
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

	/* [main] For `penstock explain`: what this order, which nobody has opened, would make it do (would.h). Of the order only
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
	 * one, else to remove the object. False: it cannot be asked now, err says why. NULL: nobody has to be asked. */
	bool (*take_back)(struct relic *relic, struct error *err);

	/* [settle] Each line of the head of the answer to that; and what it means. NULL: none is wanted; 404 and 410 mean ABSENT,
	 * any 2xx REMOVED, all else REFUSED. */
	void (*on_relic_line)(struct relic *relic, struct str line);
	enum relic_said (*relic_said)(struct relic *relic, const struct exchange_result *result);

	/* [any] Is there anything to be swept at this destination? NULL: never, nor are there the two that follow. */
	bool (*sweeps)(const struct destination *to);

	/* [sweeper] Begins a sweep, and says in the log how it ends. NULL: it has failed already, without on_end. */
	void *(*sweep_begin)(const struct sweep_job *job);
	void (*sweep_end)(void *sweep); /* [sweeper] over or not: it is stopped, and freed */
};

const struct sink *sink_of(const struct destination *to);

/* What `sink` keeps open for the table, as long as the table is held; NULL where it has no `open`. */
void *sink_opened(const struct table *table, const struct sink *sink);

#endif
