// SPDX-License-Identifier: MIT
/* scalar.c - see scalar.h.
 *
 * A size or a time is digits and a unit with nothing between them. What people write instead (64MB, 1.5GiB,
 * 30 s, 5min) is refused with what they most likely meant; guessing 1000 or 1024 is how limits go wrong.
 */
#include "config/scalar.h"

#include "config/diag.h"

#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = {
	/* from the smallest, for scalar_add_*() */
	{ "B", 1 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "GiB", UINT64_C(1) << 30 },
	{ "TiB", UINT64_C(1) << 40 },
	{ "PiB", UINT64_C(1) << 50 },
	{ "EiB", UINT64_C(1) << 60 },
	{ NULL, 0 },
};

static const struct unit times[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "h", 3600 * 1000 },
	{ NULL, 0 },
};

/* What is often written, and what was meant. */
static const struct {
	const char *written, *meant;
} slips[] = {
	{ "K", "KiB" },
	{ "KB", "KiB" },
	{ "M", "MiB" },
	{ "MB", "MiB" },
	{ "G", "GiB" },
	{ "GB", "GiB" },
	{ "T", "TiB" },
	{ "TB", "TiB" },
	{ "byte", "B" },
	{ "bytes", "B" },
	{ "sec", "s" },
	{ "secs", "s" },
	{ "second", "s" },
	{ "seconds", "s" },
	{ "min", "m" },
	{ "mins", "m" },
	{ "minute", "m" },
	{ "minutes", "m" },
	{ "hour", "h" },
	{ "hours", "h" },
	{ "hr", "h" },
	{ "msec", "ms" },
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
count_digits(struct str s)
{
	size_t n = 0;

	while (n < s.len && is_digit(s.data[n]))
		n++;
	return n;
}

static bool
is_negative(struct str text)
{
	return text.len > 1 && text.data[0] == '-' && is_digit(text.data[1]);
}

bool
scalar_count(struct str text, uint64_t *out, struct error *err)
{
	if (is_negative(text))
		return error_set(err, ERR_CONFIG, "%.*s is negative", SHOWN(text));
	if (text.len == 0 || count_digits(text) != text.len)
		return error_set(err, ERR_CONFIG, "\"%.*s\" is not a whole number", SHOWN(text));
	if (!str_to_u64(text, out))
		return error_set(err, ERR_CONFIG, "%.*s is too large a number", SHOWN(text));
	return true;
}

static const struct unit *
find_unit(const struct unit *units, struct str name)
{
	for (; units->name != NULL; units++)
		if (str_is(name, units->name))
			return units;
	return NULL;
}

/* The unit that was meant by `name`, or NULL. */
static const char *
meant_unit(const struct unit *units, struct str name)
{
	for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++)
		if (str_equal_nocase(name, str_of(slips[i].written)) &&
			find_unit(units, str_of(slips[i].meant)) != NULL)
			return slips[i].meant;
	for (; units->name != NULL; units++)
		if (str_equal_nocase(name, str_of(units->name)))
			return units->name;
	return NULL;
}

static bool
wrong_unit(const struct unit *units, struct str text, struct str name, const char *known, struct error *err)
{
	const char *meant = meant_unit(units, str_trim(name));

	if (name.data[0] == '.' && name.len > 1 && is_digit(name.data[1]))
		return error_set(err, ERR_CONFIG, "\"%.*s\" has a fraction; use a smaller unit", SHOWN(text));
	if (strchr("_,'", name.data[0]) != NULL && name.len > 1 && is_digit(name.data[1]))
		return error_set(err, ERR_CONFIG, "\"%.*s\": the digits of a number stand together", SHOWN(text));
	if (meant != NULL && str_is(str_trim(name), meant))
		return error_set(err, ERR_CONFIG, "\"%.*s\" has a blank between number and unit", SHOWN(text));
	if (meant != NULL)
		return error_set(err, ERR_CONFIG, "unknown unit \"%.*s\"; did you mean \"%s\"?",
			SHOWN(str_trim(name)), meant);
	return error_set(err, ERR_CONFIG, "unknown unit \"%.*s\"; the units are %s", SHOWN(str_trim(name)), known);
}

/* Digits and a unit; `without` is the factor of a number that has none, 0: it must have one. */
static bool
read_quantity(const struct unit *units, const char *known, uint64_t without, struct str text, uint64_t *out,
	struct error *err)
{
	size_t digits = count_digits(text);
	struct str name = { text.data + digits, text.len - digits };
	const struct unit *unit = find_unit(units, name);
	uint64_t factor = unit != NULL ? unit->factor : without;
	uint64_t number;

	if (is_negative(text))
		return error_set(err, ERR_CONFIG, "%.*s is negative", SHOWN(text));
	if (digits == 0)
		return error_set(err, ERR_CONFIG, "\"%.*s\" does not begin with a number", SHOWN(text));
	if (unit == NULL && name.len > 0)
		return wrong_unit(units, text, name, known, err);
	if (factor == 0)
		return error_set(err, ERR_CONFIG, "%.*s needs a unit: %s", SHOWN(text), known);
	if (!str_to_u64((struct str){ text.data, digits }, &number) || number > UINT64_MAX / factor)
		return error_set(err, ERR_CONFIG, "%.*s is too large", SHOWN(text));
	*out = number * factor;
	return true;
}

bool
scalar_size(struct str text, uint64_t *out, struct error *err)
{
	return read_quantity(sizes, "B, KiB, MiB, GiB, TiB, PiB and EiB", 1, text, out, err);
}

bool
scalar_time(struct str text, uint64_t *out, struct error *err)
{
	return read_quantity(times, "ms, s, m and h", 0, text, out, err);
}

bool
scalar_rate(struct str text, uint64_t *out, struct error *err)
{
	struct str size = text;

	if (text.len < 2 || memcmp(text.data + text.len - 2, "/s", 2) != 0)
		return error_set(
			err, ERR_CONFIG, "\"%.*s\" is no rate; it is a size and \"/s\": 8MiB/s", SHOWN(text));
	size.len -= 2;
	return scalar_size(size, out, err);
}

bool
scalar_bool(struct str text, bool *out, struct error *err)
{
	if (!str_is(text, "true") && !str_is(text, "false"))
		return error_set(err, ERR_CONFIG, "\"%.*s\" is neither true nor false", SHOWN(text));
	*out = str_is(text, "true");
	return true;
}

static void
add_quantity(struct buf *out, const struct unit *units, uint64_t value)
{
	const struct unit *best = units;

	for (const struct unit *u = units; value > 0 && u->name != NULL; u++)
		if (value % u->factor == 0)
			best = u;
	buf_addf(out, "%llu%s", (unsigned long long)(value / best->factor), best->name);
}

void
scalar_add_size(struct buf *out, uint64_t bytes)
{
	add_quantity(out, sizes, bytes);
}

void
scalar_add_time(struct buf *out, uint64_t ms)
{
	if (ms == 0)
		buf_add_text(out, "0s");
	else
		add_quantity(out, times, ms);
}

void
scalar_add_rate(struct buf *out, uint64_t per_second)
{
	scalar_add_size(out, per_second);
	buf_add_text(out, "/s");
}
