// SPDX-License-Identifier: MIT
/* request_lines.c - see request_lines.h. What is passed on is passed on as it came, so a head in which it could be read in two ways is
 * refused. What is made of a template is written as metadata is: printable ASCII, and everything else as %XX. */
#include "part/request_lines.h"

#include "base/mem.h"
#include "config/object_head.h"

#include <string.h>

#define AROUND 4u /* ": " and a line end */

/* -- may it be passed on? ------------------------------------------------------------------------------ */

static bool
lists(struct str value, const char *name)
{
	while (value.len > 0) {
		const char *comma = memchr(value.data, ',', value.len);
		size_t n = comma != NULL ? (size_t)(comma - value.data) : value.len;

		if (str_equal_nocase(str_trim((struct str){ value.data, n }), str_of(name)))
			return true;
		n += comma != NULL;
		value = (struct str){ value.data + n, value.len - n };
	}
	return false;
}

/* Such a line ends here (RFC 9110 section 7.6.1), and whoever needs it there must not be made to do without. */
static bool
is_of_connection(const struct head *head, const char *name)
{
	struct str value;

	for (size_t n = 0; head->header(head->arg, STR("connection"), n, &value); n++)
		if (lists(value, name))
			return true;
	return false;
}

static bool
check_one(const struct head *head, const char *name, size_t *bytes, struct error *err)
{
	struct str value = head_header(head, name), second;

	if (value.data == NULL)
		return true;
	if (head->header(head->arg, str_of(name), 1, &second))
		return error_set(
			err, ERR_BAD_REQUEST, "more than one header %s, which is passed on to a store", name);
	if (str_has_control(value))
		return error_set(err, ERR_BAD_REQUEST,
			"header %s, which is passed on to a store, has a control byte in it", name);
	if (is_of_connection(head, name))
		return error_set(err, ERR_BAD_REQUEST,
			"header %s is passed on to a store, and Connection says that it ends here", name);
	*bytes += strlen(name) + value.len + AROUND;
	return true;
}

bool
request_lines_check(const struct head *head, const struct rule *rule, struct error *err)
{
	const char *name;
	size_t bytes = 0;

	for (size_t i = 0; rule->to != NULL && (name = object_head_passed(rule, i)) != NULL; i++)
		if (!check_one(head, name, &bytes, err))
			return false;
	if (bytes <= REQUEST_LINES_MAX)
		return true;
	error_set(err, ERR_HEADERS,
		"the headers that are passed on to a store have %zu bytes together; %d are taken", bytes,
		REQUEST_LINES_MAX);
	error_name_limit(err, "pass");
	return false;
}

/* -- lines ---------------------------------------------------------------------------------------------- */

/* Those of a destination and those of a rule. */
#define LINES_MAX (2 * PASS_MAX + 2 * HEADERS_MAX)

/* NAME and VALUE of each line, each with a NUL, are gathered in delivery->head; when all are there `lines` points to them. */
struct writer {
	const struct naming *naming;
	const struct named_part *part;
	struct delivery *delivery;
	struct buf value;             /* as the template has it */
	const char *shown[LINES_MAX]; /* of each line, as in struct order_line */
	size_t n;
	size_t made; /* bytes of those that are made */
};

static void
end_line(struct writer *w, const char *name, const char *shown)
{
	buf_add_char(&w->delivery->head, '\0');
	w->shown[w->n++] = object_head_is_secret(name) ? shown : NULL;
}

static void
begin_line(struct writer *w, const char *name)
{
	buf_add_text(&w->delivery->head, name);
	buf_add_char(&w->delivery->head, '\0');
}

static void
pass_on(struct writer *w)
{
	const char *name;

	for (size_t i = 0; (name = object_head_passed(w->delivery->rule, i)) != NULL; i++) {
		struct str value = head_header(w->naming->head, name);

		if (value.len == 0)
			continue;
		begin_line(w, name);
		buf_add_str(&w->delivery->head, value);
		end_line(w, name, "{of the client}");
	}
}

/* For `penstock explain` a grant that nobody has granted stays its placeholder. */
static bool
fill(struct writer *w, const struct template *t, struct error *err)
{
	buf_clear(&w->value);
	for (size_t i = 0; i < t->n_pieces; i++) {
		struct template_piece *piece = &t->pieces[i];
		const struct template alone = { .pieces = piece, .n_pieces = 1 };
		bool is_unknown = w->naming->want_shown && piece->kind == TEMPLATE_GRANT &&
			grants_value(w->naming->grants, piece->text).data == NULL;

		if (is_unknown)
			buf_add_text(&w->value, piece->source);
		else if (!naming_text(w->naming, &alone, w->part, &w->value, err))
			return false;
	}
	return true;
}

static bool
make_line(struct writer *w, const struct header_line *line, struct error *err)
{
	struct buf *out = &w->delivery->head;
	size_t before = out->len;

	if (!fill(w, line->made, err))
		return false;
	if (w->value.len == 0)
		return true;
	begin_line(w, line->name);
	object_head_escape(out, buf_str(&w->value));
	end_line(w, line->name, line->made->source);
	w->made += out->len - before - 2 + AROUND;
	return true;
}

static void
add_own(struct writer *w, const struct header_line *line)
{
	begin_line(w, line->name);
	buf_add_text(&w->delivery->head, line->value);
	end_line(w, line->name, NULL);
	w->shown[w->n - 1] = "{of the route file}";
}

/* Of the destination's lines those that are the same for all requests are sent with all of them. */
static bool
make_lines(struct writer *w, struct error *err)
{
	const struct rule *rule = w->delivery->rule;
	const struct header_lines *usual = object_head_lines_of(rule->to), *own = &rule->head.lines;

	for (size_t i = 0; i < usual->n; i++)
		if (usual->items[i].made != NULL && !make_line(w, &usual->items[i], err))
			return false;
	for (size_t i = 0; i < own->n; i++)
		if (own->items[i].made == NULL)
			add_own(w, &own->items[i]);
		else if (!make_line(w, &own->items[i], err))
			return false;
	return true;
}

static bool
check_size(const struct writer *w, struct error *err)
{
	if (w->made <= REQUEST_LINES_MAX)
		return true;
	error_set(err, ERR_RULE, "the header lines that are made for it would have %zu bytes; %d are taken",
		w->made, REQUEST_LINES_MAX);
	error_name_limit(err, "headers");
	return false;
}

bool
request_lines_make(
	const struct naming *naming, const struct named_part *part, struct delivery *delivery, struct error *err)
{
	struct writer w = { .naming = naming, .part = part, .delivery = delivery };
	bool ok;

	pass_on(&w);
	ok = make_lines(&w, err);
	if (ok && delivery->head.failed) /* then its length means nothing */
		ok = error_nomem(err);
	ok = ok && check_size(&w, err) && delivery_set_lines(delivery, w.n, w.shown, err);
	buf_free(&w.value);
	return ok;
}
