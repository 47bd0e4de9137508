// SPDX-License-Identifier: MIT
/* request_client.c - what a request's client has already (route/clients.h): `limits.per_client` of its route, and whose rates it shares.
 *
 * An upload is counted where a place of limits.concurrent is, and for as long. A connection belongs to the client whose request of
 * such a route it has brought last, until it is closed: so it counts also while its application is asked, and while it is idle. Behind a
 * gateway one connection may be another client's with each request. */
#include "request/room_priv.h"

static uint64_t
now(const struct intake *intake)
{
	return loop_now_ms(intake->setup.loop);
}

static struct clients_key
key_of(const struct request *request, const struct route *route, enum client_what what)
{
	return (struct clients_key){ what, route->id, request->asked.identity.counted };
}

uint64_t
client_uploads(void *arg, const struct route *route)
{
	const struct request *request = arg;
	struct clients_key key = key_of(request, route, CLIENT_UPLOADS);

	return clients_count(request->intake->setup.clients, &key);
}

/* Because of CLIENTS_FULL, whatever was asked for, or of CLIENTS_TOO_MANY. */
static void
refuse(struct request *request, enum clients_answer answer, const char *what, uint64_t most)
{
	struct decision *decision = &request->asked.decision;

	if (answer == CLIENTS_TOO_MANY) {
		decide_too_many_of_client(decision, what, most);
	} else {
		decision->allow = false;
		decision->retry_after_s = 1;
		error_set(&decision->error, ERR_BUSY,
			"too many clients are here already to count one more; try again later");
		error_name_limit(&decision->error, "per_client");
	}
	request->error = decision->error;
}

bool
client_take_connection(struct request *request)
{
	struct clients *clients = request->intake->setup.clients;
	const struct route *route = request->asked.decision.route;
	uint64_t most = route->limits.per_client.connections;
	struct clients_key key = key_of(request, route, CLIENT_CONNECTIONS);
	struct client *client = request->client;
	enum clients_answer answer;

	if (most == LIMIT_NONE || (client->counted != NULL && clients_is_of(client->counted, &key)))
		return true;
	clients_give(clients, client->counted, now(request->intake));
	answer = clients_take(clients, &key, most, now(request->intake), &client->counted);
	if (answer == CLIENTS_TAKEN)
		return true;
	client->is_too_much = true;
	refuse(request, answer, "connections", most);
	return false;
}

void
request_forget_client(struct intake *intake, struct client *client)
{
	clients_give(intake->setup.clients, client->counted, now(intake));
	client->counted = NULL;
}

void
client_give_upload(struct request *request)
{
	clients_give(request->intake->setup.clients, request->asked.upload, now(request->intake));
	request->asked.upload = NULL;
}

bool
client_take_upload(struct request *request)
{
	const struct route *route = request->asked.decision.route;
	uint64_t most = route->limits.per_client.uploads;
	struct clients_key key = key_of(request, route, CLIENT_UPLOADS);
	enum clients_answer answer;

	if (most == LIMIT_NONE)
		return true;
	answer = clients_take(
		request->intake->setup.clients, &key, most, now(request->intake), &request->asked.upload);
	if (answer == CLIENTS_TAKEN)
		return true;
	refuse(request, answer, "uploads", most);
	return false;
}

static bool
take_rate(struct request *request, const char *who, uint64_t rate, struct shape_rate *to)
{
	struct clients_key key = { CLIENT_RATE, request->asked.decision.route->id, who };
	struct intake *intake = request->intake;
	enum clients_answer answer;

	if (rate == LIMIT_NONE)
		return true;
	to->per_second = rate;
	answer = clients_take(intake->setup.clients, &key, UINT64_MAX, now(intake), &to->share);
	if (answer == CLIENTS_TAKEN)
		return true;
	refuse(request, answer, NULL, 0);
	return false;
}

bool
client_take_rates(struct request *request)
{
	const struct limits *limits = &request->asked.decision.route->limits;
	struct shape_rate *rates = request->shaping.rates;

	if (grants_rate(&request->asks.grants) != LIMIT_NONE)
		rates[SHAPE_UPLOAD].per_second = grants_rate(&request->asks.grants);
	return take_rate(request, "", limits->rate, &rates[SHAPE_ROUTE]) &&
		take_rate(request, request->asked.identity.counted, limits->per_client.rate, &rates[SHAPE_CLIENT]);
}

void
client_give_rates(struct request *request)
{
	for (size_t i = 0; i < N_SHAPE_RATES; i++) {
		clients_give(request->intake->setup.clients, request->shaping.rates[i].share, now(request->intake));
		request->shaping.rates[i] = (struct shape_rate){ .share = NULL };
	}
}
