// SPDX-License-Identifier: MIT
/* answer.c - see answer.h. expat reads the XML; this file keeps texts, and bounds what expat reads.
 *
 * White space before the first element is not given to expat, which takes none before an XML declaration, and it does not count
 * as bytes of the answer. Only for that this file looks for the place where the first element begins. Elements are told apart by
 * their paths of local names from the root, whatever the namespace, because stores differ in that.
 *
 * Memory: the texts (a row's `max` each), the path, and expat's copy of a token that has not ended, TOKEN_MAX at most. */
#include "sink/s3/answer.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/secret.h"
#include "base/state.h"
#include "sink/s3/answer_rows.h"

#include <expat.h>
#include <string.h>

#define DEPTH_MAX 16
#define TOKEN_MAX 32768 /* bytes without an event: a tag, a comment */
#define SLICE 4096      /* given to expat at once, so that a refusal is seen soon */

enum state { WAITING, READING, READ, REFUSED };

static const unsigned may_become[] = {
	[WAITING] = BIT(READING) | BIT(READ),
	[READING] = BIT(READ) | BIT(REFUSED),
	[READ] = 0,
	[REFUSED] = 0,
};

/* Where the next byte stands; as much of it as is needed to find the first element. */
enum place { BETWEEN, AFTER_LESS, IN_MARKUP, IN_ROOT };

struct s3_answer {
	enum state state;
	enum place place;
	enum s3_answer_kind kind;
	struct error error; /* why it is REFUSED */
	XML_Parser parser;
	size_t max_bytes, bytes, without_event;
	struct buf path;                     /* of the innermost open element: "Error/Code" */
	size_t begins[DEPTH_MAX], depth;     /* for each open element, the length of the path without it */
	const struct s3_answer_row *reading; /* the row of the open element, if its text is kept; else NULL */
	struct buf texts[S3_ALL_TEXTS];      /* data NULL: it has not come */
	void (*on_upload)(void *arg, const struct s3_answer_upload *upload);
	void *arg;
};

static void
answer_move(struct s3_answer *answer, enum state to)
{
	must(state_may_become(may_become, (int)answer->state, (int)to));
	answer->state = to;
}

/* The error is set. False, so that `return refuse(...)` reads as "fail with". */
static bool
refuse(struct s3_answer *answer)
{
	if (answer->state == REFUSED)
		return false;
	error_wrap(&answer->error, "the answer cannot be understood");
	answer_move(answer, REFUSED);
	XML_StopParser(answer->parser, XML_FALSE);
	return false;
}

/* -- elements ------------------------------------------------------------------------------------- */

static void
forget_upload(struct s3_answer *answer)
{
	for (size_t i = S3_UPLOAD_KEY; i < S3_ALL_TEXTS; i++)
		buf_free(&answer->texts[i]);
}

static void
open_path(struct s3_answer *answer, const char *name)
{
	const char *local = strrchr(name, '\n');

	answer->begins[answer->depth++] = answer->path.len;
	if (answer->depth > 1)
		buf_add_char(&answer->path, '/');
	buf_add_text(&answer->path, local != NULL ? local + 1 : name);
	if (answer->path.failed)
		error_nomem(&answer->error);
}

static void
open_text(struct s3_answer *answer, const struct s3_answer_row *row)
{
	struct buf *text = &answer->texts[row->text];

	if (text->data != NULL) {
		error_set(&answer->error, ERR_UPSTREAM, "%s comes twice", row->path);
		return;
	}
	answer->reading = row;
	text->is_secret = true; /* it may be a key */
	buf_add_text(text, ""); /* it has come, also if it is empty */
	if (text->failed)
		error_nomem(&answer->error);
}

static void
on_start(void *arg, const char *name, const char **attributes)
{
	struct s3_answer *answer = arg;
	const struct s3_answer_row *row;

	(void)attributes;
	answer->without_event = 0;
	if (answer->depth == DEPTH_MAX || answer->reading != NULL)
		error_set(&answer->error, ERR_UPSTREAM, "its elements go too deep");
	else
		open_path(answer, name);
	if (error_is_set(&answer->error)) {
		refuse(answer);
		return;
	}
	if (answer->depth == 1)
		answer->kind = s3_answer_kind_of(buf_str(&answer->path));
	row = s3_answer_row_of(buf_str(&answer->path));
	if (row != NULL)
		open_text(answer, row);
	if (error_is_set(&answer->error))
		refuse(answer);
}

