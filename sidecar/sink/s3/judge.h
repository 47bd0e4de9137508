// SPDX-License-Identifier: MIT
/* judge.h - pure: how a request to S3 ended -> what that means, and a sentence that says why. Sentences name the destination by its
 * name in the route file, and never an address, a key or a secret, because they go to clients. */
#ifndef PENSTOCK_S3_JUDGE_H
#define PENSTOCK_S3_JUDGE_H

#include "base/error.h"
#include "sink/exchange.h"

enum s3_fate {
	S3_DONE,    /* it did what was asked */
	S3_AGAIN,   /* not now: the same may be asked again */
	S3_REFUSED, /* it was not done, and will not be if it is asked again */
};

struct s3_facts {
	const char *destination, *call; /* names: "photos", "UploadPart" */
	const struct exchange_result *result;
	bool wants_document; /* a good status means nothing unless a whole document came with it */
	bool has_document;   /* it came, and is of the kind that was asked for */
	bool has_other_sum;  /* by its own checksum the store has got other bytes, and the same may be sent anew */
	bool is_conflict_once; /* if another client writes the same key at this moment, the request may be sent again */
	const char *code;      /* of an <Error>, under any status, or "" */
	const char *store_time, *own_time; /* the two clocks, or "" */
};

/* Unless S3_DONE, err says why. */
enum s3_fate s3_judge(const struct s3_facts *facts, struct error *err);

/* May the request have been carried out, or may it still be, although it was not S3_DONE? False: the answer says that it was not. */
bool s3_is_open(const struct s3_facts *facts, enum s3_fate fate);

/* Would the same be refused again, whenever it is asked? Not if the answer speaks of keys or of clocks, which change. */
bool s3_is_for_good(enum s3_fate fate, unsigned status, const char *code);

/* Copies text of a store so that it may stand in a sentence: letters, digits and a few signs, at most `size` - 1 bytes. */
void s3_take_word(const char *text, char *out, unsigned size);

#endif
