// SPDX-License-Identifier: MIT
/* delivery_priv.h - what delivery.c (a delivery's life) and delivery_write.c (its bytes) share. */
#ifndef PENSTOCK_DELIVERY_PRIV_H
#define PENSTOCK_DELIVERY_PRIV_H

#include "txn/delivery.h"

static inline const struct txn_setup *
setup_of(const struct delivery *delivery)
{
	return &delivery->lent->setup;
}

static inline struct pool *
pool_of(const struct delivery *delivery)
{
	return blocks_pool(setup_of(delivery)->blocks);
}

static inline void
delivery_move(struct delivery *delivery, enum plan_state to)
{
	plan_move(&delivery->lent->plan, &delivery->item, to);
}

/* delivery_write.c: what was collected before the streams began goes first. */
void delivery_write_collected(struct delivery *writer, struct keep *keep, size_t *credits);

#endif
