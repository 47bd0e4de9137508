// SPDX-License-Identifier: MIT
/* limits.c - see limits.h. */
#include "config/limits.h"

#include "config/rows.h"

static const struct key each_keys[] = {
	{ "uploads", KEY_COUNT, .fallback = "none", .min = 1, .max = 1000000, WORDS(NONE),
		AT(route, limits.per_client.uploads), .help = "Uploads of this route at once; one more is 429." },
	{ "connections", KEY_COUNT, .fallback = "none", .min = 1, .max = 1000000, WORDS(NONE),
		AT(route, limits.per_client.connections),
		.help = "Connections at once whose last request was one of this route, also before the application is asked, and as long as "
			"they stay open after it; one more is told 429 and closed." },
	{ "rate", KEY_RATE, .fallback = "none", .min = KIB, .max = SIZE_TOP, WORDS(NONE),
		AT(route, limits.per_client.rate),
		.help = "Bytes a second of all its bodies together (see How fast a body is taken)." },
};
const struct key_table limits_per_client_keys = { "`per_client`", "routes[].limits.per_client", KEYS(each_keys) };

static const struct key keys[] = {
	{ "body", KEY_SIZE, .fallback = "1GiB", .min = 1, .max = SIZE_TOP, WORDS(NONE), AT(route, limits.body),
		.help = "Bytes of the request's body." },
	{ "parts", KEY_COUNT, .fallback = "1000", .min = 1, .max = 100000, AT(route, limits.parts),
		.help = "Parts of a form." },
	{ "part_head", KEY_SIZE, .fallback = "8KiB", .min = 256, .max = 64 * KIB, AT(route, limits.part_head),
		.help = "Bytes of one part's head." },
	{ "values", KEY_SIZE, .fallback = "1MiB", .min = 0, .max = SIZE_TOP, WORDS(NONE), AT(route, limits.values),
		.help = "Bytes of all parts without a filename together. What is forwarded to an application is held, so that has at most a "
			"quarter of `memory`." },
	{ "discard", KEY_SIZE, .fallback = "64MiB", .min = 0, .max = SIZE_TOP, AT(route, limits.discard),
		.help = "Bytes that are read and thrown away after a refusal, so that the answer arrives." },
	{ "concurrent", KEY_COUNT, .fallback = "none", .min = 1, .max = 1000000, WORDS(NONE),
		AT(route, limits.concurrent),
		.help = "Requests of this route at once, over all workers; one more is 429." },
	{ "per_client", KEY_TABLE, TABLES(&limits_per_client_keys),
		.help = "What one client's address (of IPv6 its /64) may have, over all workers (see What one client may have)." },
	{ "rate", KEY_RATE, .fallback = "none", .min = KIB, .max = SIZE_TOP, WORDS(NONE), AT(route, limits.rate),
		.help = "Bytes a second of all bodies of this route together, over all workers; faster clients are held back, each as "
			"much as the others (see How fast a body is taken)." },
	{ "min_rate", KEY_RATE, .fallback = "none", .min = 1, .max = SIZE_TOP, WORDS({ "none", 0 }),
		AT(route, limits.min_rate),
		.help = "Bytes a second that a client has to bring, over ten seconds in which penstock would have taken them; a slower one is "
			"408." },
	{ "length", KEY_WORD, .fallback = "optional", WORDS({ "optional", false }, { "required", true }),
		AT(route, limits.length_required),
		.help = "`required`: a body without Content-Length (chunked, HTTP/2 without one) is 411." },
};
const struct key_table limits_keys = { "`limits`", "routes[].limits", KEYS(keys) };

/* -- what holds between them ------------------------------------------------------------------------------- */

static const struct node *
limits_node(const struct loading *l, size_t route)
{
	return yaml_tree_get(l->routes.items[route], "limits");
}

/* `rate`: of the node, which is NULL where the file does not say it. */
static void
check_slower(struct loading *l, const struct node *min, const struct node *rate, uint64_t least, uint64_t most,
	const char *of)
{
	if (min == NULL || rate == NULL || least == 0 || least < most)
		return;
	diag_error(l->diag, min->spot,
		"min_rate: nobody could be as fast as that; it has to be less than the rate of %s", of);
	diag_note(l->diag, rate->spot, "this is it");
}

void
limits_check(struct loading *l, size_t route)
{
	const struct limits *limits = &l->config->routes[route].limits;
	const struct node *node = limits_node(l, route), *each = yaml_tree_get(node, "per_client");
	const struct node *min = yaml_tree_get(node, "min_rate"), *rate = yaml_tree_get(node, "rate");
	const struct node *of_each = yaml_tree_get(each, "rate");

	check_slower(l, min, rate, limits->min_rate, limits->rate, "the route");
	check_slower(l, min, of_each, limits->min_rate, limits->per_client.rate, "a client");
	if (rate != NULL && of_each != NULL && limits->per_client.rate != LIMIT_NONE &&
		limits->per_client.rate > limits->rate)
		diag_warn(l->diag, of_each->spot, "rate: not used, because it is more than the route has for all");
}
