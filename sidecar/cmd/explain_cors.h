// SPDX-License-Identifier: MIT
/* explain_cors.h - for `penstock explain`: the header lines of the answer by which a browser goes that has a page of another origin before
 * it (`cors`). */
#ifndef PENSTOCK_EXPLAIN_CORS_H
#define PENSTOCK_EXPLAIN_CORS_H

#include "decide/decide.h"

#include <jansson.h>

/* ["Vary: Origin", "Access-Control-Allow-Origin: https://app.example.org", ...]; of a route without `cors` empty. NULL: out of memory. */
json_t *explain_cors_json(const struct config *config, const struct head *head, const struct decision *decision);

/* The same, a line each; `print` writes what a client has said. */
void explain_cors_print(const json_t *lines, void (*print)(struct str s, int width));

#endif
