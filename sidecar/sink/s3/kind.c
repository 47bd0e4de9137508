// SPDX-License-Identifier: MIT
/* kind.c - what route files need to know of destinations of type s3. It does without libcurl and OpenSSL, because HAProxy's filter
 * has it, too. */
#include "base/mem.h"
#include "base/uuid.h"
#include "channel/pool.h"
#include "config/headers.h"
#include "config/memory.h"
#include "config/object_head.h"
#include "config/scalar.h"
#include "config/whereabouts.h"
#include "sink/s3/kind_priv.h"

#include <string.h>

_Static_assert(KIND_KEEP_MOST <= S3_PART_MIN, "what is put in one request is no more than a part");

static struct s3_settings *
mine(const struct destination_settings *settings)
{
	return (struct s3_settings *)(uintptr_t)settings;
}

/* -- what belongs together ------------------------------------------------------------------------------ */

static void
link_credentials(struct loading *l, const struct s3_settings *s3, const struct node *node)
{
	const struct node *given = yaml_tree_get(node, "credentials");
	const struct s3_credentials *keys = &s3->credentials;

	if (given == NULL || given->kind != NODE_MAP)
		return;
	if ((yaml_tree_get(given, "access_key") == NULL) != (yaml_tree_get(given, "secret_key") == NULL))
		diag_error(l->diag, given->spot, "credentials: \"access_key\" and \"secret_key\" belong together");
	if (keys->session_token != NULL && yaml_tree_get(given, "access_key") == NULL)
		diag_error(l->diag, s3_spot_of(given, "session_token"), "session_token: belongs to an access_key");
	if (keys->profile != NULL && yaml_tree_get(given, "access_key") != NULL)
		diag_error(l->diag, s3_spot_of(given, "profile"), "profile: either it or keys");
}

/* Lines that the signature or the upload needs are made by penstock, so they must not stand in the route file. */
static void
link_headers(struct loading *l, const struct s3_settings *s3, const struct node *node)
{
	static const char *const own[] = { "authorization", "if-none-match", "if-match", "content-md5",
		"x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-meta-penstock-id",
		"x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm", "x-amz-trailer" };

	for (size_t i = 0; i < s3->peer.headers.n; i++) {
		struct str name = str_of(s3->peer.headers.items[i].name);
		bool is_own = str_starts_nocase(name, "x-amz-checksum-");

		for (size_t j = 0; j < sizeof own / sizeof own[0]; j++)
			is_own = is_own || str_equal_nocase(name, str_of(own[j]));
		if (is_own)
			diag_error(l->diag, s3_spot_of(node, "headers"),
				"header \"%.*s\" is set by penstock itself", SHOWN(name));
	}
}

static void
link_keys(struct loading *l, struct destination *d, const struct node *node)
{
	struct s3_settings *s3 = mine(d->settings);

	if (node == NULL || node->kind != NODE_MAP)
		return;
	s3_kind_link_url(l, s3, node);
	link_credentials(l, s3, node);
	link_headers(l, s3, node);
	if (s3->peer.unix_socket == NULL)
		peer_link(l, &s3->peer, node);
}

/* -- the parts of its objects ---------------------------------------------------------------------------- */

/* Bytes of the largest object that a rule may store there; 0: no rule does. */
static uint64_t
largest_object(const struct config *c, const struct destination *d)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < c->n_routes; i++)
		for (size_t j = 0; j < c->routes[i].n_rules; j++) {
			const struct rule *rule = &c->routes[i].rules[j];
			uint64_t most = memory_largest(rule, c->routes[i].limits.body);

			if (rule->to == d && most > largest)
				largest = most;
		}
	return largest;
}

static void
complain_of_size(struct loading *l, struct spot spot, const char *why, uint64_t size)
{
	struct buf text = { 0 };

	buf_add_text(&text, why);
	scalar_add_size(&text, size);
	diag_error_take(l->diag, spot, &text);
}

