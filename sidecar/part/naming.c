// SPDX-License-Identifier: MIT
/* naming.c - see naming.h. Here are the pieces of a template, one after another; safe_name.c has what a client's
 * text becomes in a name. */
#include "part/naming.h"

#include "base/file_name.h"
#include "base/uuid.h"
#include "config/object_head.h"
#include "config/type_extension.h"
#include "part/arrivals.h"
#include "part/request_lines.h"

#include <stdio.h>
#include <string.h>

/* Where the pieces go: into a name, or unchanged into a text that is no name. */
struct filling {
	struct safe_name name;
	struct buf *text; /* NULL: into `name` */
};

static void
fill_text(struct filling *out, struct str text)
{
	if (out->text != NULL)
		buf_add_str(out->text, text);
	else
		safe_name_text(&out->name, text);
}

static void
fill_plain(struct filling *out, struct str text)
{
	if (out->text != NULL)
		buf_add_str(out->text, text);
	else
		safe_name_plain(&out->name, text);
}

static void
fill_value(struct filling *out, const char *placeholder, struct str value)
{
	if (out->text != NULL)
		buf_add_str(out->text, value);
	else
		safe_name_value(&out->name, placeholder, value);
}

static void
fill_drop_dot(struct filling *out)
{
	if (out->text == NULL)
		safe_name_drop_dot(&out->name);
	else if (out->text->len > 0 && out->text->data[out->text->len - 1] == '.')
		out->text->data[--out->text->len] = '\0';
}

static void
add_query(struct filling *out, const struct naming *naming, const struct template_piece *piece)
{
	struct buf value = { 0 };

	head_query_value(naming->head, str_of(piece->text), &value);
	if (value.failed)
		error_nomem(&out->name.error);
	fill_value(out, piece->source, buf_str(&value));
	buf_free(&value);
}

static void
add_extension(struct filling *out, const struct template_piece *piece, struct str ext)
{
	if (ext.len == 0)
		fill_drop_dot(out); /* "{uuid}.{file.ext}" of a name without one is just the UUID */
	fill_value(out, piece->source, ext);
}

/* Digits and '-'. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void
add_conversion(struct filling *out, char conversion, const struct tm *tm)
{
	const char format[] = { '%', conversion, '\0' };
	char text[16];

	fill_text(out, (struct str){ text, strftime(text, sizeof text, format, tm) });
}
#pragma GCC diagnostic pop

/* The format is the operator's. config/ has checked it when the route file was loaded, and its text as that of the template
 * around it, so the text goes in as such here. One conversion at a time, so that no buffer bounds the whole. */
static void
add_date(struct filling *out, const char *format, time_t when)
{
	struct tm tm;

	gmtime_r(&when, &tm);
	for (; *format != '\0'; format++) {
		if (*format != '%' || format[1] == '\0')
			fill_text(out, (struct str){ format, 1 });
		else
			add_conversion(out, *++format, &tm);
	}
}

static bool
is_runtime(const struct naming *naming, const struct template_piece *piece)
{
	return piece->kind == TEMPLATE_UUID || piece->kind == TEMPLATE_DATE || piece->kind == TEMPLATE_REQUEST_ID ||
		(piece->kind == TEMPLATE_GRANT && grants_value(naming->grants, piece->text).data == NULL);
}

/* Decodes first, because the value is escaped anew for the place where it goes. */
static void
add_capture(struct filling *out, const struct naming *naming, const struct template_piece *piece)
{
	struct buf decoded = { 0 };

	if (piece->number >= 1 && piece->number <= naming->match->n_captures)
		percent_decode(naming->match->captures[piece->number - 1], false, &decoded);
	if (decoded.failed)
		error_nomem(&out->name.error);
	fill_value(out, piece->source, buf_str(&decoded));
	buf_free(&decoded);
}

static void
add_number(struct filling *out, unsigned number)
{
	char text[16];

	snprintf(text, sizeof text, "%u", number);
	fill_plain(out, str_of(text));
}

static void
add_uuid(struct filling *out)
{
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	fill_plain(out, str_of(uuid));
}

