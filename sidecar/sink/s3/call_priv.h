// SPDX-License-Identifier: MIT
/* call_priv.h - what call.c (when a call is asked) wants of call_write.c (what is sent) and call_answer.c (what comes). */
#ifndef PENSTOCK_S3_CALL_PRIV_H
#define PENSTOCK_S3_CALL_PRIV_H

#include "sink/s3/call.h"

/* Room for all lines of a request with so many of the asker's. False: out of memory. */
bool s3_call_make_room(struct s3_call *call, size_t n_lines);

/* call->request and what it points to, signed with call->keys. False: err says why. */
bool s3_call_write(struct s3_call *call, struct error *err);

/* As struct exchange_calls has them; `arg` is the call. */
void s3_call_on_status(void *arg, unsigned status);
void s3_call_on_header(void *arg, struct str line);
void s3_call_on_answer(void *arg, const char *data, size_t len);

void s3_call_forget_answer(struct s3_call *call); /* before each try */

/* The try is over: call->reply says what it means. A network that fails does not say so twice: what an earlier try may have
 * done stays. */
void s3_call_judge(struct s3_call *call, const struct exchange_result *result);

#endif