/* The part of `text` that fits into `room`, with no character cut in two. */
static struct str
fitting(struct str text, size_t room)
{
	if (text.len <= room)
		return text;
	text.len = room;
	while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xc0) == 0x80)
		text.len--;
	return text;
}

static void
on_text(void *arg, const char *data, int len)
{
	struct s3_answer *answer = arg;
	const struct s3_answer_row *row = answer->reading;
	struct str text = { data, (size_t)len }, kept;
	struct buf *to;

	answer->without_event = 0;
	if (row == NULL || answer->state != READING)
		return;
	to = &answer->texts[row->text];
	kept = fitting(text, row->max - to->len);
	if (kept.len < text.len && !row->may_be_cut)
		error_set(&answer->error, ERR_UPSTREAM, "%s is longer than %zu bytes", row->path, row->max);
	if (kept.len < text.len)
		answer->reading = NULL; /* so that no later piece, which might fit, follows what was cut away */
	buf_add_str(to, kept);
	if (to->failed)
		error_nomem(&answer->error);
	if (error_is_set(&answer->error))
		refuse(answer);
}

static void
tell_upload(struct s3_answer *answer)
{
	struct s3_answer_upload upload = {
		.key = buf_str(&answer->texts[S3_UPLOAD_KEY]),
		.upload_id = buf_str(&answer->texts[S3_UPLOAD_ID]),
		.initiated = buf_str(&answer->texts[S3_UPLOAD_INITIATED]),
	};

	if (upload.key.len == 0 || upload.upload_id.len == 0) {
		error_set(&answer->error, ERR_UPSTREAM, "an Upload has no Key or no UploadId");
		refuse(answer);
	} else if (answer->on_upload != NULL) {
		answer->on_upload(answer->arg, &upload);
	}
	forget_upload(answer);
}

static void
on_end(void *arg, const char *name)
{
	struct s3_answer *answer = arg;

	(void)name;
	answer->without_event = 0;
	if (answer->state != READING)
		return;
	answer->reading = NULL;
	if (str_is(buf_str(&answer->path), S3_UPLOAD_PATH))
		tell_upload(answer);
	answer->path.len = answer->begins[--answer->depth];
}

/* Called before the DTD is read, so no entity is ever declared. */
static void
on_doctype(void *arg, const char *name, const char *system_id, const char *public_id, int has_internal_subset)
{
	struct s3_answer *answer = arg;

	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal_subset;
	error_set(&answer->error, ERR_UPSTREAM, "it has a document type");
	refuse(answer);
}

/* -- bytes ---------------------------------------------------------------------------------------- */

static bool
refuse_xml(struct s3_answer *answer)
{
	enum XML_Error code = XML_GetErrorCode(answer->parser);

	if (code == XML_ERROR_NO_MEMORY)
		error_nomem(&answer->error);
	else
		error_set(&answer->error, ERR_UPSTREAM, "it is no well-formed XML (%s)", XML_ErrorString(code));
	return refuse(answer);
}

static bool
count(struct s3_answer *answer, size_t n)
{
	answer->bytes += n;
	answer->without_event += n;
	if (answer->bytes > answer->max_bytes)
		error_set(&answer->error, ERR_UPSTREAM, "it is longer than %zu bytes", answer->max_bytes);
	else if (answer->without_event > TOKEN_MAX)
		error_set(&answer->error, ERR_UPSTREAM, "a tag is longer than %d bytes", TOKEN_MAX);
	return !error_is_set(&answer->error) || refuse(answer);
}

static bool
parse(struct s3_answer *answer, struct str bytes)
{
	while (bytes.len > 0) {
		size_t n = bytes.len < SLICE ? bytes.len : SLICE;

		if (!count(answer, n))
			return false;
		if (XML_Parse(answer->parser, bytes.data, (int)n, XML_FALSE) != XML_STATUS_OK)
			return refuse_xml(answer);
		bytes = (struct str){ bytes.data + n, bytes.len - n };
	}
	return true;
}

