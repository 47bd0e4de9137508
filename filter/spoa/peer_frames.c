// SPDX-License-Identifier: MIT
/* peer_frames.c - what HAProxy's frames say, and what is answered: HELLO, NOTIFY, DISCONNECT. An answer is laid into
 * peer->out, which is empty then; peer.c sends it. */
#include "spoa/peer_priv.h"

#include "base/log.h"
#include "base/must.h"
#include "request/trust.h"

#include <string.h>

/* -- HELLO ---------------------------------------------------------------------------------------- */

struct hello {
	bool has_versions, has_frame_size, has_capabilities;
	bool has_version_2, pipelining, is_health_check;
	uint64_t frame_size;
};

static bool
lists(struct str list, const char *word)
{
	while (list.len > 0) {
		const char *comma = memchr(list.data, ',', list.len);
		size_t n = comma != NULL ? (size_t)(comma - list.data) : list.len;

		if (str_is(str_trim((struct str){ list.data, n }), word))
			return true;
		n += comma != NULL;
		list = (struct str){ list.data + n, list.len - n };
	}
	return false;
}

static bool
read_hello(struct str payload, struct hello *hello)
{
	struct spop_value value;
	struct str key;

	while (payload.len > 0) {
		if (!spop_read_pair(&payload, &key, &value))
			return false;
		if (str_is(key, "supported-versions") && value.type == SPOP_STRING) {
			hello->has_versions = true;
			hello->has_version_2 = lists(value.bytes, "2.0");
		} else if (str_is(key, "max-frame-size") && value.type == SPOP_UINT32) {
			hello->has_frame_size = true;
			hello->frame_size = value.number;
		} else if (str_is(key, "capabilities") && value.type == SPOP_STRING) {
			hello->has_capabilities = true;
			hello->pipelining = lists(value.bytes, "pipelining");
		} else if (str_is(key, "healthcheck")) {
			hello->is_health_check = value.type == SPOP_BOOL && value.truth;
		}
	}
	return true;
}

static enum spop_status
judge_hello(const struct hello *hello)
{
	if (!hello->has_versions)
		return SPOP_NO_VERSION;
	if (!hello->has_version_2)
		return SPOP_BAD_VERSION;
	if (!hello->has_frame_size)
		return SPOP_NO_FRAME_SIZE;
	if (hello->frame_size < SPOP_FRAME_MIN)
		return SPOP_BAD_FRAME_SIZE;
	return hello->has_capabilities ? SPOP_OK : SPOP_NO_CAPABILITIES;
}

static void
add_agent_hello(struct peer *peer, const struct hello *hello)
{
	struct spop_writer w;

	if (hello->frame_size < peer->max_frame)
		peer->max_frame = (uint32_t)hello->frame_size;
	spop_write_begin(&w, peer->out, sizeof peer->out, SPOP_AGENT_HELLO, 0, 0);
	spop_write_string(&w, STR("version"));
	spop_write_text(&w, STR("2.0"));
	spop_write_string(&w, STR("max-frame-size"));
	spop_write_uint32(&w, peer->max_frame);
	spop_write_string(&w, STR("capabilities"));
	spop_write_text(&w, hello->pipelining ? STR("pipelining") : STR(""));
	must(spop_write_end(&w));
	peer->out_len = w.len;
}

static bool
is_full(const struct agent *agent)
{
	return agent->n_talking >= agent->table->config->spoa.max_connections;
}

static void
on_hello(struct peer *peer, const struct spop_frame *frame)
{
	struct hello hello = { 0 };
	enum spop_status status = SPOP_INVALID;

	if (peer->state == PEER_HANDSHAKE && frame->stream_id == 0 && frame->frame_id == 0 &&
		read_hello(frame->payload, &hello))
		status = judge_hello(&hello);
	if (status == SPOP_OK && !hello.is_health_check && is_full(peer->agent))
		status = SPOP_RESOURCES;
	if (status != SPOP_OK) {
		peer_disconnect(peer, status);
		return;
	}
	add_agent_hello(peer, &hello);
	if (hello.is_health_check) {
		peer_begin_closing(peer);
		return;
	}
	peer_move(peer, PEER_TALKING);
	peer->agent->n_talking++;
}

