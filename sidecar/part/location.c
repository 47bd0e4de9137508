// SPDX-License-Identifier: MIT
/* location.c - see location.h. The text is the route file's own, checked when it was loaded (config/redirect.h). */
#include "part/location.h"

#include "config/kind.h"

#include <string.h>

/* Each value is made as a name of its own, so that naming.c makes it harmless, and can show it for `explain`. */
static bool
add_value(const struct naming *naming, struct template_piece *piece, struct buf *out, struct error *err)
{
	struct template alone = { .pieces = piece, .n_pieces = 1 };
	static const struct destination_kind page = { .style = TEMPLATE_FOR_URL };
	struct destination_settings replaces = { .refuses_unsafe = false };
	struct destination url = { .kind = &page, .settings = &replaces };
	struct rule rule = { .to = &url, .target = &alone };
	struct part_head head = { 0 };
	struct named_part none = { .head = &head };

	return naming->want_shown ? naming_show(naming, &rule, &none, out, err)
				  : naming_expand(naming, &rule, &none, out, err);
}

/* RFC 3986 section 2.3: whoever decodes it has the value. */
static void
add_escaped(struct buf *out, struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~';

		if (is_plain)
			buf_add_char(out, (char)c);
		else
			buf_addf(out, "%%%02X", (unsigned)c);
	}
}

/* Nothing is changed in it, for two values that became one would have one answer. */
static bool
add_exact(const struct naming *naming, struct template_piece *piece, struct buf *out, struct error *err)
{
	struct template alone = { .pieces = piece, .n_pieces = 1 };
	struct part_head head = { 0 };
	struct named_part none = { .head = &head };
	struct buf value = { 0 };
	bool ok = naming_text(naming, &alone, &none, &value, err);

	if (ok)
		add_escaped(out, buf_str(&value));
	buf_free(&value);
	return ok;
}

static bool
is_dots(struct str segment)
{
	return str_is(segment, ".") || str_is(segment, "..");
}

/* Of several values, too, a step in the path can come, and whoever takes it is asked about something else. Those of the query are none,
 * and no value holds a '/' or a '?'. */
static bool
check_steps(struct str target, struct error *err)
{
	size_t from = 0;

	for (size_t i = 0; i <= target.len; i++) {
		bool is_end = i == target.len || target.data[i] == '?';

		if (!is_end && target.data[i] != '/')
			continue;
		if (is_dots((struct str){ target.data + from, i - from }))
			return error_set(err, ERR_BAD_REQUEST,
				"the path of the question would hold the segment \"%.*s\", about which nobody can be asked",
				(int)(i - from), target.data + from);
		if (is_end)
			break;
		from = i + 1;
	}
	return true;
}

/* A value that the client leaves out must not make one path of another, about which somebody else may be asked: "/may//x", or "/may/". */
struct filled {
	struct buf *out;
	size_t from;  /* where the path begins in it */
	bool is_open; /* a segment that has nothing yet but values that are empty */
};

static bool
is_at_segment(const struct filled *filled)
{
	const struct buf *out = filled->out;

	return out->len > filled->from && out->data[out->len - 1] == '/' &&
		memchr(out->data + filled->from, '?', out->len - filled->from) == NULL;
}

/* Some piece stands there now, behind `before`; NULL: the end does. */
static bool
note_piece(struct filled *filled, const size_t *before, struct error *err)
{
	const struct buf *out = filled->out;
	bool is_end = before == NULL || (out->len > *before && strchr("/?", out->data[*before]) != NULL);

	if (filled->is_open && is_end)
		return error_set(err, ERR_BAD_REQUEST,
			"the path of the question would have a segment without anything in it, about which nobody can be asked");
	if (before != NULL)
		filled->is_open = out->len == *before && (filled->is_open || is_at_segment(filled));
	return true;
}

static bool
is_text(const struct naming *naming, const struct template_piece *piece)
{
	return piece->kind == TEMPLATE_TEXT ||
		(naming->want_shown && (piece->kind == TEMPLATE_DATE || piece->kind == TEMPLATE_REQUEST_ID));
}

bool
location_of_question(const struct naming *naming, const struct template *t, struct buf *out, struct error *err)
{
	struct filled filled = { .out = out, .from = out->len };

	for (size_t i = 0; i < t->n_pieces; i++) {
		struct template_piece *piece = &t->pieces[i];
		size_t before = out->len;

		if (is_text(naming, piece))
			buf_add_text(out, piece->kind == TEMPLATE_TEXT ? piece->text : piece->source);
		else if (!add_exact(naming, piece, out, err))
			return false;
		if (!out->failed && !note_piece(&filled, &before, err))
			return false;
	}
	if (out->failed)
		return error_nomem(err);
	return note_piece(&filled, NULL, err) &&
		check_steps((struct str){ out->data + filled.from, out->len - filled.from }, err);
}

bool
location_make(const struct naming *naming, const struct response *response, struct buf *out, struct error *err)
{
	const struct template *t = response->redirect;

	if (t == NULL)
		return true;
	buf_add_text(out, response->origin);
	for (size_t i = 0; i < t->n_pieces; i++) {
		if (t->pieces[i].kind == TEMPLATE_TEXT)
			buf_add_text(out, t->pieces[i].text);
		else if (!add_value(naming, &t->pieces[i], out, err))
			return false;
	}
	if (out->failed)
		return error_nomem(err);
	if (out->len <= LOCATION_MAX)
		return true;
	error_set(
		err, ERR_RULE, "the address of the page that follows would be longer than %d bytes", LOCATION_MAX);
	error_name_limit(err, "redirect");
	return false;
}

static void
add_own_target(const struct head *head, struct buf *out)
{
	struct str query = head_query(head);

	buf_add_str(out, head_path(head));
	for (size_t i = 0; i < query.len && query.data[i] != '#'; i++) {
		if (i == 0)
			buf_add_char(out, '?');
		buf_add_char(out, query.data[i]);
	}
}

bool
location_of_form(const struct naming *naming, const struct app *app, struct buf *out, struct error *err)
{
	if (app->path != NULL)
		return location_of_question(naming, app->path, out, err);
	add_own_target(naming->head, out);
	return !out->failed || error_nomem(err);
}
