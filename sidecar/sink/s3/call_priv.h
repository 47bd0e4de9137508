// SPDX-License-Identifier: MIT
/* call_priv.h - what call.c (when a call is asked, and what its answer means) wants of call_write.c (what is sent). */
#ifndef PENSTOCK_S3_CALL_PRIV_H
#define PENSTOCK_S3_CALL_PRIV_H

#include "sink/s3/call.h"

/* Room for all lines of a request with so many of the asker's. False: out of memory. */
bool s3_call_make_room(struct s3_call *call, size_t n_lines);

/* call->request and what it points to, signed with call->keys. False: err says why. */
bool s3_call_write(struct s3_call *call, struct error *err);

#endif
