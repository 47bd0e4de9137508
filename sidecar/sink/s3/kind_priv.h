// SPDX-License-Identifier: MIT
/* kind_priv.h - what kind.c and the files that it is cut into share. Like it without libcurl and OpenSSL. */
#ifndef PENSTOCK_S3_KIND_PRIV_H
#define PENSTOCK_S3_KIND_PRIV_H

#include "config/read.h"
#include "sink/s3/settings.h"

static inline struct spot
s3_spot_of(const struct node *map, const char *key)
{
	const struct node *node = yaml_tree_get(map, key);

	return node != NULL ? node->spot : map->spot;
}

/* kind_url.c. `node`: the mapping of the destination. Reports through l->diag. */
void s3_kind_link_url(struct loading *l, struct s3_settings *s3, const struct node *node);

/* kind_sweep.c, after all rules have been linked: `sweep` of destination `at`, which has a mapping. Likewise. */
void s3_kind_check_sweep(struct loading *l, size_t at);

#endif
