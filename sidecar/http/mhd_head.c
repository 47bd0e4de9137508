// SPDX-License-Identifier: MIT
/* mhd_head.c - a request's head as libmicrohttpd holds it, in the words of route/head.h.
 *
 * libmicrohttpd 0.9 is lenient in ways that let two parsers read one head differently: a bare LF ends a line, what is
 * folded to the next line gets lost, a NUL ends a value or the whole head, blanks may stand in names. 1.0 refuses all of
 * that if it is told to be strict. What came can still be seen, for its strings stand where they were received, in one
 * block from the method to the end of the head, with NULs written over what stood between them: so mhd_head_check()
 * looks at the gaps. A version that keeps its strings elsewhere would have every request refused, not let through.
 *
 * 1.0 gives the gap behind the last value back to the buffer if little of that is left, and moves what has come of the body there,
 * before it shows the head. */
#include "http/http_priv.h"

#include <string.h>

struct lookup {
	struct str name;
	size_t nth;
	struct str *value;
	bool found;
};

static enum MHD_Result
on_header(
	void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct lookup *lookup = arg;

	(void)kind;
	if (name_len != lookup->name.len || !str_equal_nocase(lookup->name, (struct str){ name, name_len }))
		return MHD_YES;
	if (lookup->nth-- > 0)
		return MHD_YES;
	*lookup->value = str_trim((struct str){ value != NULL ? value : "", value != NULL ? value_len : 0 });
	lookup->found = true;
	return MHD_NO; /* enough */
}

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	struct lookup lookup = { .name = name, .nth = nth, .value = value };
	const struct connection *connection = arg;

	MHD_get_connection_values_n(connection->mhd, MHD_HEADER_KIND, on_header, &lookup);
	return lookup.found;
}

/* -- is it what it seems? --------------------------------------------------------------------------- */

struct walk {
	const char *at, *end; /* of the head; NULL: something stands where it should not */
	const char *behind;   /* the last value, or the version */
	const char *why;
};

bool
mhd_head_is_strict(void)
{
	return MHD_get_version()[0] != '0';
}

/* What is left of CR LF: 0.9 writes NULs over both, 1.0 one over the first of the blanks before them, or the CR. */
static const char *
skip_line_end(const char *at, const char *end)
{
	if (at == NULL || at >= end || *at++ != '\0')
		return NULL;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	at += at < end && *at == '\r';
	return at < end && (*at == '\0' || *at == '\n') ? at + 1 : NULL;
}

static bool
is_head_end(const char *at, const char *end)
{
	return at != NULL && end - at == 2 && (memcmp(at, "\0\0", 2) == 0 || memcmp(at, "\r\n", 2) == 0);
}

/* The length of the gap behind the last value stays true when 1.0 has written over it. Of four bytes 1.0 has seen that they were CR
 * LF CR LF, for it is strict: no header, no blank and no end of another kind could stand there. A longer gap is not excused. */
static bool
is_overwritten(const struct walk *walk)
{
	return mhd_head_is_strict() && walk->end - walk->behind == 4;
}

/* 0.9 leaves blanks in a value's end, and then does not know "chunked " for what it is: it would show the chunks with
 * their sizes as the body. 1.0 wrote its NUL over the first of them. */
static bool
has_blank_behind(struct str value)
{
	const char *behind = value.data + value.len + 1;

	return str_trim(value).len < value.len || *behind == ' ' || *behind == '\t' || *behind == '\r';
}

static enum MHD_Result
check_header(
	void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct walk *walk = arg;
	const char *colon = name + name_len;

	(void)kind;
	if (!str_is_token((struct str){ name, name_len }))
		walk->why = "a header's name that is no token";
	else if (str_has_control((struct str){ value, value_len }))
		walk->why = "a control character in a header";
	else if (name != walk->at || value <= colon || value > walk->end ||
		strspn(colon + 1, " \t") < (size_t)(value - colon - 1))
		walk->why = "a header that is folded, or a line that does not end with CR LF";
	else if (str_equal_nocase((struct str){ name, name_len }, STR("transfer-encoding")) &&
		has_blank_behind((struct str){ value, value_len }))
		walk->why = "a blank behind the Transfer-Encoding";
	if (walk->why != NULL)
		return MHD_NO;
	walk->behind = value + value_len;
	walk->at = skip_line_end(walk->behind, walk->end);
	return MHD_YES;
}

/* One blank between the three words, and nothing hidden behind a NUL. */
static bool
is_plain_line(const struct head *head, const char *url)
{
	for (size_t i = 0; i < head->target.len; i++)
		if ((unsigned char)head->target.data[i] <= ' ' || head->target.data[i] == 0x7f)
			return false;
	return str_is_token(head->method) && url == head->method.data + head->method.len + 1 &&
		head->version.data == url + head->target.len + 1;
}

bool
mhd_head_check(const struct connection *connection, const struct head *head, const char *url, struct error *err)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct walk walk = { .end = head->method.data + info->header_size };

	if (!is_plain_line(head, url))
		return error_set(err, ERR_BAD_REQUEST, "a request line that is not three words");
	walk.behind = head->version.data + head->version.len;
	walk.at = skip_line_end(walk.behind, walk.end);
	MHD_get_connection_values_n(connection->mhd, MHD_HEADER_KIND, check_header, &walk);
	if (walk.why == NULL && !is_head_end(walk.at, walk.end) && !is_overwritten(&walk))
		walk.why = "a NUL in the head, or a line that does not end with CR LF";
	return walk.why == NULL || error_set(err, ERR_BAD_REQUEST, "%s", walk.why);
}

void
mhd_head_init(const struct connection *connection, struct head *head, struct str target, const char *method,
	const char *version)
{
	*head = (struct head){
		.method = str_of(method),
		.target = target,
		.version = str_of(version),
		.header = nth_header,
		.arg = connection,
	};
}
