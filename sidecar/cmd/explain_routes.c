// SPDX-License-Identifier: MIT
/* explain_routes.c - see explain_routes.h. */
#include "cmd/explain_routes.h"

#include "route/cors.h"

#include <stdio.h>

/* Two readings of one request end the search: what follows is not asked. */
static bool
goes_on(const struct match_look *look)
{
	return look->miss != MATCH_NOTHING && look->miss != MATCH_UNCLEAR;
}

static json_t *
miss_json(const struct match_look *look)
{
	switch (look->miss) {
	case MATCH_HOST:
		return json_string("host");
	case MATCH_PATH:
		return json_string("path");
	case MATCH_METHOD:
		return json_string("method");
	case MATCH_HEADER:
		return json_sprintf("header %s", look->named->name);
	case MATCH_QUERY:
		return json_sprintf("query %s", look->named->name);
	case MATCH_UNCLEAR:
		return json_string(look->error.message);
	case MATCH_NOTHING:
		break;
	}
	return json_null();
}

/* Not if something was refused before the routes came to it. */
static bool
was_asked(const struct head *head, const struct decision *decision, struct path *path)
{
	struct error none = { 0 };

	return (decision->is_preflight || decision->path.encoded.data != NULL) &&
		path_read(head_path(head), path, &none);
}

/* A preflight is answered by the route that takes the request which is asked for. */
static struct head
looked_for(const struct head *head, const struct decision *decision)
{
	struct head asked = *head;

	if (decision->is_preflight)
		asked.method = cors_asked_method(head);
	return asked;
}

json_t *
explain_routes_json(const struct config *config, const struct head *head, const struct decision *decision)
{
	json_t *routes = json_array();
	struct head asked = looked_for(head, decision);
	struct path path;
	bool more = was_asked(head, decision, &path);

	for (size_t i = 0; more && i < config->n_routes; i++) {
		struct match_look look;

		match_look_at(&config->routes[i], &asked, &path, &look);
		if (json_array_append_new(routes,
			    json_pack("{s:s, s:o}", "id", config->routes[i].id, "misses", miss_json(&look))) != 0) {
			json_decref(routes);
			return NULL;
		}
		more = goes_on(&look);
	}
	return routes;
}

void
explain_routes_print(const json_t *routes)
{
	const json_t *route;
	size_t i;

	json_array_foreach(routes, i, route)
	{
		const char *misses = json_string_value(json_object_get(route, "misses"));

		if (misses != NULL)
			printf("not %s: %s\n", json_string_value(json_object_get(route, "id")), misses);
	}
}
