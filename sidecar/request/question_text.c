// SPDX-License-Identifier: MIT
/* question_text.c - see question_text.h. */
#include "request/question_text.h"

#include "base/mem.h"

void
question_text_add(struct question_text *to, const char *name, struct str value)
{
	if (value.data == NULL)
		return;
	question_lines_add(&to->text, str_of(name), value);
	to->n_lines++;
}

void
question_text_add_passed(struct question_text *to, const struct head *head, const struct texts *pass)
{
	struct str value;

	for (size_t i = 0; i < pass->n; i++)
		for (size_t n = 0; head->header(head->arg, str_of(pass->items[i]), n, &value); n++)
			question_text_add(to, pass->items[i], value);
}

/* penstock itself speaks plain HTTP, so only a gateway can know of TLS. */
static struct str
proto_of(const struct head *head, const struct identity *identity)
{
	struct str said = identity->is_trusted ? head_only(head, "x-forwarded-proto") : STR_NONE;

	return str_equal_nocase(said, STR("https")) ? STR("https") : STR("http");
}

/* As sent, or the authority of an absolute target, which is the same (decide.h). */
static struct str
host_of(const struct head *head)
{
	struct str host = head_header(head, "host");

	return host.data != NULL ? host : head_host(head);
}

static void
add_uri(struct question_text *to, const struct head *head)
{
	struct str query = head_query(head);
	struct buf uri = { 0 };

	buf_add_str(&uri, head_path(head));
	if (query.data != NULL) {
		buf_add_char(&uri, '?');
		buf_add_str(&uri, query);
	}
	to->text.failed |= uri.failed;
	question_text_add(to, "X-Forwarded-Uri", uri.len > 0 ? buf_str(&uri) : STR(""));
	buf_free(&uri);
}

void
question_text_add_forwarded(
	struct question_text *to, const struct head *head, const struct identity *identity, const char *route)
{
	question_text_add(to, "X-Forwarded-Method", head->method);
	question_text_add(to, "X-Forwarded-Proto", proto_of(head, identity));
	question_text_add(to, "X-Forwarded-Host", host_of(head));
	add_uri(to, head);
	question_text_add(to, "X-Forwarded-For", str_of(identity->client));
	question_text_add(to, "X-Penstock-Route", str_of(route));
}

bool
question_text_end(struct question_text *to)
{
	to->lines = to->text.failed ? NULL : question_lines_find(&to->text, to->n_lines);
	return to->lines != NULL;
}

void
question_text_free(struct question_text *to)
{
	buf_free(&to->text);
	mem_free(to->lines);
	*to = (struct question_text){ .n_lines = 0 };
}
