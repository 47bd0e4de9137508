// SPDX-License-Identifier: MIT
/* app_says.h - by which method an application is asked and told, by which key that is signed, and what its answer means. Pure. */
#ifndef PENSTOCK_APP_SAYS_H
#define PENSTOCK_APP_SAYS_H

#include "config/route.h"

const char *authorize_method(const struct authorize *authorize); /* as it is sent */

/* What that question is signed with: its own keys, or those of `app`, where the file does not say it of `authorize`. */
const struct sign *authorize_sign(const struct route *route);

/* By which method it is told; `client`: by which the form came. */
struct str app_method(const struct app *app, struct str client);

/* Does this answer of an application that was asked when all was visible take the form back? */
bool app_takes_back(const struct app *app, unsigned status);

/* `undo_on: none`: no answer takes the form back, nor that there is none. */
bool app_never_takes_back(const struct app *app);

/* Did it say yes? */
static inline bool
app_says_yes(unsigned status)
{
	return status >= 200 && status <= 399;
}

#endif
