// SPDX-License-Identifier: MIT
/* app_says.c - see app_says.h. */
#include "config/app_says.h"

#include "config/statuses.h"

bool
app_takes_back(const struct app *app, unsigned status)
{
	return app->undo_on.is_said ? statuses_have(&app->undo_on, status) : !app_says_yes(status);
}

bool
app_never_takes_back(const struct app *app)
{
	return app->undo_on.is_said && statuses_are_none(&app->undo_on);
}

struct str
app_method(const struct app *app, struct str client)
{
	static const char *const methods[] = { [APP_POST] = "POST", [APP_PUT] = "PUT", [APP_PATCH] = "PATCH" };

	return app->method == APP_SAME ? client : str_of(methods[app->method]);
}

const char *
authorize_method(const struct authorize *authorize)
{
	static const char *const methods[] = { [ASK_GET] = "GET", [ASK_HEAD] = "HEAD", [ASK_POST] = "POST" };

	return methods[authorize->method];
}

const struct sign *
authorize_sign(const struct route *route)
{
	const struct sign *own = &route->authorize.sign;

	return own->keys[0] != NULL || own->is_none ? own : &route->app.sign;
}
