// SPDX-License-Identifier: MIT
/* naming.c - see naming.h. The pieces of a template, one after another; what a client's text may become in a name is
 * safe_name.c's to say. */
#include "part/naming.h"

#include "base/uuid.h"

#include <stdio.h>

/* What follows the last '/' or '\\', whichever a browser wrote. */
static struct str
base_name(struct str filename)
{
	for (size_t i = filename.len; i > 0; i--)
		if (filename.data[i - 1] == '/' || filename.data[i - 1] == '\\')
			return (struct str){ filename.data + i, filename.len - i };
	return filename;
}

static bool
is_alnum(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static struct str
plain_extension(struct str filename)
{
	struct str name = base_name(filename);
	size_t i = name.len;

	while (i > 0 && is_alnum(name.data[i - 1]))
		i--;
	if (i == 0 || name.data[i - 1] != '.' || i == name.len || name.len - i > 16)
		return STR_NONE;
	return (struct str){ name.data + i, name.len - i };
}

static void
add_query(struct safe_name *out, const struct naming *naming, const struct template_piece *piece)
{
	struct buf value = { 0 };

	head_query_value(naming->head, str_of(piece->text), &value);
	if (value.failed)
		error_nomem(&out->error);
	safe_name_value(out, piece->source, buf_str(&value));
	buf_free(&value);
}

static void
add_extension(struct safe_name *out, const struct template_piece *piece, struct str filename)
{
	struct str ext = plain_extension(filename);

	if (ext.len == 0)
		safe_name_drop_dot(out); /* "{uuid}.{file.ext}" of a name without one is just the UUID */
	safe_name_value(out, piece->source, ext);
}

/* Digits and '-'. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void
add_conversion(struct safe_name *out, char conversion, const struct tm *tm)
{
	const char format[] = { '%', conversion, '\0' };
	char text[16];

	safe_name_text(out, (struct str){ text, strftime(text, sizeof text, format, tm) });
}
#pragma GCC diagnostic pop

/* The format is the operator's: config/ has checked it when the route file was loaded, and its text like that of
 * the template around it, as which it stands here. One conversion at a time: no buffer bounds the whole. */
static void
add_date(struct safe_name *out, const char *format, time_t when)
{
	struct tm tm;

	gmtime_r(&when, &tm);
	for (; *format != '\0'; format++) {
		if (*format != '%' || format[1] == '\0')
			safe_name_text(out, (struct str){ format, 1 });
		else
			add_conversion(out, *++format, &tm);
	}
}

static bool
is_runtime(enum template_kind kind)
{
	return kind == TEMPLATE_UUID || kind == TEMPLATE_DATE || kind == TEMPLATE_REQUEST_ID;
}

/* Decoded first: the value is escaped anew for where it stands. */
static void
add_capture(struct safe_name *out, const struct naming *naming, const struct template_piece *piece)
{
	struct buf decoded = { 0 };

	if (piece->number >= 1 && piece->number <= naming->match->n_captures)
		percent_decode(naming->match->captures[piece->number - 1], false, &decoded);
	if (decoded.failed)
		error_nomem(&out->error);
	safe_name_value(out, piece->source, buf_str(&decoded));
	buf_free(&decoded);
}

static void
add_number(struct safe_name *out, unsigned number)
{
	char text[16];

	snprintf(text, sizeof text, "%u", number);
	safe_name_plain(out, str_of(text));
}

static void
add_uuid(struct safe_name *out)
{
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	safe_name_plain(out, str_of(uuid));
}

static void
add_piece(struct safe_name *out, const struct naming *naming, const struct template_piece *piece,
	const struct part_head *part)
{
	switch (piece->kind) {
	case TEMPLATE_TEXT:
		safe_name_text(out, str_of(piece->text));
		break;
	case TEMPLATE_UUID:
		add_uuid(out);
		break;
	case TEMPLATE_PART:
		add_number(out, part->number);
		break;
	case TEMPLATE_FIELD:
		safe_name_value(out, piece->source, part->field);
		break;
	case TEMPLATE_FILE_NAME:
		safe_name_value(out, piece->source, base_name(part->filename));
		break;
	case TEMPLATE_FILE_EXT:
		add_extension(out, piece, part->filename);
		break;
	case TEMPLATE_PATH:
		add_capture(out, naming, piece);
		break;
	case TEMPLATE_QUERY:
		add_query(out, naming, piece);
		break;
	case TEMPLATE_HEADER:
		safe_name_value(out, piece->source, head_header(naming->head, piece->text));
		break;
	case TEMPLATE_DATE:
		add_date(out, piece->text, naming->started);
		break;
	case TEMPLATE_REQUEST_ID:
		safe_name_value(out, piece->source, naming->request_id);
		break;
	}
}

bool
naming_expand(const struct naming *naming, const struct rule *rule, const struct part_head *part, struct buf *out,
	struct error *err)
{
	struct safe_name name;

	safe_name_begin(&name, rule->to, out);
	for (size_t i = 0; i < rule->target->n_pieces; i++)
		add_piece(&name, naming, &rule->target->pieces[i], part);
	return safe_name_end(&name, err) && safe_name_fits(rule->to, buf_str(out), err);
}

bool
naming_show(const struct naming *naming, const struct rule *rule, const struct part_head *part, struct buf *out,
	struct error *err)
{
	struct safe_name name;

	safe_name_begin(&name, rule->to, out);
	for (size_t i = 0; i < rule->target->n_pieces; i++) {
		const struct template_piece *piece = &rule->target->pieces[i];

		if (is_runtime(piece->kind))
			safe_name_plain(&name, str_of(piece->source));
		else
			add_piece(&name, naming, piece, part);
	}
	return safe_name_end(&name, err);
}

/* -- what a request says twice ------------------------------------------------------------------------- */

static bool
check_piece(const struct head *head, const struct template_piece *piece, struct error *err)
{
	struct str second;

	if (piece->kind == TEMPLATE_QUERY)
		return head_query_is_clear(head, str_of(piece->text), err);
	if (piece->kind != TEMPLATE_HEADER || !head->header(head->arg, str_of(piece->text), 1, &second))
		return true;
	return error_set(err, ERR_BAD_REQUEST, "more than one header %s, of which a name is made", piece->text);
}

static bool
check_template(const struct head *head, const struct template *t, struct error *err)
{
	for (size_t i = 0; t != NULL && i < t->n_pieces; i++)
		if (!check_piece(head, &t->pieces[i], err))
			return false;
	return true;
}

bool
naming_check(const struct naming *naming, const struct route *route, struct error *err)
{
	for (size_t i = 0; i < route->n_rules; i++)
		if (!check_template(naming->head, route->rules[i].target, err))
			return false;
	return check_template(naming->head, route->response.redirect, err);
}
