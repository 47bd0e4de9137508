// SPDX-License-Identifier: MIT
/* explain_app.c - see explain_app.h. The names of objects stand in the form as explain shows them, and the request's id is made up. */
#include "cmd/explain_app.h"

#include "config/app_says.h"
#include "config/kind.h"
#include "config/peer.h"
#include "part/location.h"
#include "reply/app_form.h"
#include "reply/reply.h"

#include <stdio.h>

struct told {
	struct buf target, body;
};

/* False: out of memory. */
static bool
tell(const struct route *route, const struct naming *naming, const struct parts *parts, struct told *told)
{
	struct app_form_of of = { route, parts, STR("{request_id}") };
	struct error err = { 0 };

	app_form_make(&of, &told->body);
	buf_addf(&told->target, "%s", route->app.to->kind->asked_peer(route->app.to->settings)->url);
	return location_of_form(naming, &route->app, &told->target, &err) && !told->body.failed;
}

static void
forget(struct told *told)
{
	buf_free(&told->target);
	buf_free(&told->body);
}

/* What a no of it does with the objects. */
static const char *
effect_of(const struct app *app)
{
	if (app->when == APP_HELD)
		return "nothing comes into being";
	return app_never_takes_back(app) ? "all of it stays" : "all of it is taken back";
}

json_t *
explain_app_json(const struct route *route, const struct naming *naming, const struct parts *parts)
{
	const struct app *app = &route->app;
	struct told told = { 0 };
	json_t *json;

	json = tell(route, naming, parts, &told) ? json_object() : NULL;
	if (json != NULL) {
		json_object_set_new(json, "destination", reply_text(str_of(app->to->name)));
		json_object_set_new(json, "when", json_string(app->when == APP_HELD ? "held" : "committed"));
		json_object_set_new(json, "method", reply_text(app_method(app, naming->head->method)));
		json_object_set_new(json, "target", reply_text(buf_str(&told.target)));
		json_object_set_new(json, "type", json_string(app_form_type(app->form)));
		json_object_set_new(json, "body", reply_text(told.body.len > 0 ? buf_str(&told.body) : STR("")));
		json_object_set_new(json, "no", json_string(effect_of(app)));
	}
	forget(&told);
	return json;
}

bool
explain_app_print(const struct route *route, const struct naming *naming, const struct parts *parts,
	void (*print)(struct str s, int width))
{
	const struct app *app = &route->app;
	struct told told = { 0 };
	bool ok;

	if (!app->is_said)
		return true;
	ok = tell(route, naming, parts, &told);
	if (ok) {
		printf("the application would be told, %s, at %s:\n     ",
			app->when == APP_HELD ? "before anything is there" : "when all is there", app->to->name);
		print(app_method(app, naming->head->method), 0);
		print(buf_str(&told.target), 0);
		printf("%s\n     ", app_form_type(app->form));
		print(told.body.len > 0 ? buf_str(&told.body) : STR(""), 0);
		printf("\n     if it says no, %s\n", effect_of(app));
	}
	forget(&told);
	return ok;
}
