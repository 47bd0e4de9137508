// SPDX-License-Identifier: MIT
/* s3_link.c - see s3_link.h. Nothing is sent, because a signature is all that a link needs. It is made when the answer is written
 * and not at the commit, which may be long before, so that the client has all of its lifetime. */
#include "sink/s3/s3_link.h"

#include "base/must.h"
#include "sink/s3/credentials.h"
#include "sink/s3/order_priv.h"
#include "sink/s3/settings.h"
#include "sink/s3/sign.h"

#include <strings.h>

static void
add(struct buf *query, const char *name, const char *value)
{
	if (query->len > 0 && query->data[query->len - 1] != '?')
		buf_add_char(query, '&');
	buf_addf(query, "%s=", name);
	s3_escape(query, str_of(value), false);
}

/* A client that follows a link sends no lines of ours. Of those, S3 takes the one that says who pays in the query, too. */
static void
add_payer(const struct s3_settings *to, struct buf *query)
{
	static const char name[] = "x-amz-request-payer";

	for (size_t i = 0; i < to->peer.headers.n; i++)
		if (strcasecmp(to->peer.headers.items[i].name, name) == 0)
			add(query, name, "requester"); /* there is no other value */
}

void
s3_link_add_query(const struct s3_link_wish *wish, struct buf *query)
{
	if (wish->as != NULL)
		add(query, "response-content-disposition", wish->as);
	if (wish->version != NULL && wish->version[0] != '\0')
		add(query, "versionId", wish->version);
	add_payer(wish->to, query);
}

/* How many seconds the link is good; 0: the keys expire now. */
static unsigned
lifetime_of(const struct s3_link_wish *wish, const struct s3_keys *keys)
{
	int64_t life_s = wish->lifetime_s < S3_PRESIGN_MAX_S ? wish->lifetime_s : S3_PRESIGN_MAX_S;

	if (keys->expires_s != S3_KEYS_NEVER_EXPIRE && keys->expires_s - wish->now < life_s)
		life_s = keys->expires_s - wish->now;
	return life_s > 0 ? (unsigned)life_s : 0;
}

static bool
sign(const struct s3_link_wish *wish, const struct s3_keys *keys, unsigned lifetime_s, struct buf *url,
	struct error *err)
{
	struct s3_sign_keys with = { keys->access, keys->secret, keys->token };
	struct buf path = { 0 }, query = { 0 };
	struct s3_sign_request request = { .method = "GET",
		.host = str_of(wish->to->host),
		.payload = S3_UNSIGNED_PAYLOAD,
		.region = wish->to->region,
		.service = "s3",
		.now = wish->now };
	bool ok;

	buf_addf(&path, "%s%s", wish->to->path, wish->target);
	s3_link_add_query(wish, &query);
	request.path = buf_str(&path);
	request.query = query.len > 0 ? buf_str(&query) : STR("");
	ok = !path.failed && !query.failed ? s3_presign(&request, &with, lifetime_s, url, err) : error_nomem(err);
	buf_free(&path);
	buf_free(&query);
	return ok;
}

bool
s3_link_make(
	const struct s3_link_wish *wish, const struct s3_keys *keys, struct order_link *link, struct error *err)
{
	unsigned lifetime_s = lifetime_of(wish, keys);

	if (lifetime_s == 0)
		return error_set(err, ERR_UPSTREAM, "the keys for this store expire just now");
	link->expires_s = wish->now + lifetime_s;
	buf_addf(&link->url, "%s%s?", wish->to->peer.url, wish->target);
	return sign(wish, keys, lifetime_s, &link->url, err);
}

/* The transfer has reported its end, so its version is final. */
bool
s3_link(const struct order *order, struct order_link *link, struct error *err)
{
	const struct s3 *s3 = order->transfer;
	struct s3_keys *keys = s3_keyring_take(s3->object.keyring, err);
	struct s3_link_wish wish = { .to = s3_to(s3),
		.target = order->target,
		.version = s3->version,
		.as = order->link_as,
		.lifetime_s = order->link_s,
		.now = time(NULL) };
	bool ok;

	must(order->outcome.state == OUTCOME_COMMITTED);
	ok = keys != NULL && s3_link_make(&wish, keys, link, err);
	s3_keys_release(keys);
	return ok;
}
