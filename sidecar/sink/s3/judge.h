// SPDX-License-Identifier: MIT
/* judge.h - pure: how a request to S3 ended -> what it means, and a sentence for who wants to know why. Sentences name the
 * destination by its name in the route file, and never an address, a key or a secret: they go to clients. */
#ifndef PENSTOCK_S3_JUDGE_H
#define PENSTOCK_S3_JUDGE_H

#include "base/error.h"
#include "sink/exchange.h"

enum s3_fate {
	S3_DONE,    /* it did what was asked */
	S3_AGAIN,   /* not now: the same may be asked again */
	S3_REFUSED, /* it will not */
};

struct s3_facts {
	const char *destination, *call; /* names: "photos", "UploadPart" */
	const struct exchange_result *result;
	bool wants_document;   /* without one, and a whole one, a good status says nothing */
	bool has_document;     /* there is one, of the kind that was asked for */
	bool is_conflict_once; /* whoever else writes the same key at this moment is worth another try */
	const char *code;      /* of an <Error>, under any status, or "" */
	const char *store_time, *own_time; /* the two clocks, or "" */
};

/* Not S3_DONE: err says why. */
enum s3_fate s3_judge(const struct s3_facts *facts, struct error *err);

/* Nobody said plainly that it was not carried out: it may have been, or may come to be. */
bool s3_is_open(const struct s3_facts *facts, enum s3_fate fate);

/* Text of a store as it may stand in a sentence: at most `size` - 1 bytes of letters, digits and a few signs. */
void s3_take_word(const char *text, char *out, unsigned size);

#endif
