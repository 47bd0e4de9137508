// SPDX-License-Identifier: MIT
/* parts_said.c - `verify.field` of a rule: value fields that say the digest of a file. They stand before it or after it, so all are compared when
 * the form has ended, which is before anything is visible. The n-th value of a name is of the n-th file of its name, so there have to be
 * as many; both are sorted, for a form may have very many. */
#include "part/parts_priv.h"

#include "base/base64.h"
#include "base/mem.h"
#include "part/field_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct said {
	struct str stem; /* the name of the file */
	const struct part *part;
};

/* The files of rules with one `field`, and the values that it means. */
struct both {
	struct said *files, *values;
	size_t n_files, n_values;
};

/* -- one digest ------------------------------------------------------------------------------------------ */

static const struct {
	const char *fact;
	size_t bytes; /* of the digest */
} kinds[] = { { "sha256", 32 }, { "sha512", 64 }, { "sha1", 20 }, { "md5", 16 } };

#define N_KINDS (sizeof kinds / sizeof kinds[0])

static size_t
kind_of(size_t len)
{
	size_t i = 0;

	while (i < N_KINDS && len != 2 * kinds[i].bytes && len != BASE64_LENGTH(kinds[i].bytes) &&
		len != BASE64_DIGITS(kinds[i].bytes))
		i++;
	return i;
}

/* The field that says the file's digest; of a file with a long name what the rule says, or the reason would be pushed out. */
static void
name_sayer(char *to, size_t room, const struct part *file)
{
	const char *pattern = file->rule->verify.field;
	int before = (int)strcspn(pattern, "*");
	struct str stem = file->field.len <= FIELD_SHOWN_MAX ? file->field : STR("*");

	snprintf(to, room, "%.*s%.*s%s", before, pattern, STR_ARG(stem), pattern + before + 1);
}

static bool
refuse(struct error *err, const struct part *file, const char *why, const char *what)
{
	char field[sizeof err->message];

	name_sayer(field, sizeof field, file);
	if (what != NULL)
		error_set(err, ERR_RULE, "%s %s than \"%s\" says", why, what, field);
	else
		error_set(err, ERR_RULE, "%s \"%s\"", why, field);
	error_name_limit(err, "verify");
	return field_error(err, file->field);
}

static bool
is_so(struct str said, size_t kind, const char *hex, struct error *err)
{
	struct buf base64 = { 0 };
	bool is_equal;

	if (said.len == 2 * kinds[kind].bytes)
		return str_equal_nocase(said, str_of(hex));
	base64_add_hex(&base64, str_of(hex));
	if (base64.failed)
		error_nomem(err);
	is_equal = !base64.failed && memcmp(base64.data, said.data, BASE64_DIGITS(kinds[kind].bytes)) == 0 &&
		(said.len < base64.len || str_equal(said, buf_str(&base64)));
	buf_free(&base64);
	return is_equal;
}

static bool
compare(const struct part *file, const struct part *value, struct error *err)
{
	struct str said = buf_str(&value->value);
	size_t kind = kind_of(said.len);
	const char *hex = kind < N_KINDS ? facts_find(&file->facts, kinds[kind].fact) : NULL;

	if (kind == N_KINDS)
		return refuse(err, file, "there is no digest in", NULL);
	if (hex == NULL)
		return refuse(err, file, "its rule does not make the digest that stands in", NULL);
	if (is_so(said, kind, hex, err))
		return true;
	return error_is_set(err) ? false : refuse(err, file, "its bytes have another", kinds[kind].fact);
}

/* -- which value is of which file ------------------------------------------------------------------------ */

/* What stands for the `*`. */
static bool
take_stem(const char *pattern, struct str name, struct str *stem)
{
	size_t before = strcspn(pattern, "*"), after = strlen(pattern) - before - 1;

	if (name.len <= before + after || memcmp(name.data, pattern, before) != 0 ||
		memcmp(name.data + name.len - after, pattern + before + 1, after) != 0)
		return false;
	*stem = (struct str){ name.data + before, name.len - before - after };
	return true;
}

bool
parts_says_digest(const struct parts *parts, const struct part_head *head)
{
	const struct route *route = parts->setup.route;
	struct str stem;

	for (size_t i = 0; head->filename.data == NULL && i < route->n_rules; i++)
		if (route->rules[i].verify.field != NULL &&
			take_stem(route->rules[i].verify.field, head->field, &stem))
			return true;
	return false;
}

