// SPDX-License-Identifier: MIT
/* route.h - what the route files say, as plain immutable data: the contract between config/ and all
 * other rooms.
 *
 * Made by config_load() (load.h) and never written again, so any thread may read it without a lock.
 * Everything a struct config points to belongs to it and is freed by config_free(). Strings are
 * NUL-terminated; sizes are bytes, times are milliseconds. A limit of LIMIT_NONE is "no limit".
 */
#ifndef PENSTOCK_ROUTE_H
#define PENSTOCK_ROUTE_H

#include "base/log.h"
#include "base/str.h"
#include "config/header_lines.h"
#include "config/route_match.h"
#include "config/rule_asks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMIT_NONE UINT64_MAX

/* Where in the route files something was said. */
struct place {
	const char *file;
	unsigned line, column; /* from 1 */
};

/* -- templates: "{path.1}/{date:%Y}/{uuid}.{file.ext}" ---------------------------------------- */

enum template_kind {
	TEMPLATE_TEXT,         /* `text` as it stands; may hold '/' */
	TEMPLATE_UUID,         /* random, version 4 (RFC 9562) */
	TEMPLATE_PART,         /* number of the part in its form, from 1 */
	TEMPLATE_FIELD,        /* decoded field name */
	TEMPLATE_FILE_NAME,    /* decoded file name without any folder */
	TEMPLATE_FILE_EXT,     /* its extension without the dot, "" if there is none that is plain */
	TEMPLATE_DETECTED_EXT, /* the extension of the media type that its first bytes are, "" if none is known */
	TEMPLATE_PATH,         /* what the `number`-th wildcard of match.path took, from 1 */
	TEMPLATE_QUERY,        /* decoded value of query parameter `text` */
	TEMPLATE_HEADER,       /* value of request header `text` */
	TEMPLATE_DATE,         /* strftime(`text`) of the request's start, UTC */
	TEMPLATE_REQUEST_ID,   /* the request's id */
	TEMPLATE_GRANT,        /* what the application has granted as `text`, in lower case with '-' for '_' */
	TEMPLATE_FIELD_VALUE,  /* value of the form's field `text` */
};

struct template_piece {
	enum template_kind kind;
	unsigned number;
	char *text;   /* see above; NULL where the kind needs none */
	char *source; /* the placeholder as written, braces included; the text itself for TEMPLATE_TEXT */
};

struct template
{
	char *source;
	struct template_piece *pieces;
	size_t n_pieces;
};

/* -- what the header lines of an object say of it ---------------------------------------------- */

enum content_type_from { CONTENT_TYPE_UNSAID, CONTENT_TYPE_DECLARED, CONTENT_TYPE_DETECTED, CONTENT_TYPE_TEXT };

struct content_type {
	enum content_type_from
		from; /* CONTENT_TYPE_DECLARED: by the client; CONTENT_TYPE_DETECTED: by its first bytes */
	char *text;   /* CONTENT_TYPE_TEXT, else NULL */
};

enum content_disposition { DISPOSITION_UNSAID, DISPOSITION_NONE, DISPOSITION_ATTACHMENT };

struct metadata_line {
	char *name; /* without what the kind of destination puts in front of it */
	struct template *value;
};

struct metadata {
	struct metadata_line *lines;
	size_t n;
	bool is_said; /* also an empty one */
};

/* Of a rule, or of a destination for all rules that do not say it themselves: object_head_of() (object_head.h) has what holds. */
struct object_head {
	struct content_type type;
	enum content_disposition disposition;
	struct metadata metadata;
	struct header_lines lines; /* of the request that makes it, beside those of the server */
	struct texts pass;         /* names of the client's headers that go with it, in lower case */
	bool says_digest;          /* of a destination: a Content-Digest (RFC 9530) goes with it */
};

struct destination_kind;
struct destination_settings;

/* -- destinations ------------------------------------------------------------------------------ */

struct destination {
	char *name;
	const struct destination_kind *kind;   /* NULL: `type` could not be read */
	struct destination_settings *settings; /* of its kind, which alone looks into them (kind.h) */
	char *at; /* where it really is (whereabouts.h), without a '/' at the end: names are one if at, '/' and
			      * name are one, whatever the destinations are called. NULL: could not be read */
	struct place place;
};

/* -- applications ---------------------------------------------------------------------------------- */

/* What a question to an application is signed with (sink/app/sign.h). */
struct sign {
	char *keys[2]; /* secrets: the one in use, and a second one while it is changed; NULL: none */
	bool is_none;  /* the file says on purpose that nothing is signed */
};

/* -- rules and routes -------------------------------------------------------------------------- */

