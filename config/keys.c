// SPDX-License-Identifier: MIT
/* keys.c - see keys.h. From the innermost tables to the whole file. Ranges are generous: they keep out
 * slips of the pen and overflow, not taste. */
#include "config/keys.h"

#include "config/app.h"
#include "config/authorize.h"
#include "config/cors.h"
#include "config/kind.h"
#include "config/limits.h"
#include "config/matching.h"
#include "config/needs.h"
#include "config/object_head.h"
#include "config/rows.h"
#include "config/texts.h"
#include "config/verify.h"

#include <string.h>

/* -- rules ---------------------------------------------------------------------------------------- */

static const struct key store_keys[] = {
	{ "to", KEY_REFERENCE, .required = true, .help = "Name of a destination." },
	{ "method", KEY_WORD, .fallback = "PUT", WORDS({ "PUT", STORE_PUT }, { "POST", STORE_POST }),
		AT(rule, method), .help = "HTTP method; for http destinations only." },
	{ "path", KEY_TEMPLATE, .group = "name",
		.help = "Template of the object's name: path below the destination's URL, file below its folder, or key in its bucket." },
	{ "key", KEY_TEMPLATE, .group = "name", .help = "Another word for `path`." },
	{ "content_type", KEY_CONTENT_TYPE, .max = CONTENT_TYPE_MAX,
		WORDS({ "declared", CONTENT_TYPE_DECLARED }, { "detected", CONTENT_TYPE_DETECTED }),
		AT(rule, head.type),
		.help = "`Content-Type` of the object, for http and s3 destinations: the one that is said here, or `declared`: what the "
			"client says that it is, or `detected`: what its first bytes are (of a `concat` both are `application/octet-stream`). Without it as the destination has it." },
	{ "content_disposition", KEY_WORD,
		WORDS({ "none", DISPOSITION_NONE }, { "attachment", DISPOSITION_ATTACHMENT }),
		AT(rule, head.disposition),
		.help = "`attachment`: the object says that a browser shall save it, under the client's file name; for s3 "
			"destinations. Without it as the destination has it." },
	{ "metadata", KEY_METADATA, .max = METADATA_LINES_MAX, AT(rule, head.metadata),
		.help = "What stands beside the object (see What an object says of itself); for s3 destinations. Instead of all that the destination has." },
	{ "headers", KEY_LINES, AT(rule, head.lines),
		.help = "Header lines of the requests that make and remove the object, beside those of the destination: text, `{ env: NAME }`, `{ file: PATH }` or "
			"`{ template: TEXT }` (see What of a request a store gets); for http destinations." },
	{ "pass", KEY_PASSED_ON, .min = 1, .max = PASS_MAX, AT(rule, head.pass),
		.help = "Headers of the client that go with the object, beside those that the destination names; for http destinations." },
	{ "presign", KEY_TIME, .min = 1000, .max = 7 * DAY_MS, AT(rule, presign_ms),
		.help = "The summary has a link by which whoever has it can get the object for so long, in whole seconds (see A link to an "
			"object); for s3 destinations. Without it there is none." },
};
static const struct key_table store = { "`store`", "routes[].fields[].store", KEYS(store_keys) };
static const struct key_table concat = { "`concat`", "routes[].fields[].concat", KEYS(store_keys) };

#define DIGESTS                                                                                                    \
	WORDS({ "none", 0 }, { "sha256", DIGEST_SHA256 }, { "sha512", DIGEST_SHA512 }, { "sha1", DIGEST_SHA1 },    \
		{ "md5", DIGEST_MD5 }, { "crc32c", DIGEST_CRC32C }, { "crc64nvme", DIGEST_CRC64NVME })

static const struct key types_keys[] = {
	{ "declared", KEY_TYPE_GLOBS, .min = 1, .max = TEXTS_MAX, AT(rule, types.declared),
		.help = "Media types, exact or globs such as `image/*`, of which the `Content-Type` of each part has to be one (see What a "
			"file may be). Any other is 415. Without it any." },
	{ "detected", KEY_TYPES, .min = 1, .max = TEXTS_MAX, AT(rule, types.detected),
		.help = "Media types of which the first bytes of each part have to be one, whatever the client says: libmagic looks at up to "
			"8KiB of them before anything goes on. Any other is 415. Without it any." },
};
static const struct key_table types = { "`types`", "routes[].fields[].types", KEYS(types_keys) };

