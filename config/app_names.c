// SPDX-License-Identifier: MIT
/* app_names.c - see app_names.h. */
#include "config/app_names.h"

#include <string.h>

bool
app_names_is_glob(const struct rule *rule)
{
	return strpbrk(rule->name, "*?") != NULL;
}

/* What may be made of a bracket. */
enum brackets {
	BRACKETS_STAY, /* '[' is '_' */
	BRACKETS_CUT,  /* '[' ends the name */
	BRACKETS_TRIM, /* those in front are dropped, and any other ends the name */
};

/* What a reader may make of a name. */
struct reading {
	struct str rest;
	enum brackets brackets;
};

static bool
is_end(const struct reading *reading, unsigned char c)
{
	return c == '\0' || (c == '[' && reading->brackets != BRACKETS_STAY) ||
		(c == ']' && reading->brackets == BRACKETS_TRIM);
}

/* The next byte; -1: the end. */
static int
next_byte(struct reading *reading)
{
	unsigned char c = reading->rest.len > 0 ? (unsigned char)reading->rest.data[0] : '\0';

	if (is_end(reading, c))
		return -1;
	reading->rest.data++;
	reading->rest.len--;
	return c == '.' || c == ' ' || c == '[' ? '_' : c;
}

static bool
is_dropped_in_front(char c, enum brackets brackets)
{
	return c == ' ' || (brackets == BRACKETS_TRIM && (c == '[' || c == ']'));
}

static struct reading
read_name(struct str name, enum brackets brackets)
{
	while (name.len > 0 && is_dropped_in_front(name.data[0], brackets)) {
		name.data++;
		name.len--;
	}
	return (struct reading){ name, brackets };
}

static bool
is_same(struct reading a, struct reading b)
{
	int x, y;

	do {
		x = next_byte(&a);
		y = next_byte(&b);
	} while (x == y && x >= 0);
	return x == y;
}

static bool
stores(const struct rule *rule)
{
	return rule->action == ACTION_STORE || rule->action == ACTION_CONCAT;
}

static bool
may_be_taken_for(struct str name, struct str own)
{
	struct reading ours = read_name(own, BRACKETS_CUT);

	return is_same(read_name(name, BRACKETS_CUT), ours) || is_same(read_name(name, BRACKETS_STAY), ours) ||
		is_same(read_name(name, BRACKETS_TRIM), read_name(own, BRACKETS_TRIM));
}

bool
app_names_reserve(const struct route *route, struct str name)
{
	for (size_t i = 0; route->app.is_said && i < route->n_rules; i++) {
		const struct rule *rule = &route->rules[i]; /* without a name in a file that is refused for it */

		if (stores(rule) && rule->name != NULL && !app_names_is_glob(rule) &&
			may_be_taken_for(name, str_of(rule->name)))
			return true;
	}
	return false;
}

bool
app_names_are_one(struct str name, struct str own)
{
	if (memchr(own.data, '[', own.len) != NULL)
		return is_same(read_name(name, BRACKETS_STAY), read_name(own, BRACKETS_STAY));
	return may_be_taken_for(name, own);
}
