// SPDX-License-Identifier: MIT
/* cors.h - which pages of other origins may send a request and read its answer (the CORS protocol of the Fetch standard). Pure, any
 * thread; nothing is allocated.
 *
 * Before a page's request that no HTML form could have sent, its browser asks by a request of its own, a preflight: OPTIONS with
 * Origin, Access-Control-Request-Method and no credentials. Whether the page may then read the answer to its request, that answer
 * says again. Neither keeps a browser from sending a form: what is not allowed is kept from the page alone.
 */
#ifndef PENSTOCK_ROUTE_CORS_H
#define PENSTOCK_ROUTE_CORS_H

#include "config/route.h"
#include "route/head.h"

/* Bytes of an Origin that may be allowed, and of an Access-Control-Request-Method. */
#define CORS_ORIGIN_MAX 300
#define CORS_METHOD_MAX 63

/* Is it a preflight: OPTIONS without a body, with one Origin and one Access-Control-Request-Method? */
bool cors_is_preflight(const struct head *head);

/* The method of the request that a preflight asks for. */
struct str cors_asked_method(const struct head *head);

/* The route whose `cors` answers this preflight: the first that takes the request which is asked for. NULL: none does, or it has no
 * `cors`, and the OPTIONS is a request like others. */
const struct route *cors_of_preflight(const struct config *config, const struct head *head);

/* The route whose `cors` a refusal goes by that came before a route was chosen, because of something else or because none takes
 * the method: the one that takes the request, or the first of its host and path that has a `cors`. NULL: none. */
const struct route *cors_of_refusal(const struct config *config, const struct head *head);

/* Has the route a `cors`? */
bool cors_is_on(const struct route *route);

/* What Access-Control-Allow-Origin says to this head: "*" or its Origin, a view. STR_NONE: it is not said. */
struct str cors_allowed(const struct cors *cors, const struct head *head);

#endif
