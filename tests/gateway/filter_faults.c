// SPDX-License-Identifier: MIT
/* filter_faults.c - linked with the filter's objects into one library for LD_PRELOAD (test_filter_faults.py): makes an
 * allocation of the next request fail, or a must(), as a file says that is mapped on both sides. */
#include "base/error.h"
#include "base/mem.h"
#include "base/must.h"
#include "config/load.h"
#include "decide/decide.h"
#include "native/core.h"
#include "source/multipart/guard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Numbers in the order in which the test has them. */
struct control {
	volatile uint64_t nth, count; /* as of mem_fail(), for the next request */
	volatile uint64_t bug;        /* the function of that number breaks a must(); 0: none */
	volatile uint64_t made;       /* allocations of the last request that has ended */
	volatile uint64_t ended;      /* requests */
	volatile uint64_t blocks;     /* most of them that one call of HAProxy's brought */
};

enum { IN_HEAD = 1, IN_BODY, AT_END, IN_PROBLEM, IN_CONFIG };

/* The linker's --wrap makes these of each function that is named there. */
#define WRAP(result, name, ...)                                                                                    \
	result __real_##name(__VA_ARGS__);                                                                         \
	result __wrap_##name(__VA_ARGS__);                                                                         \
	result __wrap_##name(__VA_ARGS__)

static struct control *
control(void)
{
	static struct control *mapped;
	int file;

	if (mapped != NULL)
		return mapped;
	file = open(getenv("FILTER_FAULTS"), O_RDWR);
	mapped = mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	return mapped;
}

static void
maybe_break(uint64_t bug)
{
	must(control()->bug != bug);
}

WRAP(struct core_request *, core_request_new, const struct filter_core *core)
{
	mem_fail(control()->nth, control()->count);
	return __real_core_request_new(core);
}

WRAP(void, core_request_free, struct core_request *request)
{
	__real_core_request_free(request);
	control()->made = mem_fail(0, 0);
	control()->ended++;
}

static unsigned blocks;

/* HAProxy's side asks this once before the blocks of each call. */
WRAP(bool, core_follows, const struct core_request *request)
{
	blocks = 0;
	return __real_core_follows(request);
}

WRAP(const struct core_verdict *, core_feed, struct core_request *request, const char *data, size_t len)
{
	if (++blocks > control()->blocks)
		control()->blocks = blocks;
	return __real_core_feed(request, data, len);
}

WRAP(void, decide, const struct config *config, const struct head *head, const struct load *load,
	struct decision *decision)
{
	maybe_break(IN_HEAD);
	__real_decide(config, head, load, decision);
}

WRAP(bool, guard_feed, struct guard *guard, const char *data, size_t len, struct error *err)
{
	maybe_break(IN_BODY);
	return __real_guard_feed(guard, data, len, err);
}

WRAP(void, guard_fini, struct guard *guard)
{
	maybe_break(AT_END);
	__real_guard_fini(guard);
}

WRAP(const char *, error_kind_name, enum error_kind kind)
{
	maybe_break(IN_PROBLEM);
	return __real_error_kind_name(kind);
}

WRAP(struct config *, config_load_routes, char *const *paths, size_t n_paths, struct findings *findings)
{
	maybe_break(IN_CONFIG);
	return __real_config_load_routes(paths, n_paths, findings);
}