static void
add_piece(struct filling *out, const struct naming *naming, const struct template_piece *piece,
	const struct named_part *part)
{
	switch (piece->kind) {
	case TEMPLATE_TEXT:
		fill_text(out, str_of(piece->text));
		break;
	case TEMPLATE_UUID:
		add_uuid(out);
		break;
	case TEMPLATE_PART:
		add_number(out, part->head->number);
		break;
	case TEMPLATE_FIELD:
		fill_value(out, piece->source, part->head->field);
		break;
	case TEMPLATE_FILE_NAME:
		fill_value(out, piece->source, file_name_base(part->head->filename));
		break;
	case TEMPLATE_FILE_EXT:
		add_extension(out, piece, file_name_extension(part->head->filename));
		break;
	case TEMPLATE_DETECTED_EXT:
		add_extension(out, piece, type_extension(part->detected_type));
		break;
	case TEMPLATE_PATH:
		add_capture(out, naming, piece);
		break;
	case TEMPLATE_QUERY:
		add_query(out, naming, piece);
		break;
	case TEMPLATE_HEADER:
		fill_value(out, piece->source, head_header(naming->head, piece->text));
		break;
	case TEMPLATE_DATE:
		add_date(out, piece->text, naming->started);
		break;
	case TEMPLATE_REQUEST_ID:
		fill_value(out, piece->source, naming->request_id);
		break;
	case TEMPLATE_GRANT:
		fill_value(out, piece->source, grants_value(naming->grants, piece->text));
		break;
	case TEMPLATE_FIELD_VALUE:
		fill_value(out, piece->source, arrivals_value(part->arrivals, piece->text));
		break;
	}
}

bool
naming_expand(const struct naming *naming, const struct rule *rule, const struct named_part *part, struct buf *out,
	struct error *err)
{
	struct filling name = { 0 };

	safe_name_begin(&name.name, rule->to, rule->shortens_names, out);
	for (size_t i = 0; i < rule->target->n_pieces; i++)
		add_piece(&name, naming, &rule->target->pieces[i], part);
	return safe_name_end(&name.name, err) && safe_name_fits(rule->to, buf_str(out), err);
}

/* As long as what it stands for, so that the name is shown as long as it will be. */
static void
add_stand_in(struct safe_name *name, const struct naming *naming, const struct template_piece *piece)
{
	struct buf date = { 0 };
	struct filling text = { .text = &date };
	size_t len = strlen(piece->source); /* nobody knows how long a grant will be */

	if (piece->kind == TEMPLATE_UUID)
		len = UUID_SIZE - 1;
	if (piece->kind == TEMPLATE_REQUEST_ID)
		len = naming->request_id.len;
	if (piece->kind == TEMPLATE_DATE) {
		add_date(&text, piece->text, naming->started);
		len = date.len;
	}
	safe_name_stand_in(name, str_of(piece->source), len);
	buf_free(&date);
}

bool
naming_show(const struct naming *naming, const struct rule *rule, const struct named_part *part, struct buf *out,
	struct error *err)
{
	struct filling name = { 0 };

	safe_name_begin(&name.name, rule->to, rule->shortens_names, out);
	for (size_t i = 0; i < rule->target->n_pieces; i++) {
		const struct template_piece *piece = &rule->target->pieces[i];

		if (is_runtime(naming, piece))
			add_stand_in(&name.name, naming, piece);
		else
			add_piece(&name, naming, piece, part);
	}
	return safe_name_end(&name.name, err);
}

bool
naming_text(const struct naming *naming, const struct template *t, const struct named_part *part, struct buf *out,
	struct error *err)
{
	struct filling text = { .text = out };

	for (size_t i = 0; i < t->n_pieces; i++)
		add_piece(&text, naming, &t->pieces[i], part);
	if (out->failed)
		return error_nomem(err);
	if (error_is_set(&text.name.error))
		error_keep_first(err, &text.name.error);
	return !error_is_set(&text.name.error);
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
	return error_set(err, ERR_BAD_REQUEST,
		"more than one header %s, of which a name, metadata or a question is made", piece->text);
}

static bool
check_template(const struct head *head, const struct template *t, struct error *err)
{
	for (size_t i = 0; t != NULL && i < t->n_pieces; i++)
		if (!check_piece(head, &t->pieces[i], err))
			return false;
	return true;
}

static bool
check_rule(const struct head *head, const struct rule *rule, struct error *err)
{
	const struct template *t;

	for (size_t i = 0; rule->to != NULL && (t = object_head_template(rule, i)) != NULL; i++)
		if (!check_template(head, t, err))
			return false;
	return check_template(head, rule->target, err) && request_lines_check(head, rule, err);
}

bool
naming_check(const struct naming *naming, const struct route *route, struct error *err)
{
	for (size_t i = 0; i < route->n_rules; i++)
		if (!check_rule(naming->head, &route->rules[i], err))
			return false;
	return check_template(naming->head, route->authorize.target, err) &&
		check_template(naming->head, route->app.path, err) &&
		check_template(naming->head, route->response.redirect, err);
}
