// SPDX-License-Identifier: MIT
/* app_says.h - by which method an application is asked and told, by which key that is signed, and what its answer means. Pure. */
#ifndef PENSTOCK_APP_SAYS_H
#define PENSTOCK_APP_SAYS_H

#include "config/route.h"

/* The method of the question before the body, as it is sent. */
const char *authorize_method(const struct authorize *authorize);

/* The keys that sign that question: those of `authorize`, or where it says nothing of `sign` those of `app`. */
const struct sign *authorize_sign(const struct route *route);

/* The method of the request that tells the application of a form; `client` is the one by which the form came. */
struct str app_method(const struct app *app, struct str client);

/* Does this answer of an application that was asked when all was visible take the form back? */
bool app_takes_back(const struct app *app, unsigned status);

/* `undo_on: none`: no answer of the application takes the form back, nor does it if no answer comes. */
bool app_never_takes_back(const struct app *app);

/* Does this answer of the application mean yes? */
static inline bool
app_says_yes(unsigned status)
{
	return status >= 200 && status <= 399;
}

#endif
