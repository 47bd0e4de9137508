// SPDX-License-Identifier: MIT
/* parts_charge.c - what a form's parts hold of the budget beside chunks. A dry run holds nothing. */
#include "part/parts_priv.h"

#include "config/kind.h"

#include "base/must.h"

bool
parts_is_run(const struct parts *parts)
{
	return txn_setup_of(parts->txn)->sinks != NULL;
}

bool
parts_charge(struct parts *parts, size_t bytes)
{
	if (!parts_is_run(parts))
		return true;
	if (!blocks_charge(parts->blocks, bytes))
		return false;
	parts->known += bytes;
	return true;
}

void
parts_discharge(struct parts *parts, size_t bytes)
{
	if (!parts_is_run(parts))
		return;
	must(bytes <= parts->known);
	blocks_discharge(parts->blocks, bytes);
	parts->known -= bytes;
}

/* What parts of one form hold together, when each of them could as well be a stream. */
#define FORM_SHARE 16u

bool
parts_may_keep(const struct parts *parts, const struct keep *keep, uint64_t length)
{
	size_t most = pool_total(parts->pool) / FORM_SHARE * CHUNK_SIZE;

	return length <= KIND_KEEP_USUAL || keep->held <= most + length;
}
