// SPDX-License-Identifier: MIT
/* test_lanes.c - which of its libmicrohttpd daemons a worker gives a connection to, by the body that it brings first and by those that it
 * has, and whether the connection is right for the next one. */
#include "lib/check.h"

#include "http/http_priv.h"

#define MIB (1024u * 1024)

static struct worker worker;
static struct MHD_Daemon *given_to;

enum MHD_Result __wrap_MHD_add_connection(
	struct MHD_Daemon *daemon, MHD_socket fd, const struct sockaddr *addr, socklen_t len);

enum MHD_Result
__wrap_MHD_add_connection(struct MHD_Daemon *daemon, MHD_socket fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	given_to = daemon;
	return MHD_YES;
}

/* The daemons are never touched: each is known by its address. */
static int
begin(void **state)
{
	static char daemons[N_LANES];

	(void)state;
	worker = (struct worker){ .setup.max_large = 16 };
	for (int i = 0; i < N_LANES; i++)
		worker.lanes[i] = (struct lane){ .worker = &worker, .daemon = (void *)&daemons[i] };
	return 0;
}

/* The lane of a connection whose first body has so many bytes. */
static enum lane_size
lane_for(uint64_t body)
{
	struct sockaddr addr = { .sa_family = AF_UNIX };
	enum lane_size lane = LANE_HUGE;

	lanes_take(&worker, -1, &addr, sizeof addr, body);
	while (worker.lanes[lane].daemon != given_to)
		lane++;
	return lane;
}

static void
a_body_gets_pieces_that_it_fills(void **state)
{
	(void)state;
	assert_int_equal(lane_for(16 * 1024), LANE_LEAST);
	assert_int_equal(lane_for(16 * 1024 + 1), LANE_SMALL);
	assert_int_equal(lane_for(128 * 1024), LANE_SMALL);
	assert_int_equal(lane_for(128 * 1024 + 1), LANE_LARGE);
	assert_int_equal(lane_for(4 * MIB), LANE_LARGE);
	assert_int_equal(lane_for(4 * MIB + 1), LANE_HUGE);
	assert_int_equal(
		lane_for(LENGTH_UNKNOWN), LANE_LARGE); /* it may be small, and all of a buffer is cleared for it */
}

static void
huge_pieces_are_for_one_that_alone_sends_much(void **state)
{
	(void)state;
	worker.lanes[LANE_LEAST].n_connections = worker.lanes[LANE_SMALL].n_connections = 1000;
	assert_int_equal(lane_for(100 * MIB), LANE_HUGE);
	worker.lanes[LANE_HUGE].n_connections = 1;
	assert_int_equal(lane_for(100 * MIB), LANE_LARGE);
	worker.lanes[LANE_HUGE].n_connections = 0;
	worker.lanes[LANE_LARGE].n_connections = 1;
	assert_int_equal(lane_for(100 * MIB), LANE_LARGE);
}

static void
memory_bounds_how_many_have_large_pieces(void **state)
{
	(void)state;
	worker.lanes[LANE_LARGE].n_connections = 16;
	assert_int_equal(lane_for(100 * MIB), LANE_SMALL);
	worker.lanes[LANE_LARGE].n_connections = 0;
	worker.setup.max_large = 15;
	assert_int_equal(lane_for(100 * MIB), LANE_LARGE);
}

static void
a_kept_connection_fits_what_a_new_one_would_not_do_better(void **state)
{
	const struct lane *lanes = worker.lanes;

	(void)state;
	assert_true(lanes_fits(&lanes[LANE_LEAST], 100));
	assert_true(lanes_fits(&lanes[LANE_SMALL], 100));
	assert_false(lanes_fits(&lanes[LANE_LARGE], 100));
	assert_false(lanes_fits(&lanes[LANE_LEAST], 100 * 1024));
	assert_false(lanes_fits(&lanes[LANE_SMALL], MIB));
	assert_false(lanes_fits(&lanes[LANE_HUGE], MIB));
	assert_true(lanes_fits(&lanes[LANE_HUGE], 100 * MIB));
	assert_true(lanes_fits(&lanes[LANE_LARGE], 100 * MIB)); /* also while nobody has huge ones */
	assert_false(lanes_fits(&lanes[LANE_SMALL], 100 * MIB));
	worker.lanes[LANE_LARGE].n_connections = 16;
	assert_true(lanes_fits(&lanes[LANE_SMALL], 100 * MIB));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_body_gets_pieces_that_it_fills, begin),
		cmocka_unit_test_setup(huge_pieces_are_for_one_that_alone_sends_much, begin),
		cmocka_unit_test_setup(memory_bounds_how_many_have_large_pieces, begin),
		cmocka_unit_test_setup(a_kept_connection_fits_what_a_new_one_would_not_do_better, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
