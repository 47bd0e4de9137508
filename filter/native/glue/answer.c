// SPDX-License-Identifier: MIT
/* answer.c - see glue.h. HAProxy's own replies know neither 411 nor 415 nor problem+json, so the answer is made here. */
#include "native/glue/glue.h"

#include <haproxy/channel.h>
#include <haproxy/http_ana.h>
#include <haproxy/http_htx.h>
#include <haproxy/htx.h>

#include <stdio.h>

static int
add_header(struct htx *htx, const char *name, const char *value)
{
	return value[0] == '\0' || htx_add_header(htx, ist(name), ist(value)) != NULL;
}

static int
add_number(struct htx *htx, const char *name, unsigned long long value)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", value);
	return add_header(htx, name, text);
}

static int
add_start_line(struct htx *htx, const struct core_verdict *verdict)
{
	unsigned flags = HTX_SL_F_IS_RESP | HTX_SL_F_VER_11 | HTX_SL_F_XFER_LEN | HTX_SL_F_CLEN;
	char status[12];
	struct htx_sl *sl;

	snprintf(status, sizeof status, "%u", verdict->status);
	sl = htx_add_stline(htx, HTX_BLK_RES_SL, flags, ist("HTTP/1.1"), ist(status), ist(verdict->title));
	if (sl != NULL)
		sl->info.res.status = verdict->status;
	return sl != NULL;
}

static int
add_page(struct htx *htx, const struct core_page *page)
{
	return !page->varies ||
		(add_header(htx, "vary", "Origin") &&
			add_header(htx, "access-control-allow-origin", page->origin) &&
			add_header(htx, "access-control-allow-credentials", page->credentials ? "true" : "") &&
			add_header(htx, "access-control-expose-headers", page->expose));
}

/* False: it does not fit, which only a buffer much smaller than the default can cause. */
static int
make_response(struct htx *htx, const struct core_verdict *verdict, struct ist body)
{
	if (!add_start_line(htx, verdict) || !add_number(htx, "content-length", istlen(body)) ||
		!add_header(htx, "content-type", istlen(body) > 0 ? "application/problem+json" : "") ||
		!add_header(htx, "cache-control", "no-store") ||
		!add_header(htx, "allow", verdict->allow_methods) ||
		!add_header(htx, "x-request-id", verdict->id) || !add_page(htx, &verdict->page) ||
		(verdict->retry_after > 0 && !add_number(htx, "retry-after", verdict->retry_after)) ||
		!htx_add_endof(htx, HTX_BLK_EOH) || (istlen(body) > 0 && !htx_add_data_atonce(htx, body)))
		return 0;
	htx->flags |= HTX_FL_EOM;
	return 1;
}

/* For the log: refused by the proxy while the request came in. */
static void
mark(struct stream *s, unsigned status)
{
	TXN(s)->status = status;
	if (!(s->flags & SF_ERR_MASK))
		s->flags |= SF_ERR_PRXCOND;
	if (!(s->flags & SF_FINST_MASK))
		s->flags |= SF_FINST_R;
}

void
answer_refuse(struct stream *s, const struct core_verdict *verdict, struct core_request *request)
{
	struct htx *htx = htx_from_buf(&s->res.buf);
	struct ist body = IST_NULL;
	int is_made;

	if (request != NULL)
		body.ptr = (char *)core_problem(request, &body.len);
	mark(s, verdict->status);
	channel_htx_truncate(&s->res, htx);
	is_made = !co_data(&s->res) && make_response(htx, verdict, body);
	if (!is_made)
		channel_htx_truncate(&s->res, htx);
	htx_to_buf(htx, &s->res.buf);
	if (is_made)
		http_forward_proxy_resp(s, 1);
	http_reply_and_close(s, verdict->status, NULL);
}
