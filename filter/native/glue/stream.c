// SPDX-License-Identifier: MIT
/* stream.c - see glue.h. Before the rules of the proxy that the filter stands in, the head is judged and variables are
 * set; behind the rules a refused request is answered. Then the body of an allowed one is followed, block by block as
 * HAProxy forwards it, and ended with an answer when it is over a limit or cannot be a form. Where a rule has set
 * txn.upload.pass neither is done: penstock, which checks all of it again, is to answer (filter/README.md says why).
 *
 * What becomes of a fault (core.h) is the core's to say: here a verdict is a verdict, and a body is followed for as long
 * as the core wants to see it. filter->ctx is the core_request; NULL: we are out of memory. */
#include "native/glue/glue.h"

#include <haproxy/http_ana.h>
#include <haproxy/http_htx.h>
#include <haproxy/htx.h>
#include <haproxy/tools.h>

int
stream_attach(struct stream *s, struct filter *filter)
{
	const struct setup *setup = FLT_CONF(filter);

	(void)s;
	filter->ctx = core_request_new(setup->core);
	filter->pre_analyzers |= (filter->flags & FLT_FL_IS_BACKEND_FILTER) ? AN_REQ_HTTP_PROCESS_BE
									    : AN_REQ_HTTP_PROCESS_FE;
	return 1;
}

void
stream_detach(struct stream *s, struct filter *filter)
{
	(void)s;
	core_request_free(filter->ctx);
	filter->ctx = NULL;
}

/* -- the head ------------------------------------------------------------------------------------- */

static bool
nth_header(const void *arg, const char *name, size_t name_len, size_t nth, const char **value, size_t *len)
{
	struct http_hdr_ctx ctx = { .blk = NULL };

	for (size_t i = 0; i <= nth; i++)
		if (!http_find_header(arg, ist2(name, name_len), &ctx, 1))
			return false;
	*value = istptr(ctx.value);
	*len = istlen(ctx.value);
	return true;
}

/* HAProxy's own for the request, where the proxy has a unique-id-format. */
static struct ist
id_of(struct stream *s)
{
	struct ist id = IST_NULL;
	struct buffer *uuid;

	if (HAS_UNIQUE_ID_FORMAT(strm_fe(s)))
		id = stream_generate_unique_id(s, &strm_fe(s)->format_unique_id);
	if (isttest(id))
		return id;
	uuid = get_trash_chunk();
	make_uuid(uuid);
	return ist2(uuid->area, uuid->data);
}

static const struct core_verdict *
core_head_of(struct stream *s, struct core_request *request, struct channel *chn)
{
	struct htx *htx = htxbuf(&chn->buf);
	struct htx_sl *sl = http_get_stline(htx);
	struct ist id = id_of(s);
	struct core_head head = { .id = istptr(id), .id_len = istlen(id), .header = nth_header, .arg = htx };

	if (sl != NULL) { /* else it is a head without a method, which no route takes */
		head.method = HTX_SL_REQ_MPTR(sl);
		head.method_len = HTX_SL_REQ_MLEN(sl);
		head.target = HTX_SL_REQ_UPTR(sl);
		head.target_len = HTX_SL_REQ_ULEN(sl);
		head.version = HTX_SL_REQ_VPTR(sl);
		head.version_len = HTX_SL_REQ_VLEN(sl);
	}
	return core_decide(request, &head);
}

static const struct core_verdict *
verdict_on_head(struct stream *s, struct filter *filter, struct channel *chn)
{
	const struct core_verdict *verdict;

	if (filter->ctx == NULL)
		return core_without_memory(((const struct setup *)FLT_CONF(filter))->core);
	verdict = core_verdict(filter->ctx);
	return verdict != NULL ? verdict : core_head_of(s, filter->ctx, chn);
}

static bool
is_followed(const struct filter *filter)
{
	return filter->ctx != NULL && core_follows(filter->ctx);
}

/* Before the rules. */
int
stream_analyze(struct stream *s, struct filter *filter, struct channel *chn, unsigned an_bit)
{
	(void)an_bit;
	variables_set(s, verdict_on_head(s, filter, chn));
	return 1;
}

/* Behind all rules, before the body. */
int
stream_headers(struct stream *s, struct filter *filter, struct http_msg *msg)
{
	const struct core_verdict *verdict;

	if (msg->chn->flags & CF_ISRESP) {
		if (filter->ctx != NULL)
			core_stop(filter->ctx); /* the server has answered: its answer is to arrive whole */
		return 1;
	}
	verdict = verdict_on_head(s, filter, msg->chn);
	if (variables_pass(s))
		return 1;
	if (!verdict->allow) {
		answer_refuse(s, verdict, filter->ctx);
		return 0; /* nothing is left to analyse; by -1 HAProxy would abort the response, and the kernel hold it for 200 ms */
	}
	if (is_followed(filter))
		register_data_filter(s, msg->chn, filter);
	return 1;
}

/* -- the body ------------------------------------------------------------------------------------- */

/* 0: go on. */
static int
follow(struct stream *s, struct filter *filter, struct ist data)
{
	const struct core_verdict *verdict = core_feed(filter->ctx, istptr(data), istlen(data));

	if (verdict == NULL)
		return 0;
	variables_set(s, verdict);
	answer_refuse(s, verdict, filter->ctx);
	return -1;
}

int
stream_payload(struct stream *s, struct filter *filter, struct http_msg *msg, unsigned offset, unsigned len)
{
	struct htx *htx = htxbuf(&msg->chn->buf);
	struct htx_ret from = htx_find_offset(htx, offset);
	unsigned left = len, skip = from.ret;

	if ((msg->chn->flags & CF_ISRESP) || !is_followed(filter))
		return len;
	for (struct htx_blk *blk = from.blk; blk != NULL && left > 0; blk = htx_get_next_blk(htx, blk)) {
		struct ist value;

		if (htx_get_blk_type(blk) == HTX_BLK_UNUSED)
			continue;
		if (htx_get_blk_type(blk) != HTX_BLK_DATA)
			break; /* trailers */
		value = isttrim(istadv(htx_get_blk_value(htx, blk), skip), left);
		skip = 0;
		left -= istlen(value);
		if (follow(s, filter, value) != 0)
			return -1;
	}
	return len;
}