static const struct key rule_names_keys[] = {
	{ "long", KEY_WORD, .fallback = "refuse", WORDS({ "refuse", false }, { "shorten", true }),
		AT(rule, shortens_names),
		.help = "What happens to a form that would get a name which is too long for its destination (see How long a name may be): "
			"`refuse` answers 422, `shorten` cuts what clients have brought into it, and puts a hash there." },
};
static const struct key_table rule_names = { "`names` of a field rule", "routes[].fields[].names",
	KEYS(rule_names_keys) };

static const struct key rule_keys[] = {
	{ "name", KEY_TEXT, .required = true, .max = 256, AT(rule, name),
		.help = "Field name, exact or a glob: `*` is any run of bytes, `?` is one byte." },
	{ "kind", KEY_WORD, .fallback = "any",
		WORDS({ "file", PART_FILE }, { "value", PART_VALUE }, { "any", PART_ANY }), AT(rule, kind),
		.help = "`file`: parts with a filename; `value`: parts without." },
	{ "nth", KEY_COUNT, .fallback = "any", .min = 1, .max = 100000, WORDS({ "any", 0 }), AT(rule, nth),
		.help = "Only the n-th part that fits name and kind, from 1; the others go on to later rules." },
	{ "max_size", KEY_SIZE, .fallback = "none", .min = 0, .max = SIZE_TOP, WORDS(NONE), AT(rule, max_size),
		.help = "Bytes of one part." },
	{ "min_size", KEY_SIZE, .fallback = "0B", .min = 0, .max = SIZE_TOP, AT(rule, min_size),
		.help = "A part with fewer bytes refuses the form; 1 with `required: true`: the field must not be empty." },
	{ "max_count", KEY_COUNT, .fallback = "none", .min = 1, .max = 100000, WORDS(NONE), AT(rule, max_count),
		.help = "Parts that this rule may take; one more refuses the form." },
	{ "required", KEY_BOOL, .fallback = "false", AT(rule, required),
		.help = "At least one part must have been taken by this rule." },
	{ "buffer", KEY_BOOL, .fallback = "false", AT(rule, buffer),
		.help = "Collect the part and send it with its length, for upstreams that need one, and to a bucket in one request; only `store` to "
			"http and s3, and `max_size` must be given and at most half of `memory`." },
	{ "digest", KEY_WORDS, DIGESTS, AT(rule, digests),
		.help = "What is made of each part's bytes while they pass, for the summary, `penstock explain` and the log, all in "
			"lower-case hex (of a CRC the highest byte first). Default: what `digest` of the route says; a list here "
			"replaces that one, and `none` or `[]` says none." },
	{ "verify", KEY_TABLE, TABLES(&verify_keys),
		.help = "Digests that each part says of itself, and that have to be so (see Digests that a client says)." },
	{ "forward", KEY_TRUE, .instead = "action", AT(rule, forward),
		.help = "`true`: the application of the route (`app`) gets the value; only for values. None of the four below is needed "
			"then." },
	{ "types", KEY_TABLE, TABLES(&types), .help = "What each part has to be." },
	{ "extensions", KEY_EXTENSIONS, .min = 1, .max = TEXTS_MAX, AT(rule, extensions),
		.help = "Extensions without the dot, in any case: each part has a file name that ends in a dot and one of them. Any other "
			"name, and none, is 415. Without it any." },
	{ "names", KEY_TABLE, TABLES(&rule_names), .help = "Names of its objects." },
	{ "needs", KEY_TABLE, TABLES(&needs_keys),
		.help = "Fields that its parts need (see A name made of another field)." },
	{ "store", KEY_TABLE, .group = "action", TABLES(&store),
		.help = "Each part becomes an object of its own." },
	{ "concat", KEY_TABLE, .group = "action", TABLES(&concat),
		.help = "All parts that this rule takes go, in order, into one object." },
	{ "drop", KEY_TRUE, .group = "action", .help = "`true`: the part is read and thrown away." },
	{ "reject", KEY_TRUE, .group = "action", .help = "`true`: the form is refused." },
};
static const struct key_table rule = { "a field rule", "routes[].fields[]", KEYS(rule_keys) };

