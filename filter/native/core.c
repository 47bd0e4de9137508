// SPDX-License-Identifier: MIT
/* core.c - see core.h. Every call from HAProxy's side goes through a fence (base/must.h): a must() that fails in here
 * is told and ends that request, never the process, which carries a whole site. What a fence's jump skips is this room
 * and those below it: none holds a lock, and none leaves an allocation half handed over across a must(), so a request
 * that was given up is freed like any other. */
#include "native/core.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/load.h"
#include "native/request.h"

/* What goes through a fence and back; each call uses what it needs. */
struct call {
	struct filter_core *core;
	char *const *paths;
	size_t n_paths;
	struct findings findings;
	struct core_request *request;
	const struct core_head *head;
	const char *data;
	size_t len;
};

/* -- behind the fence ----------------------------------------------------------------------------- */

static void
run_load(void *arg)
{
	struct call *call = arg;

	call->core->config = config_load_routes(call->paths, call->n_paths, &call->findings);
}

static void
run_unload(void *arg)
{
	config_free(arg);
}

static void
run_decide(void *arg)
{
	struct call *call = arg;

	request_decide(call->request, call->head);
}

static void
run_feed(void *arg)
{
	struct call *call = arg;

	request_feed(call->request, call->data, call->len);
}

static void
run_stop(void *arg)
{
	struct call *call = arg;

	request_stop(call->request);
}

static void
run_problem(void *arg)
{
	struct call *call = arg;

	request_problem(call->request);
}

static void
run_fini(void *arg)
{
	request_fini(arg);
}

/* -- the fence ------------------------------------------------------------------------------------ */

/* False: a must() failed, which is told. */
static bool
fenced(const struct filter_core *core, void (*run)(void *arg), void *arg)
{
	const struct core_manner *manner = &core->manner;
	struct must_broken broken;
	struct core_bug bug;

	if (must_fenced(run, arg, &broken))
		return true;
	bug = (struct core_bug){ broken.cond, broken.file, broken.line };
	if (manner->on_bug != NULL)
		manner->on_bug(manner->arg, &bug);
	return false;
}

static void
ask(void (*run)(void *arg), struct call *call)
{
	struct core_request *request = call->request;

	if (!request->is_broken && !fenced(request->core, run, call))
		request_give_up(request);
}

/* -- route files ---------------------------------------------------------------------------------- */

static char *
describe(const struct must_broken *broken)
{
	struct buf text = { 0 };

	buf_addf(&text, "a bug in penstock: must(%s) failed at %s:%d\n", broken->cond, broken->file, broken->line);
	return text.data;
}

/* What a load had made when a must() failed in it is lost: HAProxy does not start with it. */
struct filter_core *
core_new(char *const *paths, size_t n, const struct core_manner *manner, char **problems)
{
	struct filter_core *core = mem_zalloc(sizeof *core);
	struct call call = { .core = core, .paths = paths, .n_paths = n };
	struct must_broken broken;

	*problems = NULL;
	if (core == NULL)
		return NULL;
	core->manner = *manner;
	if (!must_fenced(run_load, &call, &broken)) {
		*problems = describe(&broken);
	} else if (core->config != NULL) {
		findings_free(&call.findings);
		return core;
	} else {
		*problems = call.findings.text.data; /* the caller's now */
	}
	mem_free(core);
	return NULL;
}

void
core_free(struct filter_core *core)
{
	if (core == NULL)
		return;
	fenced(core, run_unload, core->config);
	mem_free(core);
}

/* -- requests ------------------------------------------------------------------------------------- */

const struct core_verdict *
core_without_memory(const struct filter_core *core)
{
	return request_without_memory(core);
}

struct core_request *
core_request_new(const struct filter_core *core)
{
	struct core_request *request = mem_zalloc(sizeof *request);

	if (request != NULL)
		request->core = core;
	return request;
}

void
core_request_free(struct core_request *request)
{
	if (request == NULL)
		return;
	fenced(request->core, run_fini, request);
	mem_free(request);
}

const struct core_verdict *
core_decide(struct core_request *request, const struct core_head *head)
{
	ask(run_decide, &(struct call){ .request = request, .head = head });
	return &request->verdict;
}

const struct core_verdict *
core_verdict(const struct core_request *request)
{
	return request->state != REQUEST_NEW ? &request->verdict : NULL;
}

bool
core_follows(const struct core_request *request)
{
	return request->state == REQUEST_FOLLOWED;
}

const struct core_verdict *
core_feed(struct core_request *request, const char *data, size_t len)
{
	if (request->state == REQUEST_LEFT_ALONE)
		return NULL;
	ask(run_feed, &(struct call){ .request = request, .data = data, .len = len });
	return request->state == REQUEST_REFUSED ? &request->verdict : NULL;
}

void
core_stop(struct core_request *request)
{
	ask(run_stop, &(struct call){ .request = request });
}

/* That of a bug needs nothing that may be broken. */
const char *
core_problem(struct core_request *request, size_t *len)
{
	static const char bug[] =
		"{\"type\":\"urn:penstock:problem:internal\",\"title\":\"Internal Server Error\",\"status\":500}\n";
	const struct buf *problem = &request->problem;

	ask(run_problem, &(struct call){ .request = request });
	if (request->is_broken && request->verdict.status == 500) {
		*len = sizeof bug - 1;
		return bug;
	}
	*len = request->is_broken || problem->failed ? 0 : problem->len;
	return problem->data;
}
