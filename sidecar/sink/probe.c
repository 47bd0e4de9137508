// SPDX-License-Identifier: MIT
/* probe.c - see probe.h. libcurl connects as it would for a transfer: same names, same socket, same certificates. */
#include "sink/probe.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/kind.h"
#include "sink/engine.h"
#include "sink/exchange.h"

#include <string.h>

/* WAITING ─due▶ CONNECTING ─done▶ WAITING; beside it the result of the last try. */
struct target {
	struct probe *probe;
	const struct destination *to;
	struct exchange *exchange;
	struct exchange_request request;
	struct timer due;
	bool was_tried, is_reachable;
	const char *why; /* not reachable: a constant */
};

struct probe {
	struct engine engine;
	size_t n;
	struct target targets[];
};

/* NULL: nobody wants it reachable. */
static const struct http_peer *
peer_of(const struct destination *to)
{
	return to->kind->ready_peer != NULL ? to->kind->ready_peer(to->settings) : NULL;
}

static void
wait_for_next(struct target *target)
{
	struct loop *loop = target->probe->engine.loop;

	loop_set_timer(loop, &target->due, clock_after(loop_now_ms(loop), PROBE_EVERY_MS));
}

/* Only what has changed is logged. */
static void
note(struct target *target, bool is_reachable, const char *why)
{
	bool is_new = !target->was_tried || target->is_reachable != is_reachable;

	target->was_tried = true;
	target->is_reachable = is_reachable;
	target->why = why;
	if (is_new)
		log_line(is_reachable ? LOG_INFO : LOG_WARN, "sink",
			is_reachable ? "destination is reachable" : "destination is not reachable",
			LOG_TEXTVAL("destination", target->to->name), LOG_TEXTVAL("why", why));
}

static void
on_done(void *arg, const struct exchange_result *result)
{
	struct target *target = arg;

	note(target, result->is_whole, result->is_whole ? NULL : result->why);
	wait_for_next(target);
}

static const struct exchange_calls calls = { .on_done = on_done };

static void
on_due(struct timer *timer)
{
	struct target *target = container_of(timer, struct target, due);
	const struct http_peer *to = peer_of(target->to);
	uint64_t most_ms = to->connect_ms < PROBE_MS_MAX ? to->connect_ms : PROBE_MS_MAX;

	target->request = (struct exchange_request){
		.to = to,
		.method = "HEAD",
		.target = "",
		.body = EXCHANGE_CONNECT,
		.connect_ms = most_ms,
		.total_at_ms = CLOCK_NEVER,
	};
	if (exchange_begin(target->exchange, &target->request)) {
		engine_run(&target->probe->engine);
		return;
	}
	note(target, false, "out of memory");
	wait_for_next(target);
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* A reload would make a process unready that is not. */
static void
take_result(struct target *target, const struct probe *before)
{
	const struct http_peer *mine = peer_of(target->to);

	for (size_t i = 0; before != NULL && i < before->n; i++) {
		const struct target *old = &before->targets[i];
		const struct http_peer *its = peer_of(old->to);

		if (strcmp(old->to->name, target->to->name) != 0 || !is_same_text(its->url, mine->url) ||
			!is_same_text(its->unix_socket, mine->unix_socket))
			continue;
		target->was_tried = old->was_tried;
		target->is_reachable = old->is_reachable;
		target->why = old->why;
	}
}

static bool
add_target(struct probe *probe, const struct probe *before, const struct destination *to)
{
	struct target *target = &probe->targets[probe->n];

	*target = (struct target){ .probe = probe, .to = to, .due.fire = on_due };
	target->exchange = exchange_new(&probe->engine, &calls, target);
	take_result(target, before);
	if (target->exchange == NULL ||
		!loop_set_timer(probe->engine.loop, &target->due, loop_now_ms(probe->engine.loop)))
		return false;
	probe->n++;
	return true;
}

struct probe *
probe_new(const struct config *config, const struct probe *before, struct loop *loop, struct error *err)
{
	struct probe *probe = mem_zalloc(sizeof *probe + config->n_destinations * sizeof probe->targets[0]);

	if (probe == NULL) {
		error_nomem(err);
		return NULL;
	}
	if (!engine_init(&probe->engine, loop, err))
		goto fail;
	for (size_t i = 0; i < config->n_destinations; i++)
		if (peer_of(&config->destinations[i]) != NULL &&
			!add_target(probe, before, &config->destinations[i])) {
			error_nomem(err);
			goto fail;
		}
	return probe;
fail:
	probe_free(probe);
	return NULL;
}

void
probe_free(struct probe *probe)
{
	if (probe == NULL)
		return;
	for (size_t i = 0; i < probe->n; i++) {
		exchange_free(probe->targets[i].exchange);
		loop_clear_timer(probe->engine.loop, &probe->targets[i].due);
	}
	engine_fini(&probe->engine);
	mem_free(probe);
}

bool
probe_is_good(const struct probe *probe, struct buf *why)
{
	bool good = true;

	for (size_t i = 0; i < probe->n; i++) {
		const struct target *target = &probe->targets[i];

		if (target->was_tried && target->is_reachable)
			continue;
		good = false;
		buf_addf(why, "destination \"%s\": %s\n", target->to->name,
			target->was_tried ? target->why : "not tried yet");
	}
	return good;
}

bool
probe_result(const struct probe *probe, size_t i, const char **destination, bool *is_reachable)
{
	if (i >= probe->n)
		return false;
	*destination = probe->targets[i].to->name;
	*is_reachable = probe->targets[i].was_tried && probe->targets[i].is_reachable;
	return true;
}
