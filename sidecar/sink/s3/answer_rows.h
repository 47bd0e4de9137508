// SPDX-License-Identifier: MIT
/* answer_rows.h - which elements of S3's answers have a text that is kept, by their paths from the root (answer.h). */
#ifndef PENSTOCK_S3_ANSWER_ROWS_H
#define PENSTOCK_S3_ANSWER_ROWS_H

#include "sink/s3/answer.h"

#define S3_UPLOAD_PATH "ListMultipartUploadsResult/Upload"

/* The texts of the <Upload> that is being read. Their numbers follow those of enum s3_answer_text. */
enum { S3_UPLOAD_KEY = S3_TEXTS, S3_UPLOAD_ID, S3_UPLOAD_INITIATED, S3_ALL_TEXTS };

struct s3_answer_row {
	const char *path;
	unsigned text; /* below S3_ALL_TEXTS */
	size_t max;    /* bytes */
	bool may_be_cut;
};

const struct s3_answer_row *s3_answer_row_of(struct str path); /* NULL: its text is not kept */
enum s3_answer_kind s3_answer_kind_of(struct str root);

/* The path of an element that an answer of this kind must have, and that `texts` (S3_ALL_TEXTS of them) lack. NULL: none. */
const char *s3_answer_missing(enum s3_answer_kind kind, const struct buf *texts);

#endif
