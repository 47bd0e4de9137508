// SPDX-License-Identifier: MIT
/* head.h - a request's head as every room sees it, by whatever it was parsed (libmicrohttpd, HAProxy, `penstock explain`).
 *
 * Pure, any thread. Views borrow from the parser and are valid for the request's life (or for the call, where that is
 * said).
 */
#ifndef PENSTOCK_HEAD_H
#define PENSTOCK_HEAD_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct head {
	struct str method;  /* as sent; methods are case-sensitive (RFC 9110 section 9.1) */
	struct str target;  /* the request target as sent, percent-encoding untouched: path, '?', query */
	struct str version; /* "HTTP/1.1", "HTTP/1.0" */

	/* The n-th (from 0) value of header `name` (any case), in the order sent, as sent but for the blanks around
	 * it. False: there is no n-th one. (HAProxy tells its agent how many there are, but only one value.) */
	bool (*header)(const void *arg, struct str name, size_t nth, struct str *value);
	const void *arg;
};

struct str head_path(const struct head *head);  /* before the first '?' (or '#'), still encoded */
struct str head_query(const struct head *head); /* after it; STR_NONE: there is none */

/* First value of a header; STR_NONE: absent. */
struct str head_header(const struct head *head, const char *name);

/* The value of a header that the head has once; STR_NONE: it is absent, or there is more than one. Of two, one may be the client's
 * own, which a gateway has passed on beside its own. */
struct str head_only(const struct head *head, const char *name);

/* The host that the request names: the Host header without its port, or the authority of an absolute
 * target. STR_NONE: none. Not lower-cased. */
struct str head_host(const struct head *head);

/* Are the Host and the authority of the target, if there are any, hosts that every parser reads the same: a name of
 * labels or an IPv6 address in brackets, and behind it nothing or a port? An empty Host may be (RFC 9112 section 3.2), an
 * empty authority may not (RFC 9110 section 4.2.1). */
bool head_has_sound_hosts(const struct head *head);

/* Value of query parameter `name` (first one) as it stands in the target. STR_NONE: there is none. */
struct str head_query_encoded(const struct head *head, struct str name);

/* Value of query parameter `name` (first one), decoded ('+' is a blank) and appended to `out`.
 * False: there is none, or its escapes are broken; `out` is as before. Out of memory shows as out->failed,
 * whatever is returned. */
bool head_query_value(const struct head *head, struct str name, struct buf *out);

/* Does the query have parameter `name`, with or without escapes in its name, at most once, and can it be decoded? If there were
 * two, other programs would take the last; so it stands beside none that an application could take for it either (query_name.h).
 * False: ERR_BAD_REQUEST. */
bool head_query_is_clear(const struct head *head, struct str name, struct error *err);

/* Takes one byte off the front of `s`, which is not empty; %XX counts as the byte it stands for. -1: a '%' that is not
 * followed by two hex digits, or %00. */
int percent_take(struct str *s);

/* Appends `s` with %XX decoded. False: a '%' that is not followed by two hex digits, or %00; `out` then holds
 * what came before it. */
bool percent_decode(struct str s, bool plus_is_blank, struct buf *out);

#endif
