// SPDX-License-Identifier: MIT
/* s3_relic.c - see s3_relic.h. Each request is signed for one try, because a signature has a time in it.
 *
 * An object is looked for first. If it is there, the version that was found is deleted. S3 answers DeleteObject 204 also if
 * nothing is there, and makes a delete marker each time if a bucket keeps versions. Only if looking is forbidden it is deleted
 * unseen. */
#include "sink/s3/s3_relic.h"

#include "base/mem.h"
#include "sink/s3/call.h"
#include "sink/s3/credentials.h"
#include "sink/s3/s3_open.h"

struct s3_relic {
	struct s3_object object;
	struct s3_call call;
	struct s3_ask ask;
	struct buf query;
};

static void
free_own(void *own)
{
	struct s3_relic *mine = own;

	s3_call_fini(&mine->call);
	buf_free(&mine->query);
	mem_free(mine);
}

static void
set_object(struct s3_relic *mine, const struct relic *relic)
{
	mine->object = (struct s3_object){
		.engine = relic->engine,
		.to = relic->to,
		.keyring = s3_open_keyring(relic->table, relic->to),
		.counts = s3_open_counts(relic->table, relic->to),
		.target = relic->target,
		.peer = s3_settings(relic->to)->peer,
	};
	mine->object.peer.headers = (struct header_lines){ 0 };
	mine->call.object = &mine->object;
}

static void
set_ask(struct s3_relic *mine, const struct relic *relic)
{
	bool is_look = relic->upload == NULL && !relic->is_found;

	if (relic->upload != NULL) {
		buf_addf(&mine->query, "uploadId=%s", relic->upload);
	} else if (relic->is_found && relic->version[0] != '\0') {
		buf_add_text(&mine->query, "versionId=");
		s3_escape(&mine->query, str_of(relic->version), false);
	}
	mine->ask = (struct s3_ask){
		.op = relic->upload != NULL ? S3_OP_ABORT
			: is_look           ? S3_OP_HEAD
					    : S3_OP_DELETE,
		.method = is_look ? "HEAD" : "DELETE",
		.query = mine->query.len > 0 ? buf_str(&mine->query) : STR_NONE,
		.headers = S3_HEADERS_SOME,
		.body = EXCHANGE_NO_BODY,
		.payload = S3_EMPTY_PAYLOAD,
		.until_ms = relic->request.total_at_ms,
	};
}

static bool
write_request(struct s3_relic *mine, struct relic *relic, struct error *err)
{
	set_ask(mine, relic);
	if (!relic->is_found)
		relic->version[0] = '\0';
	return mine->query.failed ? error_nomem(err) : s3_call_prepare(&mine->call, &mine->ask, err);
}

bool
s3_take_back(struct relic *relic, struct error *err)
{
	struct s3_relic *mine = mem_zalloc(sizeof *mine);

	if (mine == NULL)
		return error_nomem(err);
	set_object(mine, relic);
	if (!write_request(mine, relic, err)) {
		free_own(mine);
		return false;
	}
	relic->request = mine->call.request;
	relic->watch_ms = mine->object.peer.total_ms;
	relic->own = mine;
	relic->free_own = free_own;
	return true;
}

void
s3_on_relic_line(struct relic *relic, struct str line)
{
	static const char name[] = "x-amz-version-id:";

	if (!relic->is_found && str_starts_nocase(line, name))
		exchange_take_value(line, name, relic->version, sizeof relic->version);
}

/* Keys that a store refuses may have expired. The answer to HEAD has no body that would say so. */
static void
renew_keys(const struct s3_relic *mine, unsigned status)
{
	if (status == 400 || status == 401 || status == 403)
		s3_keyring_renew(mine->object.keyring, mine->call.keys);
}

/* If these keys may not look, they may still be allowed to delete. */
static enum relic_said
looked(struct relic *relic, unsigned status, bool is_good)
{
	if (status == 404 || status == 410)
		return RELIC_ABSENT;
	if (!is_good && (status < 400 || status == 429 || status >= 500))
		return RELIC_REFUSED;
	if (!is_good)
		relic->version[0] = '\0';
	relic->is_found = true;
	return RELIC_ASK_ON;
}

enum relic_said
s3_relic_said(struct relic *relic, const struct exchange_result *result)
{
	const struct s3_relic *mine = relic->own;
	unsigned status = result->is_whole ? result->status : 0;
	bool is_good = status >= 200 && status < 300;

	s3_counts_end(mine->object.counts, mine->ask.op, s3_end_of(result->status, is_good), 0);
	renew_keys(mine, status);
	if (mine->ask.op == S3_OP_HEAD)
		return looked(relic, status, is_good);
	relic->is_found = false;
	if (is_good)
		return RELIC_REMOVED;
	return status == 404 || status == 410 ? RELIC_ABSENT : RELIC_REFUSED;
}