/* Is it a line that a rule makes? Then it must not stand among the destination's own, too. */
static bool
is_made_by(const struct object_head *head, struct str name)
{
	size_t prefix = sizeof S3_METADATA - 1;

	if (head->disposition == DISPOSITION_ATTACHMENT && str_equal_nocase(name, STR("content-disposition")))
		return true;
	for (size_t i = 0; i < head->metadata.n; i++)
		if (str_starts_nocase(name, S3_METADATA) &&
			str_equal_nocase((struct str){ name.data + prefix, name.len - prefix },
				str_of(head->metadata.lines[i].name)))
			return true;
	return false;
}

/* False: reported. */
static bool
check_lines(struct loading *l, size_t at, const struct object_head *head)
{
	const struct s3_settings *s3 = s3_settings(&l->config->destinations[at]);

	for (size_t i = 0; i < s3->peer.headers.n; i++) {
		const char *name = s3->peer.headers.items[i].name;

		if (name == NULL || !is_made_by(head, str_of(name)))
			continue;
		diag_error(l->diag, s3_spot_of(l->destinations.items[at], "headers"),
			"header \"%s\" is also made of content_disposition or metadata", name);
		return false;
	}
	return true;
}

/* A client that follows a link sends none of our lines, and must not be given this key. False: reported. */
static bool
check_link(struct loading *l, size_t at, const struct rule *rule)
{
	const struct s3_settings *s3 = s3_settings(&l->config->destinations[at]);

	for (size_t i = 0; i < s3->peer.headers.n && rule->presign_ms > 0; i++) {
		const char *name = s3->peer.headers.items[i].name;

		if (name == NULL || !str_starts_nocase(str_of(name), S3_CUSTOMER_KEY))
			continue;
		diag_error(l->diag, s3_spot_of(l->destinations.items[at], "headers"),
			"header \"%s\": a rule has \"presign\", and nobody can follow a link to what is encrypted with a key of yours",
			name);
		return false;
	}
	return true;
}

/* A key that ends in '/' is refused with the template already (TEMPLATE_FOR_KEY). */
static void
warn_of_key(struct loading *l, const struct rule *rule, const struct node *node)
{
	const char *key = rule->target != NULL ? rule->target->source : "";
	const struct node *target = yaml_tree_get(node, rule->action == ACTION_CONCAT ? "concat" : "store");

	if (target != NULL && key[0] != '\0' && key[strlen(key) - 1] == '\\')
		diag_warn(l->diag, s3_spot_of(target, "key"),
			"key: it ends in '\\', which some stores (SeaweedFS) take for a '/': they drop what is stored there, and "
			"say that it went well");
}

/* Checks all rules that store there, until something is wrong with one. */
static void
check_rules(struct loading *l, size_t at)
{
	const struct config *c = l->config;
	bool ok = true;

	for (size_t i = 0; i < c->n_routes && ok; i++)
		for (size_t j = 0; j < c->routes[i].n_rules && ok; j++) {
			const struct rule *rule = &c->routes[i].rules[j];
			struct object_head head;

			if (rule->to != &c->destinations[at])
				continue;
			head = object_head_of(rule);
			ok = check_lines(l, at, &head) && check_link(l, at, rule);
			warn_of_key(l, rule, loading_rule_node(l, i, j));
		}
}

static void
after_rules(struct loading *l, size_t at)
{
	const struct destination *d = &l->config->destinations[at];
	const struct node *node = l->destinations.items[at];
	uint64_t largest = largest_object(l->config, d);
	uint64_t piece = s3_plan_piece(mine(d->settings)->part_size, largest);

	if (node->kind == NODE_MAP) {
		check_rules(l, at);
		s3_kind_check_sweep(l, at);
	}
	if (node->kind == NODE_MAP && s3_plan_parts(largest, piece) > S3_PARTS_MAX)
		complain_of_size(l, s3_spot_of(node, "part_size"),
			"part_size: 10,000 parts are too few for the largest object that a rule lets come; it takes parts of ",
			s3_plan_part_size(largest));
}