/* -- routes --------------------------------------------------------------------------------------- */

static const struct key cors_keys[] = {
	{ "origins", KEY_ORIGINS, .required = true, .min = 1, .max = TEXTS_MAX, AT(route, cors.origins),
		.help = "Origins of the pages, as browsers write them: `https://app.example.org`; `https://*.example.org` takes any name "
			"below it; `*` alone takes every one. Never `null`." },
	{ "headers", KEY_HEADER_NAMES,
		.fallback = "content-type, content-disposition, cache-control, x-requested-with", .min = 0,
		.max = CORS_NAMES_MAX, AT(route, cors.headers),
		.help = "Headers that a page may send, `authorization` for example: a list that replaces the default. `*`: any but that one, "
			"and not with `credentials`." },
	{ "expose", KEY_HEADER_NAMES, .fallback = "location, x-request-id, retry-after", .min = 0,
		.max = CORS_NAMES_MAX, AT(route, cors.expose),
		.help = "Headers of an answer that a page may read: a list that replaces the default." },
	{ "max_age", KEY_TIME, .fallback = "10m", .min = 0, .max = DAY_MS, AT(route, cors.max_age_ms),
		.help = "How long a browser may go by an answer to its question before it asks again, in whole seconds." },
	{ "credentials", KEY_BOOL, .fallback = "false", AT(route, cors.credentials),
		.help = "`true`: a page may send its cookies and what else the browser knows of the user; not with `*`." },
};
static const struct key_table cors = { "`cors`", "routes[].cors", KEYS(cors_keys) };

static const struct key body_keys[] = {
	{ "raw", KEY_TEXT, .required = true, .max = 256, AT(route, raw),
		.help = "The body is one file of the field with this name, whatever its type, sent by PUT or POST. Its name is that of "
			"`Content-Disposition`, else the last segment of the path. A form (`multipart/form-data`) is 415." },
};
static const struct key_table body = { "`body`", "routes[].body", KEYS(body_keys) };

static const struct key response_keys[] = {
	{ "status", KEY_COUNT, .fallback = "201", .min = 200, .max = 299, AT(route, response.status),
		.help = "Status of the answer to a form that was committed." },
	{ "json", KEY_WORD, .fallback = "summary",
		WORDS({ "summary", RESPONSE_SUMMARY }, { "none", RESPONSE_NONE }), AT(route, response.json),
		.help = "Its body: the summary of all parts, or nothing." },
	{ "from", KEY_WORD, WORDS({ "upstream", RESPONSE_UPSTREAM }, { "app", RESPONSE_APP }),
		AT(route, response.from),
		.help = "`upstream`: pass on the answer of the route's one transfer instead: status, `Location`, and its "
			"body with its type if that is at most 64KiB; `app`: pass on the application's answer." },
	{ "redirect", KEY_TEMPLATE,
		.help = "Template of a `Location`: the answer is 303 without a body, and a browser goes there. Begins with `/` or "
			"with `http://` or `https://` and a host; may hold `{request_id}`, `{path.N}`, `{query.NAME}`, "
			"`{header.NAME}` and `{date:FORMAT}`." },
};
static const struct key_table response = { "`response`", "routes[].response", KEYS(response_keys) };