enum part_kind { PART_ANY, PART_VALUE, PART_FILE }; /* PART_FILE: the part has a filename */
enum action {
	ACTION_STORE,
	ACTION_CONCAT,
	ACTION_FORWARD,
	ACTION_DROP,
	ACTION_REJECT
}; /* ACTION_FORWARD: to the application
										   * and nowhere else */
enum store_method { STORE_PUT, STORE_POST };

struct rule {
	char *name; /* exact, or a glob with '*' and '?' (glob_match) */
	enum part_kind kind;
	unsigned nth;      /* takes only the n-th part that fits name and kind, from 1; 0: any */
	uint64_t min_size; /* a part with fewer bytes refuses the form */
	uint64_t max_size;
	uint64_t max_count;  /* parts that this rule may take */
	bool required;       /* at least one part must have been taken by this rule */
	bool shortens_names; /* of its objects, where they are too long */
	bool buffer;         /* collect the part (up to max_size) and send it with its length at commit */
	bool forward;        /* the application gets the part's value */
	unsigned digests;    /* of enum digest; those of the route, if the rule says nothing */
	struct types types;
	struct texts extensions; /* of the file name */
	struct rule_needs needs;
	struct rule_verify verify;
	enum action action;
	/* for ACTION_STORE and ACTION_CONCAT */
	const struct destination *to;
	enum store_method method;
	struct template *target; /* URL path below the destination's url, or file path below its folder */
	struct object_head head; /* as the rule has it */
	uint64_t
		presign_ms; /* how long a link to its objects lives, which stands in the summary; 0: there is none */
	size_t index;       /* of this rule in its route, from 0 */
	struct place place;
};

struct per_client {           /* what one client may have of a route at once, over all workers */
	uint64_t uploads;     /* that are under way */
	uint64_t connections; /* that have brought a request of the route, whatever comes of it */
	uint64_t rate;        /* bytes a second of all its bodies together */
};

struct limits {
	uint64_t body;       /* bytes of the request's body */
	uint64_t parts;      /* parts of a form */
	uint64_t part_head;  /* bytes of one part's head, delimiter not counted */
	uint64_t values;     /* bytes of all parts without a filename together */
	uint64_t discard;    /* bytes that are read and thrown away after a refusal so that it arrives */
	uint64_t concurrent; /* requests at once, over all workers */
	struct per_client per_client;
	uint64_t rate;        /* bytes a second of all its bodies together */
	uint64_t min_rate;    /* bytes a second that a client has to bring; 0: any */
	bool length_required; /* refuse a body whose length is not known before it comes */
};

enum ask_method { ASK_GET, ASK_HEAD, ASK_POST };

/* What is asked before a body comes in. */
struct authorize {
	bool is_said;                 /* the route has it, be it right or wrong */
	const struct destination *to; /* of a kind with KIND_APPLICATION; NULL: nobody is asked */
	struct template *target;      /* behind its URL; nothing of a part is in it */
	enum ask_method method;
	struct texts pass; /* names of the client's headers that go along, in lower case */
	uint64_t timeout_ms;
	struct sign sign;
	struct texts grants; /* each {grant.NAME} of the route's templates, once */
};

enum commit_mode { COMMIT_ALL, COMMIT_EACH };
enum response_json { RESPONSE_SUMMARY, RESPONSE_NONE };

enum response_from { RESPONSE_OURS, RESPONSE_UPSTREAM, RESPONSE_APP };

struct response {
	unsigned status; /* 200..299, for a form that was committed; 303 with `redirect` */
	enum response_json json;
	enum response_from
		from; /* whose answer the client gets: the one transfer's of this route, the application's */
	struct template
		*redirect; /* path, query and fragment of the Location, or NULL; nothing of a part is in it */
	char *origin;      /* in front of it: "", or "https://host:port" as the file has it */
};

/* Which pages of other origins may send here and read the answers (Fetch standard, "CORS protocol"). */
struct cors {
	struct texts
		origins; /* an origin, one whose host begins with a star and a dot, or a star alone; none: no page */
	char *headers;   /* names of headers that a page may send, as the answer lists them; may be empty */
	char *expose;    /* of headers of an answer that it may read, the same */
	uint64_t max_age_ms; /* how long a browser may remember what it was told */
	bool credentials;    /* also with cookies and the like */
};

/* -- the application that is told of a form ------------------------------------------------------------ */

enum app_form { APP_URLENCODED, APP_JSON };
enum app_when { APP_COMMITTED, APP_HELD };
enum app_method { APP_SAME, APP_POST, APP_PUT, APP_PATCH };

/* A set of statuses of HTTP: bit s - STATUS_MIN of the bytes is status s. */
#define STATUS_MIN 100u
#define STATUS_MAX 599u
struct statuses {
	unsigned char bits[(STATUS_MAX - STATUS_MIN + 8) / 8];
	bool is_said; /* also an empty one: `none` */
};

