// SPDX-License-Identifier: MIT
/* sweep_page.h - pure: one page of a list of unfinished uploads -> the uploads that are to be aborted, and where the next page
 * begins.
 *
 * An age is measured by the store's clock, which has set the time of the upload, or by this machine's clock if that is behind. A
 * store tells whole seconds, so an upload may look a second older than it is: a second is added to the limit. An upload whose
 * time cannot be read stays.
 *
 * [any] One thread at a time for each page. */
#ifndef PENSTOCK_S3_SWEEP_PAGE_H
#define PENSTOCK_S3_SWEEP_PAGE_H

#include "base/str.h"
#include "sink/s3/answer.h"

#define S3_PAGE_UPLOADS 100u /* of a page; with their keys and ids they take 600 KiB at the most */

struct s3_page_upload {
	char *key, *id;
};

struct s3_page {
	struct s3_page_upload uploads[S3_PAGE_UPLOADS]; /* those that are to be aborted ... */
	size_t n;
	size_t n_seen; /* all uploads below the prefix, of any age */
	bool is_full;  /* ... and there are more than fit */
	bool failed;   /* out of memory: the page is not whole */
	const char *prefix;
	uint64_t older_ms;
	int64_t now_s;
};

/* Begins a page: forgets what was in it. `prefix` is borrowed until the next s3_page_begin(). */
void s3_page_begin(struct s3_page *page, const char *prefix, uint64_t older_ms, int64_t now_s);
void s3_page_add(struct s3_page *page, const struct s3_answer_upload *upload);
void s3_page_free(struct s3_page *page); /* back to the zeroed state */

/* Seconds since 1970 by the clock that is behind: this machine's, or that of a line Date (RFC 9110 section 5.6.7). If the text is
 * no date, this machine's. */
int64_t s3_page_now_s(int64_t own_s, const char *date);

/* Where a page begins: behind this upload, in whatever order the store lists them. Both are sent as the store said them, because
 * SeaweedFS goes by the id alone. Both empty: the first page. */
struct s3_marks {
	struct buf key, id;
};

enum s3_marks_said {
	S3_MARKS_LAST,  /* this is the last page */
	S3_MARKS_ON,    /* another one follows, and begins at `next` */
	S3_MARKS_STUCK, /* another one follows, but the store does not say where, or names this one again */
};

/* What does the list that begins at `marks` say of the next page? Its s3_answer_kind() must be S3_ANSWER_UPLOADS. Buffers of `next`
 * may have failed. */
enum s3_marks_said s3_marks_next(const struct s3_marks *marks, const struct s3_answer *list, struct s3_marks *next);
void s3_marks_free(struct s3_marks *marks);

/* Is the upload behind which the next page begins one of those that are to be aborted? */
bool s3_page_has_mark(const struct s3_page *page, const struct s3_marks *next);

/* Appends the query that asks for the page. */
void s3_marks_query(const struct s3_marks *marks, const char *prefix, struct buf *query);

#endif
