// SPDX-License-Identifier: MIT
/* s3_held.c - an object of which all bytes are away, or kept: it waits for the commit, and then is made visible. */
#include "sink/s3/order_priv.h"

void
s3_on_commit(struct s3 *s3)
{
	if (s3->state != S3_HELD)
		return; /* is_committed is looked at when all bytes are away */
	if (s3->order->is_kept)
		s3_put(s3);
	else
		s3_complete(s3);
}

void
s3_on_all_away(struct s3 *s3)
{
	s3_move(s3, S3_HELD);
	s3->order->upload = s3->upload.data;
	if (s3->is_committed)
		s3_on_commit(s3);
	else
		channel_report(s3->channel, CHANNEL_PREPARED);
}
