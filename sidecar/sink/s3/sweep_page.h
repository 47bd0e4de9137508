// SPDX-License-Identifier: MIT
/* sweep_page.h - pure: of one page of a list of unfinished uploads those that are to be ended, and where the next page begins.
 *
 * An age is measured by the store's clock, which has set the upload's own time, unless this machine's is behind it. A store
 * tells whole seconds, so an upload may look a second older than it is: that is added. One whose time cannot be read stays.
 *
 * [any] One thread at a time for each page. */
#ifndef PENSTOCK_S3_SWEEP_PAGE_H
#define PENSTOCK_S3_SWEEP_PAGE_H

#include "base/str.h"
#include "sink/s3/answer.h"

#define S3_PAGE_UPLOADS 100u /* of a page; with their keys and ids, 600 KiB at the most */

struct s3_page_upload {
	char *key, *id;
};

struct s3_page {
	struct s3_page_upload uploads[S3_PAGE_UPLOADS]; /* that are to be ended ... */
	size_t n;
	size_t n_seen; /* below the prefix, whatever their age */
	bool is_full;  /* ... and there are more of them */
	bool failed;   /* out of memory: the page is not whole */
	const char *prefix;
	uint64_t older_ms;
	int64_t now_s;
};

/* A page begins; what was in it is forgotten. `prefix` is borrowed until the next time. */
void s3_page_begin(struct s3_page *page, const char *prefix, uint64_t older_ms, int64_t now_s);
void s3_page_add(struct s3_page *page, const struct s3_answer_upload *upload);
void s3_page_free(struct s3_page *page); /* back to the zeroed state */

/* Seconds since 1970 by the earlier of two clocks: this machine's, and that of a line Date (RFC 9110 section 5.6.7); only
 * the first if the text is no date. */
int64_t s3_page_now_s(int64_t own_s, const char *date);

/* Where a page begins: behind this upload, in whatever order the store lists them. Sent as the store said it: SeaweedFS goes by
 * the id alone. Both empty: the first page. */
struct s3_marks {
	struct buf key, id;
};

enum s3_marks_said {
	S3_MARKS_LAST,  /* there is no other page */
	S3_MARKS_ON,    /* there is, behind `next` */
	S3_MARKS_STUCK, /* the store says so, but not where, or names this one */
};

/* What the list (s3_answer_kind() is S3_ANSWER_UPLOADS) that begins at `marks` says of the next page. Buffers of `next` may
 * have failed. */
enum s3_marks_said s3_marks_next(const struct s3_marks *marks, const struct s3_answer *list, struct s3_marks *next);
void s3_marks_free(struct s3_marks *marks);

/* Is the upload behind which the next page begins one of those that are to be ended? */
bool s3_page_has_mark(const struct s3_page *page, const struct s3_marks *next);

/* Appends the query that asks for the page. */
void s3_marks_query(const struct s3_marks *marks, const char *prefix, struct buf *query);

#endif
