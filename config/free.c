// SPDX-License-Identifier: MIT
/* free.c - config_free(): takes apart what load.c made, also when it is half-built. */
#include "base/mem.h"
#include "config/app.h"
#include "config/authorize.h"
#include "config/kind.h"
#include "config/load.h"
#include "config/object_head.h"
#include "config/pattern.h"
#include "config/template.h"
#include "config/texts.h"

static void
free_listen(struct listen *listen)
{
	mem_free(listen->host);
	mem_free(listen->port);
	mem_free(listen->unix_socket);
	mem_free(listen->source);
}

static void
free_destination(struct destination *d)
{
	mem_free(d->name);
	mem_free(d->at);
	if (d->settings != NULL && d->kind->free != NULL)
		d->kind->free(d->settings);
	mem_free(d->settings);
}

static void
free_named(struct named_patterns *named)
{
	for (size_t i = 0; i < named->n; i++) {
		mem_free(named->items[i].name);
		mem_free(named->items[i].value);
	}
	mem_free(named->items);
}

static void
free_match(struct match *match)
{
	for (size_t i = 0; i < match->n_methods; i++)
		mem_free(match->methods[i]);
	mem_free(match->methods);
	for (size_t i = 0; i < match->n_hosts; i++)
		mem_free(match->hosts[i]);
	mem_free(match->hosts);
	for (size_t i = 0; i < match->n_paths; i++)
		pattern_free_path(&match->paths[i]);
	mem_free(match->paths);
	free_named(&match->headers);
	free_named(&match->query);
}

static void
free_rule(struct rule *rule)
{
	mem_free(rule->name);
	texts_free(&rule->types.declared);
	texts_free(&rule->types.detected);
	texts_free(&rule->extensions);
	texts_free(&rule->needs.fields);
	mem_free(rule->verify.field);
	template_free(rule->target);
	object_head_free(&rule->head);
}

static void
free_route(struct route *route)
{
	for (size_t i = 0; i < route->n_rules; i++)
		free_rule(&route->rules[i]);
	mem_free(route->rules);
	mem_free(route->needed);
	app_free(&route->app);
	template_free(route->response.redirect);
	mem_free(route->response.origin);
	authorize_free(&route->authorize);
	mem_free(route->raw);
	mem_free(route->id);
	free_match(&route->match);
	texts_free(&route->cors.origins);
	mem_free(route->cors.headers);
	mem_free(route->cors.expose);
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->n_listen; i++)
		free_listen(&config->listen[i]);
	for (size_t i = 0; i < config->admin.n_listen; i++)
		free_listen(&config->admin.listen[i]);
	for (size_t i = 0; i < config->spoa.n_listen; i++)
		free_listen(&config->spoa.listen[i]);
	for (size_t i = 0; i < config->n_destinations; i++)
		free_destination(&config->destinations[i]);
	for (size_t i = 0; i < config->n_routes; i++)
		free_route(&config->routes[i]);
	for (size_t i = 0; i < config->n_files; i++)
		mem_free(config->files[i]);
	mem_free(config->state);
	mem_free(config->listen);
	mem_free(config->admin.listen);
	mem_free(config->spoa.listen);
	mem_free(config->trust.networks);
	mem_free(config->destinations);
	mem_free(config->routes);
	mem_free(config->files);
	mem_free(config);
}

void
findings_free(struct findings *findings)
{
	buf_free(&findings->text);
	*findings = (struct findings){ 0 };
}
