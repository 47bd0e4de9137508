// SPDX-License-Identifier: MIT
/* sweep_page.c - see sweep_page.h. */
#include "sink/s3/sweep_page.h"

#include "base/mem.h"
#include "sink/http_date.h"
#include "sink/s3/credentials_answer.h"
#include "sink/s3/sign.h"

#include <string.h>

#define ROUNDED_MS 1000u

/* -- a page ------------------------------------------------------------------------------------------- */

void
s3_page_begin(struct s3_page *page, const char *prefix, uint64_t older_ms, int64_t now_s)
{
	s3_page_free(page);
	page->prefix = prefix;
	page->older_ms = older_ms;
	page->now_s = now_s;
}

static bool
is_old(const struct s3_page *page, struct str initiated)
{
	int64_t begun_s;

	if (!s3_time_read(initiated, &begun_s) || begun_s >= page->now_s)
		return false;
	return (uint64_t)(page->now_s - begun_s) * 1000 >= page->older_ms + ROUNDED_MS;
}

static void
keep(struct s3_page *page, const struct s3_answer_upload *upload)
{
	struct s3_page_upload *kept = &page->uploads[page->n++];

	kept->key = str_dup(upload->key);
	kept->id = str_dup(upload->upload_id);
	page->failed = page->failed || kept->key == NULL || kept->id == NULL;
}

void
s3_page_add(struct s3_page *page, const struct s3_answer_upload *upload)
{
	size_t n = strlen(page->prefix);

	if (upload->key.len < n || memcmp(upload->key.data, page->prefix, n) != 0)
		return; /* a store may ignore the prefix */
	page->n_seen++;
	if (!is_old(page, upload->initiated))
		return;
	if (page->n < S3_PAGE_UPLOADS)
		keep(page, upload);
	else
		page->is_full = true;
}

void
s3_page_free(struct s3_page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		mem_free(page->uploads[i].key);
		mem_free(page->uploads[i].id);
	}
	*page = (struct s3_page){ 0 };
}

int64_t
s3_page_now_s(int64_t own_s, const char *date)
{
	int64_t stores_s;

	return http_date_read(date, &stores_s) && stores_s < own_s ? stores_s : own_s;
}

/* -- from one page to the next ------------------------------------------------------------------------ */

static void
set(struct buf *to, struct str text)
{
	buf_clear(to);
	buf_add_str(to, text);
}

static struct str
text_of(const struct s3_answer *list, enum s3_answer_text which)
{
	struct str text = s3_answer_text(list, which);

	return text.len > 0 ? text : STR_NONE;
}

enum s3_marks_said
s3_marks_next(const struct s3_marks *marks, const struct s3_answer *list, struct s3_marks *next)
{
	struct str key = text_of(list, S3_TEXT_NEXT_KEY_MARKER);
	struct str id = text_of(list, S3_TEXT_NEXT_UPLOAD_ID_MARKER);

	if (!str_equal_nocase(s3_answer_text(list, S3_TEXT_IS_TRUNCATED), STR("true")))
		return S3_MARKS_LAST;
	if (str_equal(key, buf_str(&marks->key)) && str_equal(id, buf_str(&marks->id)))
		return S3_MARKS_STUCK;
	set(&next->key, key);
	set(&next->id, id);
	return S3_MARKS_ON;
}

bool
s3_page_has_mark(const struct s3_page *page, const struct s3_marks *next)
{
	struct str key = buf_str(&next->key), id = buf_str(&next->id);

	for (size_t i = 0; i < page->n; i++)
		if (str_is(id, page->uploads[i].id) && (key.len == 0 || str_is(key, page->uploads[i].key)))
			return true;
	return false;
}

void
s3_marks_free(struct s3_marks *marks)
{
	buf_free(&marks->key);
	buf_free(&marks->id);
}

static void
add_parameter(struct buf *query, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	buf_addf(query, "&%s=", name);
	s3_escape(query, value, false);
}

void
s3_marks_query(const struct s3_marks *marks, const char *prefix, struct buf *query)
{
	buf_addf(query, "uploads=&max-uploads=%u", S3_PAGE_UPLOADS);
	add_parameter(query, "prefix", str_of(prefix));
	add_parameter(query, "key-marker", buf_str(&marks->key));
	add_parameter(query, "upload-id-marker", buf_str(&marks->id));
}