static bool
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What follows a '>' in a comment may be taken for the first element. That only means that white space after it is counted. */
static enum place
place_after(enum place place, char c)
{
	if (c == '>')
		return BETWEEN;
	if (place == BETWEEN)
		return c == '<' ? AFTER_LESS : IN_MARKUP;
	if (place == AFTER_LESS)
		return c == '?' || c == '!' ? IN_MARKUP : IN_ROOT;
	return place;
}

/* Takes white space off the front of `bytes`, and then what follows, up to where white space may come again, and returns that. */
static struct str
next_before_root(struct s3_answer *answer, struct str *bytes)
{
	struct str run;
	size_t n = 0;

	while (answer->place == BETWEEN && bytes->len > 0 && is_white(bytes->data[0]))
		*bytes = (struct str){ bytes->data + 1, bytes->len - 1 };
	run = *bytes;
	while (n < run.len && answer->place != IN_ROOT) {
		answer->place = place_after(answer->place, run.data[n++]);
		if (answer->place == BETWEEN)
			break;
	}
	run.len = n;
	*bytes = (struct str){ bytes->data + n, bytes->len - n };
	return run;
}

bool
s3_answer_feed(struct s3_answer *answer, struct str bytes)
{
	must(answer->state != READ);
	while (answer->state != REFUSED && answer->place != IN_ROOT && bytes.len > 0) {
		struct str run = next_before_root(answer, &bytes);

		if (run.len > 0 && answer->state == WAITING)
			answer_move(answer, READING);
		parse(answer, run);
	}
	return answer->state != REFUSED && parse(answer, bytes);
}

static bool
has_needs(struct s3_answer *answer)
{
	const char *missing = s3_answer_missing(answer->kind, answer->texts);

	if (missing == NULL)
		return true;
	error_set(&answer->error, ERR_UPSTREAM, "it has no %s", missing);
	return refuse(answer);
}

static bool
end_document(struct s3_answer *answer)
{
	if (XML_Parse(answer->parser, "", 0, XML_TRUE) != XML_STATUS_OK)
		return refuse_xml(answer);
	return has_needs(answer);
}

bool
s3_answer_end(struct s3_answer *answer, struct error *err)
{
	if (answer->state == WAITING || (answer->state == READING && end_document(answer)))
		answer_move(answer, READ);
	if (answer->state == READ)
		return true;
	error_keep_first(err, &answer->error);
	return false;
}

/* -- the answer ----------------------------------------------------------------------------------- */

struct s3_answer *
s3_answer_new(size_t max_bytes)
{
	struct s3_answer *answer = mem_zalloc(sizeof *answer);

	if (answer == NULL)
		return NULL;
	answer->max_bytes = max_bytes;
	answer->parser = XML_ParserCreateNS("UTF-8", '\n');
	if (answer->parser == NULL) {
		s3_answer_free(answer);
		return NULL;
	}
	XML_SetUserData(answer->parser, answer);
	XML_SetElementHandler(answer->parser, on_start, on_end);
	XML_SetCharacterDataHandler(answer->parser, on_text);
	XML_SetStartDoctypeDeclHandler(answer->parser, on_doctype);
	return answer;
}

void
s3_answer_on_upload(
	struct s3_answer *answer, void (*on_upload)(void *arg, const struct s3_answer_upload *upload), void *arg)
{
	answer->on_upload = on_upload;
	answer->arg = arg;
}

enum s3_answer_kind
s3_answer_kind(const struct s3_answer *answer)
{
	return answer->state == READ ? answer->kind : S3_ANSWER_EMPTY;
}

struct str
s3_answer_text(const struct s3_answer *answer, enum s3_answer_text which)
{
	const struct buf *text = &answer->texts[which];

	return answer->state == READ && text->data != NULL ? buf_str(text) : STR_NONE;
}

void
s3_answer_free(struct s3_answer *answer)
{
	if (answer == NULL)
		return;
	for (size_t i = 0; i < S3_ALL_TEXTS; i++)
		secret_wipe(&answer->texts[i]);
	buf_free(&answer->path);
	if (answer->parser != NULL)
		XML_ParserFree(answer->parser);
	mem_free(answer);
}
