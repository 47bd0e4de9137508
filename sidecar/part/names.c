// SPDX-License-Identifier: MIT
/* names.c - see names.h. A hash table by FNV-1a. */
#include "part/names.h"

#include "route/head.h"

/* The next byte of a name as its destination reads it: an HTTP server decodes, and "%2D" is "-". */
static int
take(struct str *name, bool is_http)
{
	int byte = is_http ? percent_take(name) : -1;

	if (byte >= 0)
		return byte;
	byte = (unsigned char)name->data[0];
	*name = (struct str){ name->data + 1, name->len - 1 };
	return byte;
}

static bool
is_http(const struct delivery *delivery)
{
	return delivery->order.to->type == DESTINATION_HTTP;
}

static struct delivery **
bucket_of(struct names *names, const struct delivery *delivery)
{
	struct str name = buf_str(&delivery->target);
	uint32_t hash = 2166136261u;

	while (name.len > 0)
		hash = (hash ^ (uint32_t)take(&name, is_http(delivery))) * 16777619u;
	return &names->buckets[(hash >> 16 ^ hash) % NAMES_BUCKETS];
}

static bool
is_same_name(const struct delivery *a, const struct delivery *b)
{
	struct str left = buf_str(&a->target), right = buf_str(&b->target);

	while (left.len > 0 && right.len > 0)
		if (take(&left, is_http(a)) != take(&right, is_http(b)))
			return false;
	return left.len == 0 && right.len == 0;
}

static bool
is_made_to_differ(const struct delivery *delivery)
{
	const struct template *target = delivery->rule->target;

	if (delivery->order.to->type == DESTINATION_HTTP && delivery->order.method == STORE_POST)
		return true;
	for (size_t i = 0; i < target->n_pieces; i++)
		if (target->pieces[i].kind == TEMPLATE_UUID)
			return true;
	return false;
}

bool
names_add(struct names *names, struct delivery *delivery)
{
	struct delivery **bucket = bucket_of(names, delivery);

	if (is_made_to_differ(delivery))
		return true;
	for (const struct delivery *d = *bucket; d != NULL; d = d->next_name)
		if (d->order.to == delivery->order.to && is_same_name(d, delivery))
			return false;
	delivery->next_name = *bucket;
	*bucket = delivery;
	return true;
}