static const struct key route_keys[] = {
	{ "id", KEY_ID, .required = true, AT(route, id),
		.help = "Name of the route in logs and answers; stands once." },
	{ "match", KEY_TABLE, TABLES(&matching_keys),
		.help = "Which requests the route takes; the first that fits wins." },
	{ "cors", KEY_TABLE, TABLES(&cors),
		.help = "Which pages of other origins may send here and read the answers, refusals too (see Pages of other origins); without it "
			"none." },
	{ "authorize", KEY_TABLE, TABLES(&authorize_keys),
		.help = "The application that is asked before a body comes in (see The application is asked)." },
	{ "body", KEY_TABLE, TABLES(&body),
		.help = "What a body is; without it a form (`multipart/form-data`), and nothing else." },
	{ "limits", KEY_TABLE, TABLES(&limits_keys), .help = "What a form may cost." },
	{ "fields", KEY_LIST, .required = true, .min = 1, .max = 1024, TABLES(&rule), AT(route, rules),
		ENTRIES(route, n_rules, rule), .help = "Field rules; the first that fits a part wins." },
	{ "digest", KEY_WORDS, .fallback = "none", DIGESTS, AT(route, digests),
		.help = "`digest` of all its field rules that do not say it themselves." },
	{ "default", KEY_WORD, .fallback = "reject", WORDS({ "reject", ACTION_REJECT }, { "drop", ACTION_DROP }),
		AT(route, fallback), .help = "What happens to a part that no rule takes." },
	{ "commit", KEY_WORD, .fallback = "all", WORDS({ "all", COMMIT_ALL }, { "each", COMMIT_EACH }),
		AT(route, commit),
		.help = "`all`: everything becomes visible when the whole form is good, or nothing; `each`: a part as "
			"soon as it has ended." },
	{ "app", KEY_TABLE, TABLES(&app_table),
		.help = "The application that is told of each form, and has a say in it (see sidecar/sink/app/README.md)." },
	{ "response", KEY_TABLE, TABLES(&response), .help = "The answer to a form that was committed." },
};
static const struct key_table route = { "a route", "routes[]", KEYS(route_keys) };

/* -- the whole file --------------------------------------------------------------------------------- */

static const struct key threads_keys[] = {
	{ "workers", KEY_COUNT, .fallback = "auto", .min = 1, .max = 256, WORDS({ "auto", 0 }), AT(config, workers),
		.help = "Event loops; `auto`: one per CPU that the process may use." },
	{ "placement", KEY_WORD, .fallback = "local",
		WORDS({ "local", PLACEMENT_LOCAL }, { "spread", PLACEMENT_SPREAD }), AT(config, placement),
		.help = "Whether a transfer stays on its request's worker or may go to another." },
};
static const struct key_table threads = { "`threads`", "threads", KEYS(threads_keys) };

static const struct key log_keys[] = {
	{ "level", KEY_WORD, .fallback = "info",
		WORDS({ "error", LOG_ERROR }, { "warn", LOG_WARN }, { "info", LOG_INFO }, { "debug", LOG_DEBUG }),
		AT(config, log_level),
		.help = "The least important lines that are written. A request is `error` if it was answered 5xx, `warn` if "
			"408, 413, 422 or 429, else `info`." },
	{ "format", KEY_WORD, .fallback = "json", WORDS({ "text", LOG_TEXT }, { "json", LOG_JSON }),
		AT(config, log_format), .help = "The form of a line." },
};
static const struct key_table log_table = { "`log`", "log", KEYS(log_keys) };

static const struct key shutdown_keys[] = {
	{ "delay", KEY_TIME, .fallback = "0s", .min = 0, .max = YEAR_MS, AT(config, delay_ms),
		.help = "How long after SIGTERM new requests are still taken while `/readyz` says no: "
			"longer than a gateway needs to notice. After it the agent goes on to say what others would take." },
	{ "drain", KEY_TIME, .fallback = "30s", .min = 0, .max = YEAR_MS, AT(config, drain_ms),
		.help = "How long running requests may go on after that. Then they are given up; a store that owes the "
			"answer to a commit is waited for one second more." },
};
static const struct key_table shutdown = { "`shutdown`", "shutdown", KEYS(shutdown_keys) };

static const struct key client_timeout_keys[] = {
	{ "head", KEY_TIME, .fallback = "30s", .min = 1, .max = YEAR_MS, AT(config, client.head_ms),
		.help = "From connecting to the end of the first request's head." },
	{ "keep_alive", KEY_TIME, .fallback = "75s", .min = 1, .max = YEAR_MS, AT(config, client.keep_alive_ms),
		.help = "From an answer to the end of the next request's head." },
	{ "idle", KEY_TIME, .fallback = "60s", .min = 1, .max = YEAR_MS, AT(config, client.idle_ms),
		.help = "Longest time without a byte from a client that may send." },
	{ "total", KEY_TIME, .fallback = "24h", .min = 1, .max = YEAR_MS, AT(config, client.total_ms),
		.help = "From a request's first line until all is stored; then it is given up, 408. What a store is just completing "
			"is waited for first, within the `timeout` of that destination." },
};
static const struct key_table client_timeout = { "`timeout` of `client`", "client.timeout",
	KEYS(client_timeout_keys) };

