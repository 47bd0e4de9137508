// SPDX-License-Identifier: MIT
/* s3_relic.c - see s3_relic.h. Each request is signed for one try, for a signature has a time in it. No version of the object
 * is known: where a bucket keeps versions, one stays below a delete marker. */
#include "sink/s3/s3_relic.h"

#include "base/mem.h"
#include "sink/s3/call.h"
#include "sink/s3/s3_open.h"
#include "sink/sink.h"

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
		.target = relic->target,
		.peer = s3_settings(relic->to)->peer,
	};
	mine->object.peer.headers = NULL;
	mine->object.peer.n_headers = 0;
	mine->call.object = &mine->object;
}

static bool
write_request(struct s3_relic *mine, const struct relic *relic, struct error *err)
{
	if (relic->upload != NULL)
		buf_addf(&mine->query, "uploadId=%s", relic->upload);
	mine->ask = (struct s3_ask){
		.op = relic->upload != NULL ? S3_OP_ABORT : S3_OP_DELETE,
		.method = "DELETE",
		.query = relic->upload != NULL ? buf_str(&mine->query) : STR_NONE,
		.headers = S3_HEADERS_SOME,
		.body = EXCHANGE_NO_BODY,
		.payload = S3_EMPTY_PAYLOAD,
		.until_ms = relic->request.total_at_ms,
	};
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