struct app {
	bool is_said;                 /* the route has one */
	const struct destination *to; /* of a kind with KIND_APPLICATION */
	struct template *path;        /* NULL: as the client has it */
	enum app_method method;
	enum app_form form;
	enum app_when when;
	bool reveal_path; /* where files lie on this machine is told */
	struct sign sign;
	struct texts pass;        /* headers of the client that it gets, in lower case */
	struct statuses undo_on;  /* answers that take the form back; nothing was said: all but 2xx and 3xx */
	struct template *failed;  /* where it is told that a form it may believe in does not stand */
	struct template *resolve; /* where it is asked whether it knows a form; NULL: nowhere */
	uint64_t answer;          /* bytes that the body of its answer may have */
	uint64_t timeout_ms;      /* of the whole question */
};

/* A field that a rule needs (needed.h): a form has at most one value of it, and no file. */
struct needed {
	const char *name;      /* belongs to `by` */
	const struct rule *by; /* the first rule that needs it */
	bool is_named;         /* names or metadata are made of its value, which is kept for that */
};

struct route {
	char *id;
	struct match match;
	struct cors cors;
	struct authorize authorize;
	char *raw; /* the body is no form but one file, of the field of this name; NULL: a form */
	struct limits limits;
	struct rule *rules;
	size_t n_rules;
	struct needed *needed; /* each field that any rule needs, once */
	size_t n_needed;
	unsigned digests;     /* of enum digest, for the rules that do not say it themselves */
	enum action fallback; /* for a part that no rule takes: ACTION_REJECT or ACTION_DROP */
	enum commit_mode commit;
	struct app app;
	struct response response;
	uint64_t
		memory; /* bytes of it that a form of any length has to have before its body comes (memory.h); 0: none */
	size_t index; /* in struct config, from 0 */
	struct place place;
};

/* A request of it brings one part alone, a file; no other field can stand beside it. */
static inline bool
route_is_one_file(const struct route *route)
{
	return route->raw != NULL;
}

/* -- the whole ----------------------------------------------------------------------------------- */

enum placement { PLACEMENT_LOCAL, PLACEMENT_SPREAD };

struct listen {
	char *host;          /* TCP: numeric address or name, "" for any; NULL for a unix socket */
	char *port;          /* TCP: decimal; NULL for a unix socket */
	char *unix_socket;   /* path; NULL for TCP */
	char *source;        /* as written */
	bool proxy_protocol; /* each connection begins with a PROXY header (v1 or v2), and only such are taken */
	struct place place;
};

/* Addresses whose first `bits` bits are those of `bytes`. */
struct network {
	bool is_v6;
	unsigned char bytes[16]; /* network order; four of them for IPv4 */
	unsigned bits;
};

/* The addresses from which PROXY headers, X-Forwarded-For, Forwarded, X-Request-Id and traceparent are believed. */
struct trust {
	struct network *networks;
	size_t n_networks;
	bool unix_sockets;
};

/* The agent that HAProxy asks (filter/spoa). */
struct spoa {
	struct listen *listen;
	size_t n_listen;          /* 0: no agent */
	uint64_t max_frame;       /* bytes, without the length in front */
	uint64_t max_connections; /* at once */
	uint64_t idle_ms;         /* longest time without a frame */
};

/* Health, metrics and version, for the operator (sidecar/admin). */
struct admin {
	struct listen *listen;
	size_t n_listen; /* 0: none */
};

struct client_limits {           /* what a client may cost, on every listener */
	uint64_t head_ms;        /* from connecting to the end of the first request's head */
	uint64_t keep_alive_ms;  /* from an answer to the end of the next request's head */
	uint64_t idle_ms;        /* longest time without a byte from a client that may send */
	uint64_t total_ms;       /* from a request's head to its answer */
	uint64_t connections;    /* at once over all workers; 0: as many as descriptors allow */
	uint64_t questions;      /* to applications, under way at once over all workers */
	uint64_t questions_each; /* the same of one client's */
};

struct config {
	struct listen *listen;
	size_t n_listen;
	char *state;             /* folder of the journal of commits; NULL: none */
	uint64_t memory;         /* bytes of the chunk pool */
	uint64_t memory_wait_ms; /* how long a form waits for its part of it */
	unsigned workers;        /* 0: one per CPU that the process may use */
	enum placement placement;
	enum log_level log_level;
	enum log_format log_format;
	uint64_t delay_ms; /* shutdown.delay */
	uint64_t drain_ms; /* shutdown.drain */
	struct client_limits client;
	struct trust trust;
	struct admin admin;
	struct spoa spoa;
	struct destination *destinations;
	size_t n_destinations;
	struct route *routes;
	size_t n_routes;
	char **files; /* names of the route files: what every struct place points to */
	size_t n_files;
};

#endif