static const struct key client_keys[] = {
	{ "connections", KEY_COUNT, .fallback = "auto", .min = 1, .max = 1000000, WORDS({ "auto", 0 }),
		AT(config, client.connections),
		.help = "Clients at once, over all workers; `auto`: as many as descriptors allow (two each), 65536 at the most. More is cut to that." },
	{ "questions", KEY_COUNT, .fallback = "1000", .min = 1, .max = 1000000, AT(config, client.questions),
		.help = "Questions to applications under way at once (`authorize`), each worker having its share; further ones wait for "
			"their turn." },
	{ "questions_each", KEY_COUNT, .fallback = "100", .min = 1, .max = 1000000,
		AT(config, client.questions_each),
		.help = "The same of one client's address (of IPv6 its /64), on each worker." },
	{ "timeout", KEY_TABLE, TABLES(&client_timeout), .help = "How long a client may take." },
};
static const struct key_table client = { "`client`", "client", KEYS(client_keys) };

static const struct key listen_keys[] = {
	{ "addr", KEY_ADDRESS, .required = true, .help = "`host:port`, `:port`, `[::1]:port` or `unix:/path`." },
	{ "proxy_protocol", KEY_BOOL, .fallback = "false", AT(listen, proxy_protocol),
		.help = "Every connection begins with a PROXY protocol header, version 1 or 2; others are closed. It is "
			"believed if the one who connects is in `trust.proxies`; the headers of a request then only if "
			"the address in it is, too." },
};
static const struct key_table listen_entry = { "an entry of `listen`", "listen[]", KEYS(listen_keys) };

static const struct key admin_keys[] = {
	{ "listen", KEY_LISTEN, .required = true, .min = 1, .max = 64, AT(config, admin.listen),
		.count_offset = offsetof(struct config, admin.n_listen),
		.help = "Address or list of addresses for `/livez`, `/readyz`, `/version` and `/metrics`; `penstock health` asks the "
			"first." },
};
static const struct key_table admin = { "`admin`", "admin", KEYS(admin_keys) };

static const struct key spoa_keys[] = {
	{ "listen", KEY_LISTEN, .required = true, .min = 1, .max = 64, AT(config, spoa.listen),
		.count_offset = offsetof(struct config, spoa.n_listen),
		.help = "Address or list of addresses for HAProxy's SPOE." },
	{ "max_frame", KEY_SIZE, .fallback = "16380B", .min = 256, .max = MIB, AT(config, spoa.max_frame),
		.help = "The longest frame; HAProxy offers `tune.bufsize` less 4, and the smaller one holds." },
	{ "max_connections", KEY_COUNT, .fallback = "256", .min = 1, .max = 65536, AT(config, spoa.max_connections),
		.help = "Connections at once; one more is told that there is no room (status 13), but for health checks." },
	{ "idle", KEY_TIME, .fallback = "60s", .min = 1, .max = YEAR_MS, AT(config, spoa.idle_ms),
		.help = "A connection on which no frame came for so long is closed; HAProxy should close it sooner (`timeout idle`)." },
};
static const struct key_table spoa = { "`spoa`", "spoa", KEYS(spoa_keys) };

static const struct key trust_keys[] = {
	{ "proxies", KEY_NETWORKS, .fallback = "local", .min = 1, .max = 256, AT(config, trust),
		.help = "Addresses or networks (`10.0.0.0/8`, `::1`), `unix` (any unix socket), `local` (loopback and "
			"`unix`) or `none`; one or a list." },
};
static const struct key_table trust = { "`trust`", "trust", KEYS(trust_keys) };