static int
compare_stems(const struct said *a, const struct said *b)
{
	if (a->stem.len != b->stem.len)
		return a->stem.len < b->stem.len ? -1 : 1;
	return a->stem.len > 0 ? memcmp(a->stem.data, b->stem.data, a->stem.len) : 0;
}

static int
compare_said(const void *one, const void *other)
{
	const struct said *a = one, *b = other;
	int order = compare_stems(a, b);

	return order != 0 ? order : a->part->number < b->part->number ? -1 : 1;
}

static void
add(struct both *both, const struct part *part, const char *pattern)
{
	const char *own = part->rule != NULL ? part->rule->verify.field : NULL;
	struct str stem;

	if (part->filename.data != NULL && own != NULL && strcmp(own, pattern) == 0)
		both->files[both->n_files++] = (struct said){ part->field, part };
	else if (part->says_digest && take_stem(pattern, part->field, &stem))
		both->values[both->n_values++] = (struct said){ stem, part };
}

static size_t
count_equal(const struct said *list, size_t n, const struct said *to)
{
	size_t i = 0;

	while (i < n && compare_stems(&list[i], to) == 0)
		i++;
	return i;
}

/* All files of one name, and what is said of them. */
static bool
compare_equal(
	const struct said *files, size_t n_files, const struct said *values, size_t n_values, struct error *err)
{
	if (n_values > 0 && n_values != n_files)
		return refuse(err, files->part, "there are more or fewer files of this name than values in", NULL);
	for (size_t i = 0; i < n_files; i++) {
		if (n_values > 0 && !compare(files[i].part, values[i].part, err))
			return false;
		if (n_values == 0 && files[i].part->rule->verify.refuses_missing)
			return refuse(err, files[i].part, "its rule wants a digest of it in", NULL);
	}
	return true;
}

static bool
compare_both(const struct both *both, struct error *err)
{
	size_t at = 0, n_files, n_values;

	for (size_t i = 0; i < both->n_files; i += n_files, at += n_values) {
		const struct said *file = &both->files[i];

		while (at < both->n_values && compare_stems(&both->values[at], file) < 0)
			at++;
		n_files = count_equal(file, both->n_files - i, file);
		n_values = count_equal(both->values + at, both->n_values - at, file);
		if (!compare_equal(file, n_files, both->values + at, n_values, err))
			return false;
	}
	return true;
}

static bool
compare_pattern(const struct parts *parts, const char *pattern, struct said *room, struct error *err)
{
	struct both both = { .files = room, .values = room + parts->count };

	for (const struct part *part = parts->first; part != NULL; part = part->next)
		add(&both, part, pattern);
	if (both.n_files > 1)
		qsort(both.files, both.n_files, sizeof *both.files, compare_said);
	if (both.n_values > 1)
		qsort(both.values, both.n_values, sizeof *both.values, compare_said);
	return compare_both(&both, err);
}

/* Has a rule before it the same? */
static bool
is_done(const struct route *route, size_t rule)
{
	for (size_t i = 0; i < rule; i++)
		if (route->rules[i].verify.field != NULL &&
			strcmp(route->rules[i].verify.field, route->rules[rule].verify.field) == 0)
			return true;
	return false;
}

static bool
compare_all(const struct parts *parts, struct said *room, struct error *err)
{
	const struct route *route = parts->setup.route;

	for (size_t i = 0; i < route->n_rules; i++)
		if (route->rules[i].verify.field != NULL && !is_done(route, i) &&
			!compare_pattern(parts, route->rules[i].verify.field, room, err))
			return false;
	return true;
}

static bool
is_asked(const struct parts *parts)
{
	const struct route *route = parts->setup.route;

	for (size_t i = 0; i < route->n_rules; i++)
		if (route->rules[i].verify.field != NULL)
			return parts->count > 0;
	return false;
}

bool
parts_compare_said(struct parts *parts, struct error *err)
{
	size_t bytes = 2 * parts->count * sizeof(struct said);
	struct said *room;
	bool ok;

	if (!is_asked(parts))
		return true;
	if (!parts_charge(parts, bytes))
		return error_no_room(err, "for the form");
	room = mem_array(2 * parts->count, sizeof *room);
	ok = room != NULL ? compare_all(parts, room, err) : error_nomem(err);
	mem_free(room);
	parts_discharge(parts, bytes);
	return ok;
}
