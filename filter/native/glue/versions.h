// SPDX-License-Identifier: MIT
/* versions.h - where HAProxy's versions differ in what the filter touches. All of it stands here. */
#ifndef PENSTOCK_NATIVE_VERSIONS_H
#define PENSTOCK_NATIVE_VERSIONS_H

/* PENSTOCK_HAPROXY is the version of the headers, as 206 for 2.6, from build.sh. */
#if PENSTOCK_HAPROXY >= 304
#define TXN(s) ((s)->txn.http) /* 3.4: moved into a union */
#else
#define TXN(s) ((s)->txn)
#endif

#if PENSTOCK_HAPROXY >= 300
#include <haproxy/log.h>
#define HAS_UNIQUE_ID_FORMAT(px) (!lf_expr_isempty(&(px)->format_unique_id))
#define make_uuid(out) ha_generate_uuid_v4(out)
#else
#define HAS_UNIQUE_ID_FORMAT(px) (!LIST_ISEMPTY(&(px)->format_unique_id))
#define make_uuid(out) ha_generate_uuid(out)
#endif

#endif
