// SPDX-License-Identifier: MIT
/* headers.c - see headers.h. */
#include "reply/headers.h"

#include "config/cors.h"
#include "route/cors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(((struct reply_header *)0)->value) > CORS_NAMES_BYTES_MAX, "no list of names is cut");

void
headers_add(struct reply *reply, const char *name, struct str value)
{
	struct reply_header *header = &reply->headers[reply->n_headers];
	size_t most = sizeof header->value - 1, n = value.len < most ? value.len : most;

	if (value.len == 0 || reply->n_headers == sizeof reply->headers / sizeof reply->headers[0])
		return;
	reply->n_headers++;
	header->name = name;
	memcpy(header->value, value.data, n);
	header->value[n] = '\0';
}

static void
add_preflight(struct reply *reply, const struct reply_cors *cors)
{
	char seconds[24];

	snprintf(seconds, sizeof seconds, "%" PRIu64, cors->cors->max_age_ms / 1000);
	headers_add(reply, "Access-Control-Allow-Methods", cors->method);
	headers_add(reply, "Access-Control-Allow-Headers", str_of(cors->cors->headers));
	headers_add(reply, "Access-Control-Max-Age", str_of(seconds));
}

static void
add_vary(struct reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->n_headers; i++) {
		char *value = reply->headers[i].value;
		size_t len = strlen(value);

		if (strcmp(reply->headers[i].name, "Vary") != 0)
			continue;
		snprintf(value + len, sizeof reply->headers[i].value - len, ", %s", name);
		return;
	}
	headers_add(reply, "Vary", str_of(name));
}

/* Also where the head was refused before its route was known: the page that sent it is to read why. */
struct reply_cors
headers_cors_of(const struct config *config, const struct head *head, const struct route *route, bool is_preflight)
{
	struct reply_cors cors = { 0 };

	if (route == NULL)
		route = cors_of_refusal(config, head);
	if (route == NULL || !cors_is_on(route))
		return cors;
	cors.cors = &route->cors;
	cors.origin = cors_allowed(&route->cors, head);
	if (is_preflight)
		cors.method = cors_asked_method(head);
	return cors;
}

/* An answer that some origins are let read differs by the origin, also for the others: a cache must not mix them up. */
void
headers_add_cors(struct reply *reply, const struct reply_cors *cors)
{
	if (cors->cors == NULL)
		return;
	add_vary(reply, "Origin");
	if (cors->origin.len == 0)
		return;
	headers_add(reply, "Access-Control-Allow-Origin", cors->origin);
	if (cors->cors->credentials)
		headers_add(reply, "Access-Control-Allow-Credentials", STR("true"));
	if (cors->method.len > 0)
		add_preflight(reply, cors);
	else
		headers_add(reply, "Access-Control-Expose-Headers", str_of(cors->cors->expose));
}