static const struct key file_keys[] = {
	{ "version", KEY_COUNT, .required = true, .min = 1, .max = 1,
		.help = "The version of this format; every file says it." },
	{ "listen", KEY_LISTEN, .fallback = "127.0.0.1:8081", .min = 1, .max = 64, TABLES(&listen_entry),
		AT(config, listen), .count_offset = offsetof(struct config, n_listen),
		.help = "Address or list of addresses: `host:port`, `:port`, `[::1]:port`, `unix:/path`, or a mapping as "
			"below." },
	{ "memory", KEY_SIZE, .fallback = "64MiB", .min = 4 * MIB, .max = TIB, AT(config, memory),
		.help = "All body bytes in flight, over all requests, live in this much memory. When little is left, "
			"clients that stall are given up with 408, the slowest first." },
	{ "memory_wait", KEY_TIME, .fallback = "30s", .min = 0, .max = YEAR_MS, AT(config, memory_wait_ms),
		.help = "Where a destination holds much of `memory` for each form, it is set aside before `100 Continue`, and before the body "
			"is read. A form that finds none waits, first come, first served; after so long it is 503. While others wait, "
			"clients that send less than 160 KiB in ten seconds are given up with 408. A gateway in front has to bear that "
			"silence." },
	{ "state", KEY_TEXT, .max = 4096, AT(config, state),
		.help = "Folder for the journal of commits, of this machine and kept over restarts; made if it is missing. With it, what a "
			"crash in the middle of a commit has left of a form whose objects are in several places, or are several objects of one "
			"store, is taken back by the next start: files always, objects of a store with `undo: DELETE` whose name holds `{uuid}` "
			"or `{request_id}`. Of a form that was given up, penstock goes on to ask for such objects while it runs. Unfinished uploads "
			"in buckets are ended, too." },
	{ "threads", KEY_TABLE, TABLES(&threads), .help = "The event loops." },
	{ "log", KEY_TABLE, TABLES(&log_table),
		.help = "What is logged, on stdout. No upload waits for the reader of the log: lines "
			"that it does not take in time are dropped and counted, and the log says how many." },
	{ "shutdown", KEY_TABLE, TABLES(&shutdown), .help = "How the program ends." },
	{ "client", KEY_TABLE, TABLES(&client), .help = "What a client may cost, on every listener." },
	{ "trust", KEY_TABLE, TABLES(&trust),
		.help = "From whom `X-Forwarded-For`, `Forwarded`, `X-Request-Id` and `traceparent` are believed; from "
			"anyone else they are dropped." },
	{ "admin", KEY_TABLE, TABLES(&admin),
		.help = "Where the process says whether it is alive and ready; without it nowhere." },
	{ "spoa", KEY_TABLE, TABLES(&spoa),
		.help = "The agent that HAProxy asks before a body; without it there is none." },
	{ "destinations", KEY_MAP, .min = 1, .max = 1024, .tables = destination_tables, AT(config, destinations),
		.help = "Places that take bytes, by name. Several files share one name space." },
	{ "routes", KEY_LIST, .min = 1, .max = 4096, TABLES(&route), AT(config, routes),
		ENTRIES(config, n_routes, route),
		.help = "What happens to which request. Those of several files follow each other." },
};
static const struct key_table file = { "a route file", "", KEYS(file_keys) };

const struct key_table *
keys_file(void)
{
	return &file;
}

const struct key *
keys_find(const struct key_table *table, const char *name)
{
	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->keys[i].name, name) == 0)
			return &table->keys[i];
	return NULL;
}

static const struct key_table *
find_below(const struct key_table *table, const char *name, const struct key_table *not_this)
{
	const struct key_table *found = table != not_this && keys_find(table, name) != NULL ? table : NULL;

	for (size_t i = 0; i < table->n && found == NULL; i++)
		for (const struct key_table *const *t = table->keys[i].tables;
			t != NULL && *t != NULL && found == NULL; t++)
			found = find_below(*t, name, not_this);
	return found;
}

const struct key_table *
keys_elsewhere(const char *name, const struct key_table *not_this)
{
	static const struct key_table *const all[] = { &route, &authorize_keys, &rule, &rule_names, &needs_keys,
		&verify_keys, &types, &matching_keys, &cors, &limits_keys, &limits_per_client_keys, &body,
		&app_table, &response, &file, &threads, &log_table, &shutdown, &client, &client_timeout,
		&listen_entry, &admin, &spoa, &trust };
	const struct key_table *found = NULL;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i] != not_this && keys_find(all[i], name) != NULL)
			return all[i];
	for (const struct key_table *const *t = destination_tables; *t != NULL && found == NULL; t++)
		found = find_below(*t, name, not_this);
	return found != NULL ? found : find_below(&store, name, not_this);
}
