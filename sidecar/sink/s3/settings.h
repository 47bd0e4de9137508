// SPDX-License-Identifier: MIT
/* settings.h - what a route file says of a destination of type s3. For sink/s3 alone. */
#ifndef PENSTOCK_S3_SETTINGS_H
#define PENSTOCK_S3_SETTINGS_H

#include "config/kind.h"
#include "config/peer.h"
#include "sink/s3/credentials.h"
#include "sink/s3/plan.h"
#include "sink/s3/sum.h"

#define S3_IN_FLIGHT_MAX 8u
#define S3_RETRY_AFTER_MAX_S 20u  /* longest wait before a request is sent again */
#define S3_ABORT_MS 10000u        /* longest wait for an abort on which the outcome depends */
#define S3_METADATA "x-amz-meta-" /* in front of a name */
#define S3_CUSTOMER_KEY "x-amz-server-side-encryption-customer-"
#define S3_METADATA_MAX 2048u /* bytes of all names and values, penstock's own included */

enum s3_style { S3_STYLE_AUTO, S3_STYLE_PATH, S3_STYLE_VIRTUAL };

struct s3_settings {
	struct destination_settings common;
	struct http_peer
		peer; /* `url`: of the bucket ("https://s3.example.org/photos", "https://photos.s3.example.org"),
				* made by link; NULL: `endpoint` or `bucket` could not be read */
	char *host;   /* of that URL, as it is sent and signed: without a port that is the scheme's own */
	char *path;   /* of that URL, in front of '/' and the key; "" or "/prefix/photos" */
	char *region, *bucket;
	enum s3_style style;
	struct s3_credentials credentials; /* secrets, wiped by the kind's free */
	uint64_t part_size;                /* bytes; 0: `auto` (s3_plan_piece()) */
	unsigned in_flight;
	uint64_t put_max; /* an object of up to so many bytes is one request at the commit */
	enum s3_sum_kind checksum;
	bool refuses_existing;
	bool undo_delete;
	bool ready_connect;
	unsigned retry_parts; /* how often a request that may be repeated is sent again */
	struct object_head head;
	char *sweep_prefix;      /* unfinished uploads of keys that begin so are swept (sweep.h); NULL: none are */
	uint64_t sweep_older_ms; /* if they are older than that */
};

extern const struct destination_kind s3_kind;
extern const struct key_table s3_keys;

static inline const struct s3_settings *
s3_settings(const struct destination *to)
{
	return (const struct s3_settings *)(const void *)to->settings;
}

#endif
