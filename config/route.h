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

/* -- rules and routes -------------------------------------------------------------------------- */

enum part_kind { PART_ANY, PART_VALUE, PART_FILE }; /* PART_FILE: the part has a filename */
enum action { ACTION_STORE, ACTION_CONCAT, ACTION_DROP, ACTION_REJECT };
enum store_method { STORE_PUT, STORE_POST };

/* Bits of what a rule wants to know of its parts' bytes. */
enum digest {
	DIGEST_SHA256 = 1 << 0,
	DIGEST_SHA512 = 1 << 1,
	DIGEST_SHA1 = 1 << 2,
	DIGEST_MD5 = 1 << 3,
	DIGEST_CRC32C = 1 << 4,
	DIGEST_CRC64NVME = 1 << 5,
};

/* What a rule compares with, in lower case. None: it does not ask. */
struct texts {
	char **items;
	size_t n;
};

/* What a part has to be. */
struct types {
	struct texts declared; /* globs of media types: by its Content-Type */
	struct texts detected; /* media types: by its first bytes */
	bool wants_detected; /* what its first bytes are has to be known, for `detected` or something else of the rule */
};

struct rule {
	char *name; /* exact, or a glob with '*' and '?' (glob_match) */
	enum part_kind kind;
	unsigned nth;      /* takes only the n-th part that fits name and kind, from 1; 0: any */
	uint64_t min_size; /* a part with fewer bytes refuses the form */
	uint64_t max_size;
	uint64_t max_count; /* parts that this rule may take */
	bool required;      /* at least one part must have been taken by this rule */
	bool buffer;        /* collect the part (up to max_size) and send it with its length at commit */
	unsigned digests;   /* of enum digest; those of the route, if the rule says nothing */
	struct types types;
	struct texts extensions; /* of the file name */
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

enum segment_kind { SEGMENT_TEXT, SEGMENT_ONE, SEGMENT_REST }; /* text, "*", "**" (last only) */

struct path_segment {
	enum segment_kind kind;
	char *text; /* decoded; NULL unless SEGMENT_TEXT */
};

struct match {
	char *host;                    /* lower case; "*.example.org" takes any name below it; NULL: any host */
	struct path_segment *segments; /* of "/albums/x/photos": three; none and !any_path: "/" alone */
	size_t n_segments;
	bool any_path;  /* no `path` was given */
	bool has_path;  /* one was, and it could be read whole. Neither: a mistake, which was reported */
	char **methods; /* as written, upper case; POST alone where none is given */
	size_t n_methods;
};

struct limits {
	uint64_t body;        /* bytes of the request's body */
	uint64_t parts;       /* parts of a form */
	uint64_t part_head;   /* bytes of one part's head, delimiter not counted */
	uint64_t values;      /* bytes of all parts without a filename together */
	uint64_t discard;     /* bytes that are read and thrown away after a refusal so that it arrives */
	uint64_t concurrent;  /* requests at once, over all workers */
	bool length_required; /* refuse a body whose length is not known before it comes */
};

enum commit_mode { COMMIT_ALL, COMMIT_EACH };
enum response_json { RESPONSE_SUMMARY, RESPONSE_NONE };

struct response {
	unsigned status; /* 200..299, for a form that was committed; 303 with `redirect` */
	enum response_json json;
	bool from_upstream; /* pass the answer of the one transfer of this route on */
	struct template
		*redirect; /* path, query and fragment of the Location, or NULL; nothing of a part is in it */
	char *origin;      /* in front of it: "", or "https://host:port" as the file has it */
};

struct route {
	char *id;
	struct match match;
	char *raw; /* the body is no form but one file, of the field of this name; NULL: a form */
	struct limits limits;
	struct rule *rules;
	size_t n_rules;
	unsigned digests;     /* of enum digest, for the rules that do not say it themselves */
	enum action fallback; /* for a part that no rule takes: ACTION_REJECT or ACTION_DROP */
	enum commit_mode commit;
	struct response response;
	uint64_t
		memory; /* bytes of it that a form of any length has to have before its body comes (memory.h); 0: none */
	size_t index; /* in struct config, from 0 */
	struct place place;
};

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

struct client_limits {          /* what a client may cost, on every listener */
	uint64_t head_ms;       /* from connecting to the end of the first request's head */
	uint64_t keep_alive_ms; /* from an answer to the end of the next request's head */
	uint64_t idle_ms;       /* longest time without a byte from a client that may send */
	uint64_t total_ms;      /* from a request's head to its answer */
	uint64_t connections;   /* at once over all workers; 0: as many as descriptors allow */
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
