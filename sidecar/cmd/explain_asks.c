// SPDX-License-Identifier: MIT
/* explain_asks.c - see explain_asks.h. Of the headers that go along only the names are told: cookies are secrets. */
#include "cmd/explain_asks.h"

#include "config/app_says.h"
#include "config/kind.h"
#include "config/peer.h"
#include "part/location.h"
#include "reply/reply.h"

#include <stdio.h>

static json_t *
passed_json(const struct route *route, const struct head *head)
{
	json_t *names = json_array();

	for (size_t i = 0; i < route->authorize.pass.n; i++)
		if (head_header(head, route->authorize.pass.items[i]).data != NULL)
			json_array_append_new(names, json_string(route->authorize.pass.items[i]));
	return names;
}

/* Null: nothing was said of it, so a name shows the placeholder. */
static json_t *
grants_json(const struct naming *naming)
{
	json_t *grants = json_object();

	for (size_t i = 0; naming->grants != NULL && i < naming->grants->n; i++)
		json_object_set_new(
			grants, naming->grants->list[i].name, reply_text(naming->grants->list[i].value));
	return grants;
}

json_t *
explain_asks_json(const struct route *route, const struct naming *naming, struct error *err)
{
	const struct authorize *authorize = &route->authorize;
	const struct http_peer *peer = authorize->to->kind->asked_peer(authorize->to->settings);
	struct buf target = { 0 };
	json_t *asks = NULL;

	buf_addf(&target, "%s", peer->url);
	if (location_of_question(naming, authorize->target, &target, err)) {
		asks = json_object();
		json_object_set_new(asks, "destination", json_string(authorize->to->name));
		json_object_set_new(asks, "method", json_string(authorize_method(authorize)));
		json_object_set_new(asks, "target", reply_text(buf_str(&target)));
		json_object_set_new(asks, "passed", passed_json(route, naming->head));
		json_object_set_new(asks, "signed", json_boolean(authorize_sign(route)->keys[0] != NULL));
		json_object_set_new(asks, "grants", grants_json(naming));
	}
	buf_free(&target);
	return asks;
}

void
explain_asks_print(json_t *asks, void (*print)(struct str s, int width))
{
	const char *name;
	json_t *value;

	printf("asks %s: %s ", json_string_value(json_object_get(asks, "destination")),
		json_string_value(json_object_get(asks, "method")));
	print(str_of(json_string_value(json_object_get(asks, "target"))), 0);
	puts(json_is_true(json_object_get(asks, "signed")) ? "(signed)" : "");
	json_object_foreach(json_object_get(asks, "grants"), name, value)
	{
		printf("     if it grants %s ", name);
		print(json_is_string(value) ? str_of(json_string_value(value)) : STR("(say --grant NAME=VALUE)"),
			0);
		puts("");
	}
}
