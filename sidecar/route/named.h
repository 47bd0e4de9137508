// SPDX-License-Identifier: MIT
/* named.h - the headers and query parameters that routes match by their names. penstock, HAProxy's agent and the filter inside HAProxy
 * all read them here, so they cannot read them in two ways. Pure, any thread; nothing is allocated.
 *
 * A value is what stands behind the name, once: of a header without the blanks around it, of a parameter decoded ('+' is a blank).
 * Absent, empty, over NAMED_VALUE_MAX bytes, and with a control byte it fits no pattern. Bytes are compared as they are. A '*' or '?' never
 * takes a comma, because a proxy may have made one header line of two (RFC 9110 section 5.3).
 */
#ifndef PENSTOCK_NAMED_H
#define PENSTOCK_NAMED_H

#include "config/route.h"
#include "route/head.h"

#define NAMED_VALUE_MAX 255  /* bytes of a value, decoded */
#define NAMED_QUERY_MAX 2047 /* bytes of a query of which a route names parameters, encoded */

/* Can what the route names be read in one way only? A header or parameter that stands twice cannot, nor can a query with a ';' (some
 * programs part parameters there), with broken escapes in such a value, or over NAMED_QUERY_MAX. False: ERR_BAD_REQUEST. */
bool named_is_clear(const struct match *match, const struct head *head, struct error *err);

/* The first header or parameter of the route whose value does not fit. NULL: all fit. To be asked of a clear head. */
const struct named_pattern *named_header_misfit(const struct match *match, const struct head *head);
const struct named_pattern *named_query_misfit(const struct match *match, const struct head *head);

#endif
