// SPDX-License-Identifier: MIT
/* names.c - see names.h. A hash table by FNV-1a. */
#include "part/names.h"

#include "config/kind.h"
#include "route/head.h"

/* The next byte of a name as its destination reads it: an HTTP server decodes, and "%2D" is "-". */
static int
take(struct str *name, bool is_url)
{
	int byte = is_url ? percent_take(name) : -1;

	if (byte >= 0)
		return byte;
	byte = (unsigned char)name->data[0];
	*name = (struct str){ name->data + 1, name->len - 1 };
	return byte;
}

/* A whole name, byte for byte: the place of its destination, a '/', and the target without its first '/'. */
struct walk {
	struct str at, target;
	bool is_url, is_behind_slash;
};

static struct walk
walk_of(const struct delivery *delivery)
{
	const struct destination *to = delivery->order.to;
	struct walk walk = { .at = str_of(to->at),
		.target = buf_str(&delivery->target),
		.is_url = to->kind->style != TEMPLATE_FOR_FILE };

	if (walk.target.len > 0 && walk.target.data[0] == '/')
		walk.target = (struct str){ walk.target.data + 1, walk.target.len - 1 };
	if (str_is(walk.at, "/"))
		walk.at = STR_NONE;
	return walk;
}

/* -1: the end. */
static int
next(struct walk *walk)
{
	if (walk->at.len > 0)
		return take(&walk->at, walk->is_url);
	if (!walk->is_behind_slash) {
		walk->is_behind_slash = true;
		return '/';
	}
	return walk->target.len > 0 ? take(&walk->target, walk->is_url) : -1;
}

static struct delivery **
bucket_of(struct names *names, const struct delivery *delivery)
{
	struct walk walk = walk_of(delivery);
	uint32_t hash = 2166136261u;

	for (int c; (c = next(&walk)) >= 0;)
		hash = (hash ^ (uint32_t)c) * 16777619u;
	return &names->buckets[(hash >> 16 ^ hash) % NAMES_BUCKETS];
}

static bool
is_same_name(const struct delivery *a, const struct delivery *b)
{
	struct walk left = walk_of(a), right = walk_of(b);
	int c;

	if (left.is_url != right.is_url)
		return false;
	do {
		c = next(&left);
		if (c != next(&right))
			return false;
	} while (c >= 0);
	return true;
}

static bool
is_made_to_differ(const struct delivery *delivery)
{
	const struct template *target = delivery->rule->target;

	if (kind_makes_names(delivery->rule))
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
		if (is_same_name(d, delivery))
			return false;
	delivery->next_name = *bucket;
	*bucket = delivery;
	return true;
}