static void
free_settings(struct destination_settings *settings)
{
	struct s3_settings *s3 = mine(settings);

	headers_wipe(s3->credentials.access_key);
	headers_wipe(s3->credentials.secret_key);
	headers_wipe(s3->credentials.session_token);
	mem_free(s3->credentials.profile);
	mem_free(s3->host);
	mem_free(s3->path);
	mem_free(s3->region);
	mem_free(s3->bucket);
	mem_free(s3->sweep_prefix);
	object_head_free(&s3->head);
	peer_free(&s3->peer);
}

/* -- its traits ---------------------------------------------------------------------------------------- */

static bool
place(const struct config *config, size_t at, bool elsewhere, struct buf *out)
{
	const struct s3_settings *s3 = s3_settings(&config->destinations[at]);

	(void)elsewhere;
	if (s3->host == NULL || s3->path == NULL || s3->peer.url == NULL)
		return false;
	whereabouts_add_url(out, s3->peer.url);
	return true;
}

static bool
can_undo(const struct destination_settings *settings)
{
	return mine(settings)->undo_delete;
}

static bool
restores(const struct destination_settings *settings)
{
	return mine(settings)->refuses_existing;
}

static size_t
keep_max(const struct destination_settings *settings)
{
	return (size_t)mine(settings)->put_max;
}

/* Memory for one part, for the requests beside it, and for what has to be remembered of each part. */
static uint64_t
form_memory(const struct destination_settings *settings, uint64_t largest)
{
	uint64_t piece = s3_plan_piece(mine(settings)->part_size, largest);
	uint64_t chunks = s3_plan_chunks(piece, CHUNK_SIZE) + S3_REQUEST_CHUNKS;

	return chunks * CHUNK_SIZE + CHUNK_SIZE + s3_plan_receipts(largest, piece);
}

static const struct object_head *
head(const struct destination_settings *settings)
{
	return &mine(settings)->head;
}

/* A try may have to connect, and ends when nothing moves for `idle`; before the next try there is a wait. */
static uint64_t
call_ms(const struct s3_settings *s3)
{
	const struct http_peer *peer = &s3->peer;
	uint64_t once = (peer->idle_ms < peer->total_ms ? peer->idle_ms : peer->total_ms) +
		peer->connect_ms * (peer->retry_connect + 1);

	return (s3->retry_parts + 1) * once + s3->retry_parts * S3_RETRY_AFTER_MAX_S * UINT64_C(1000);
}

/* These calls may follow one another: the last part is sent; the first object completes; the others do; one of which the outcome
 * is not known is looked for, aborted, and looked for once more; all are taken back. Silence does not end a Complete, because a
 * store may need minutes for it, but `total` does. That is counted once, because a store in which several take so long is dead. */
static uint64_t
silence_ms(const struct destination_settings *settings)
{
	const struct s3_settings *s3 = mine(settings);

	return 6 * call_ms(s3) + s3->peer.total_ms + S3_ABORT_MS;
}

static const struct http_peer *
ready_peer(const struct destination_settings *settings)
{
	return mine(settings)->ready_connect ? &mine(settings)->peer : NULL;
}

const struct destination_kind s3_kind = {
	.word = "s3",
	.noun = "an s3 destination",
	.keys = &s3_keys,
	.settings_size = sizeof(struct s3_settings),
	.traits = KIND_LENGTH | KIND_LASTS | KIND_UPLOADS | KIND_TYPE | KIND_METADATA | KIND_LINKS,
	.style = TEMPLATE_FOR_KEY,
	.link = link_keys,
	.after_rules = after_rules,
	.free = free_settings,
	.place = place,
	.can_undo = can_undo,
	.restores = restores,
	.keep_max = keep_max,
	.form_memory = form_memory,
	.head = head,
	.metadata = S3_METADATA,
	.metadata_max = S3_METADATA_MAX - (sizeof S3_METADATA METADATA_OWN_NAME - 1) - (UUID_SIZE - 1),
	.silence_ms = silence_ms,
	.ready_peer = ready_peer,
};
