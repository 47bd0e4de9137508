// SPDX-License-Identifier: MIT
/* judge.c - see judge.h. Every call from HAProxy's side goes through a fence (base/must.h): a must() that fails in here
 * is told and ends that request, never the process, which carries a whole site. What a fence's jump skips is this room
 * and those below it: none holds a lock, and none leaves an allocation half handed over across a must(), so a request
 * that was given up is freed like any other. */
#include "native/judge.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/load.h"
#include "native/request.h"

/* What goes through a fence and back; each call uses what it needs. */
struct call {
	struct judge *judge;
	char *const *paths;
	size_t n_paths;
	struct findings findings;
	struct judge_request *request;
	const struct judge_head *head;
	const char *data;
	size_t len;
};

/* -- behind the fence ----------------------------------------------------------------------------- */

static void
run_load(void *arg)
{
	struct call *call = arg;

	call->judge->config = config_load_routes(call->paths, call->n_paths, &call->findings);
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
fenced(const struct judge *judge, void (*run)(void *arg), void *arg)
{
	const struct judge_manner *manner = &judge->manner;
	struct must_broken broken;
	struct judge_bug bug;

	if (must_fenced(run, arg, &broken))
		return true;
	bug = (struct judge_bug){ broken.cond, broken.file, broken.line };
	if (manner->on_bug != NULL)
		manner->on_bug(manner->arg, &bug);
	return false;
}

static void
ask(void (*run)(void *arg), struct call *call)
{
	struct judge_request *request = call->request;

	if (!request->is_broken && !fenced(request->judge, run, call))
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
struct judge *
judge_new(char *const *paths, size_t n, const struct judge_manner *manner, char **problems)
{
	struct judge *judge = mem_zalloc(sizeof *judge);
	struct call call = { .judge = judge, .paths = paths, .n_paths = n };
	struct must_broken broken;

	*problems = NULL;
	if (judge == NULL)
		return NULL;
	judge->manner = *manner;
	if (!must_fenced(run_load, &call, &broken)) {
		*problems = describe(&broken);
	} else if (judge->config != NULL) {
		findings_free(&call.findings);
		return judge;
	} else {
		*problems = call.findings.text.data; /* the caller's now */
	}
	mem_free(judge);
	return NULL;
}

void
judge_free(struct judge *judge)
{
	if (judge == NULL)
		return;
	fenced(judge, run_unload, judge->config);
	mem_free(judge);
}

/* -- requests ------------------------------------------------------------------------------------- */

const struct judge_verdict *
judge_without_memory(const struct judge *judge)
{
	return request_without_memory(judge);
}

struct judge_request *
judge_request_new(const struct judge *judge)
{
	struct judge_request *request = mem_zalloc(sizeof *request);

	if (request != NULL)
		request->judge = judge;
	return request;
}

void
judge_request_free(struct judge_request *request)
{
	if (request == NULL)
		return;
	fenced(request->judge, run_fini, request);
	mem_free(request);
}

const struct judge_verdict *
judge_decide(struct judge_request *request, const struct judge_head *head)
{
	ask(run_decide, &(struct call){ .request = request, .head = head });
	return &request->verdict;
}

const struct judge_verdict *
judge_verdict(const struct judge_request *request)
{
	return request->state != REQUEST_NEW ? &request->verdict : NULL;
}

bool
judge_follows(const struct judge_request *request)
{
	return request->state == REQUEST_FOLLOWED;
}

const struct judge_verdict *
judge_feed(struct judge_request *request, const char *data, size_t len)
{
	if (request->state == REQUEST_LEFT_ALONE)
		return NULL;
	ask(run_feed, &(struct call){ .request = request, .data = data, .len = len });
	return request->state == REQUEST_REFUSED ? &request->verdict : NULL;
}

void
judge_stop(struct judge_request *request)
{
	ask(run_stop, &(struct call){ .request = request });
}

/* That of a bug needs nothing that may be broken. */
const char *
judge_problem(struct judge_request *request, size_t *len)
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
