// SPDX-License-Identifier: MIT
/* location.c - see location.h. The text is the route file's own, checked when it was loaded (config/redirect.h). */
#include "part/location.h"

#include "config/kind.h"

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
	return out->len <= LOCATION_MAX ||
		error_set(err, ERR_RULE, "the address of the page that follows would be longer than %d bytes",
			LOCATION_MAX);
}
