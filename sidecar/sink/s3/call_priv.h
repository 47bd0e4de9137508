// SPDX-License-Identifier: MIT
/* call_priv.h - what call.c (when a request is sent) uses of call_write.c (what is sent) and call_answer.c (what comes). */
#ifndef PENSTOCK_S3_CALL_PRIV_H
#define PENSTOCK_S3_CALL_PRIV_H

#include "sink/s3/call.h"

/* Makes room for all lines of a request, of which the ask has `n_lines`. False: out of memory. */
bool s3_call_make_room(struct s3_call *call, size_t n_lines);

/* Writes call->request and what it points to, signed with call->keys. False: err says why. */
bool s3_call_write(struct s3_call *call, struct error *err);

/* As struct exchange_calls has them; `arg` is the call. */
void s3_call_on_status(void *arg, unsigned status);
void s3_call_on_header(void *arg, struct str line);
void s3_call_on_answer(void *arg, const char *data, size_t len);

void s3_call_forget_answer(struct s3_call *call); /* before each try */

/* To be called when a try is over: sets call->reply. is_open, may_come and is_lost stay true once a try has set them, because
 * what comes of a later try says nothing of the earlier one. */
void s3_call_judge(struct s3_call *call, const struct exchange_result *result);

#endif
