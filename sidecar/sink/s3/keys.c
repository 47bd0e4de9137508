// SPDX-License-Identifier: MIT
/* keys.c - the keys of a destination of type s3. */
#include "config/object_head.h"
#include "config/rows.h"
#include "sink/s3/settings.h"

static const struct key credential_keys[] = {
	{ "access_key", KEY_SECRET, AT(s3_settings, credentials.access_key),
		.help = "Text, `{ env: NAME }` or `{ file: PATH }`, read at the start and at a reload; needs `secret_key`." },
	{ "secret_key", KEY_SECRET, AT(s3_settings, credentials.secret_key),
		.help = "The same; needs `access_key`." },
	{ "session_token", KEY_SECRET, AT(s3_settings, credentials.session_token),
		.help = "Of keys that end by themselves." },
	{ "profile", KEY_TEXT, .max = 256, AT(s3_settings, credentials.profile),
		.help = "Instead of keys: a section of the SDKs' files (`~/.aws/credentials`, `~/.aws/config`)." },
};
static const struct key_table credentials = { "`credentials`", "destinations.NAME.credentials",
	KEYS(credential_keys) };

static const struct key retry_keys[] = {
	{ "connect", KEY_COUNT, .fallback = "2", .min = 0, .max = 10, AT(s3_settings, peer.retry_connect),
		.help = "Further tries to connect, of each request." },
	{ "parts", KEY_COUNT, .fallback = "4", .min = 0, .max = 20, AT(s3_settings, retry_parts),
		.help = "How often a request is sent again that found no answer, or was answered 429 or 5xx; a little later each "
			"time. Its bytes are still in memory." },
};
static const struct key_table retry = { "`retry`", "destinations.NAME.retry (type: s3)", KEYS(retry_keys) };

static const struct key sweep_keys[] = {
	{ "prefix", KEY_TEXT, .required = true, .max = 1024, AT(s3_settings, sweep_prefix),
		.help = "What the keys of the uploads begin with; so does each key that a rule makes here, and nobody else's." },
	{ "older_than", KEY_TIME, .fallback = "48h", .min = 1, .max = YEAR_MS, AT(s3_settings, sweep_older_ms),
		.help = "So long ago they were begun, by the store's clock; more than `client.timeout.total` and the destination's "
			"`timeout.total` together, so that nobody is at them any more." },
};
static const struct key_table sweep = { "`sweep`", "destinations.NAME.sweep", KEYS(sweep_keys) };