/* -- NOTIFY --------------------------------------------------------------------------------------- */

static void
log_admit(const struct admit *admit)
{
	const struct decision *d = &admit->decision;
	enum log_level level = d->allow ? LOG_DEBUG : LOG_INFO;

	if (!log_enabled(level))
		return;
	log_line(level, "spoa", d->allow ? "allowed" : "refused", LOG_TEXTVAL("id", admit->id),
		LOG_STR("method", admit->head.method), LOG_STR("target", admit->head.target),
		LOG_TEXTVAL("route", d->route != NULL ? d->route->id : NULL), LOG_NUM("status", admit->status),
		LOG_TEXTVAL("why", d->allow ? NULL : d->error.message));
}

struct asker {
	const struct peer *peer;
	const struct admit *admit;
};

/* Its client is the one that penstock will see, where penstock believes this HAProxy. */
static uint64_t
uploads_of_client(void *arg, const struct route *route)
{
	const struct asker *asker = arg;
	const struct agent *agent = asker->peer->agent;
	const struct sockaddr *address = (const struct sockaddr *)(const void *)&asker->admit->client;
	char client[TRUST_ADDRESS_MAX], who[TRUST_ADDRESS_MAX];

	if (address->sa_family == AF_UNSPEC)
		return 0;
	trust_client(&(const struct trust){ .n_networks = 0 }, address, &asker->admit->head, client);
	trust_counted(client, who);
	return clients_count(agent->setup.clients, &(struct clients_key){ CLIENT_UPLOADS, route->id, who });
}

/* The smallest frame that a peer may ask for holds less than an ACK may need. */
static void
on_notify(struct peer *peer, const struct spop_frame *frame)
{
	const struct agent_setup *setup = &peer->agent->setup;
	const struct table *table = peer->agent->table;
	struct admit admit;
	struct asker asker = { peer, &admit };
	struct load load = {
		.is_draining = counter_read(setup->draining) > 0,
		.is_over_memory = pool_is_used_up(setup->pool),
		.active = table->active,
		.uploads = uploads_of_client,
		.uploads_arg = &asker,
	};

	if (peer->state != PEER_TALKING) {
		peer_disconnect(peer, SPOP_INVALID);
		return;
	}
	admit_notify(table->config, &load, frame->payload, &admit);
	log_admit(&admit);
	peer->out_len = admit_ack(&admit, frame->stream_id, frame->frame_id, peer->out);
	if (peer->out_len - SPOP_LENGTH_SIZE > peer->max_frame) {
		peer->out_len = 0;
		peer_disconnect(peer, SPOP_TOO_BIG);
	}
}

/* -- any ------------------------------------------------------------------------------------------ */

/* Types that are not known are skipped, as the specification wants. */
void
peer_on_frame(struct peer *peer, struct str bytes)
{
	struct spop_frame frame;

	if (!spop_read_frame(bytes, &frame))
		peer_disconnect(peer, SPOP_INVALID);
	else if (frame.type == SPOP_UNSET || (frame.flags & SPOP_FLAG_FIN) == 0)
		peer_disconnect(peer, SPOP_FRAGMENTED);
	else if (frame.type == SPOP_HAPROXY_HELLO)
		on_hello(peer, &frame);
	else if (frame.type == SPOP_NOTIFY)
		on_notify(peer, &frame);
	else if (frame.type == SPOP_HAPROXY_DISCONNECT)
		peer_disconnect(peer, SPOP_OK);
	if (peer->state == PEER_TALKING)
		peer->active_ms = loop_now_ms(peer->agent->loop);
}
