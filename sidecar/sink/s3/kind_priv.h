// SPDX-License-Identifier: MIT
/* kind_priv.h - what kind.c, kind_url.c and kind_sweep.c share. Like these it must do without libcurl and OpenSSL. */
#ifndef PENSTOCK_S3_KIND_PRIV_H
#define PENSTOCK_S3_KIND_PRIV_H

#include "config/loading.h"
#include "sink/s3/settings.h"

static inline struct spot
s3_spot_of(const struct node *map, const char *key)
{
	const struct node *node = yaml_tree_get(map, key);

	return node != NULL ? node->spot : map->spot;
}

/* kind_url.c: sets url, host and path of the bucket. `node`: the destination's mapping. Reports what is wrong through l->diag. */
void s3_kind_link_url(struct loading *l, struct s3_settings *s3, const struct node *node);

/* kind_sweep.c: checks `sweep` of destination `at`, which must have a mapping, after all rules have been linked. Likewise. */
void s3_kind_check_sweep(struct loading *l, size_t at);

#endif
