// SPDX-License-Identifier: MIT
/* names.c - see names.h. A hash table by FNV-1a. */
#include "part/names.h"

static struct delivery **
bucket_of(struct names *names, struct str name)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
	return &names->buckets[(hash >> 16 ^ hash) % NAMES_BUCKETS];
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
	struct str name = buf_str(&delivery->target);
	struct delivery **bucket = bucket_of(names, name);

	if (is_made_to_differ(delivery))
		return true;
	for (const struct delivery *d = *bucket; d != NULL; d = d->next_name)
		if (d->order.to == delivery->order.to && str_equal(buf_str(&d->target), name))
			return false;
	delivery->next_name = *bucket;
	*bucket = delivery;
	return true;
}