static const struct key rows[] = {
	{ "type", KEY_WORD, .required = true, WORDS({ "s3", 0 }), .help = "The kind of destination." },
	{ "bucket", KEY_TEXT, .required = true, .max = 63, AT(s3_settings, bucket),
		.help = "Name of the bucket, which has to be there." },
	{ "endpoint", KEY_URL, AT(s3_settings, peer),
		.help = "`https://host:port`, or `http://...` where nobody can listen; without it "
			"`https://s3.REGION.amazonaws.com`. The bucket is not in it." },
	{ "region", KEY_TEXT, .fallback = "us-east-1", .max = 64, AT(s3_settings, region),
		.help = "Goes into every signature; stores that have none take `us-east-1`, or `auto`." },
	{ "style", KEY_WORD, .fallback = "auto",
		WORDS({ "auto", S3_STYLE_AUTO }, { "path", S3_STYLE_PATH }, { "virtual", S3_STYLE_VIRTUAL }),
		AT(s3_settings, style),
		.help = "Where the bucket's name stands: `path`: `endpoint/bucket/key`; `virtual`: `bucket.endpoint/key`; `auto`: "
			"virtual for names of Amazon's, but path for a bucket with a dot in its name, and for all others." },
	{ "credentials", KEY_TABLE, TABLES(&credentials),
		.help = "The keys that requests are signed with; without it they come from where Amazon's SDKs look for them." },
	{ "part_size", KEY_SIZE, .fallback = "auto", .min = S3_PART_MIN, .max = S3_PART_MAX, WORDS({ "auto", 0 }),
		AT(s3_settings, part_size),
		.help = "What a stream is cut into; an upload holds one such part in memory. `auto`: 5MiB, or more where an object "
			"may be so large (`max_size`, `limits.body`, Content-Length) that 10,000 parts would not do." },
	{ "in_flight", KEY_COUNT, .fallback = "2", .min = 1, .max = S3_IN_FLIGHT_MAX, AT(s3_settings, in_flight),
		.help = "Parts of one object that are sent at the same time, as far as memory is free: one is always there." },
	{ "put_max", KEY_SIZE, .fallback = "256KiB", .min = KIND_KEEP_USUAL, .max = KIND_KEEP_MOST,
		AT(s3_settings, put_max),
		.help = "A part of up to so many bytes is kept in memory until the commit, and then sent in one request, as long as those that a "
			"form keeps are no more than a sixteenth of `memory`; after that of up to 16KiB." },
	{ "checksum", KEY_WORD, .fallback = "crc32c",
		WORDS({ "crc32c", S3_SUM_CRC32C }, { "crc64nvme", S3_SUM_CRC64NVME }, { "sha256", S3_SUM_SHA256 },
			{ "none", S3_SUM_NONE }),
		AT(s3_settings, checksum),
		.help = "Sent with each request that has bytes, for the store to compare; `sha256` is in the signature, too." },
	{ "exists", KEY_WORD, .fallback = "replace", WORDS({ "replace", false }, { "refuse", true }),
		AT(s3_settings, refuses_existing),
		.help = "`refuse`: 409 for a key that is there (`If-None-Match: *`). Some stores do not know that, and replace." },
	{ "undo", KEY_WORD, .fallback = "none", WORDS({ "none", false }, { "DELETE", true }),
		AT(s3_settings, undo_delete),
		.help = "How a committed object is taken back when a later part of the same form fails: the version that was made "
			"is deleted. In a bucket without versions, what it had replaced does not come back." },
	{ "sweep", KEY_TABLE, TABLES(&sweep),
		.help = "Unfinished uploads that a killed penstock has left in the bucket are ended: at the start, at a reload and "
			"once a day." },
	{ "content_type", KEY_CONTENT_TYPE, .fallback = "declared", .max = CONTENT_TYPE_MAX,
		WORDS({ "declared", CONTENT_TYPE_DECLARED }, { "detected", CONTENT_TYPE_DETECTED }),
		AT(s3_settings, head.type),
		.help = "`Content-Type` of its objects: the one that is said here, or `declared`: what the client says that they are, or `detected`: what their "
			"first bytes are. "
			"A rule may say it otherwise, as the two that follow." },
	{ "content_disposition", KEY_WORD, .fallback = "none",
		WORDS({ "none", DISPOSITION_NONE }, { "attachment", DISPOSITION_ATTACHMENT }),
		AT(s3_settings, head.disposition),
		.help = "`attachment`: they say that a browser shall save them, under the client's file name." },
	{ "metadata", KEY_METADATA, .max = METADATA_LINES_MAX, AT(s3_settings, head.metadata),
		.help = "What stands beside each of them, as `x-amz-meta-NAME` (see What an object says of itself)." },
	{ "headers", KEY_HEADERS, AT(s3_settings, peer.headers),
		.help = "Header lines of the request that makes an object, all signed: `x-amz-storage-class`, `x-amz-acl`, "
			"`x-amz-server-side-encryption`, `x-amz-tagging`, `Cache-Control`, ... A value is text, `{ env: NAME }` or "
			"`{ file: PATH }`." },
	{ "timeout", KEY_TABLE, AT(s3_settings, peer), TABLES(&peer_timeout),
		.help = "How long one request may take." },
	{ "retry", KEY_TABLE, TABLES(&retry), .help = "What is tried again." },
	{ "tls", KEY_TABLE, AT(s3_settings, peer), TABLES(&peer_tls), .help = "For `https://` only." },
	{ "names", KEY_TABLE, AT(s3_settings, common), TABLES(&destination_names),
		.help = "What clients may bring into names." },
	{ "ready", KEY_WORD, .fallback = "none", WORDS({ "none", false }, { "connect", true }),
		AT(s3_settings, ready_connect),
		.help = "`connect`: `/readyz` says no while the store cannot be connected to (TLS included), which is tried every "
			"few seconds." },
};
const struct key_table s3_keys = { "a destination of type s3", "destinations.NAME (type: s3)", KEYS(rows) };
