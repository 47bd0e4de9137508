// SPDX-License-Identifier: MIT
/* free.c - config_free(): takes apart what load.c made, also when it is half-built. */
#include "base/mem.h"
#include "config/kind.h"
#include "config/load.h"
#include "config/object_head.h"
#include "config/template.h"

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
free_match(struct match *match)
{
	for (size_t i = 0; i < match->n_segments; i++)
		mem_free(match->segments[i].text);
	for (size_t i = 0; i < match->n_methods; i++)
		mem_free(match->methods[i]);
	mem_free(match->segments);
	mem_free(match->methods);
	mem_free(match->host);
}

static void
free_texts(struct texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		mem_free(texts->items[i]);
	mem_free(texts->items);
}

static void
free_rule(struct rule *rule)
{
	mem_free(rule->name);
	free_texts(&rule->types.declared);
	free_texts(&rule->types.detected);
	free_texts(&rule->extensions);
	template_free(rule->target);
	object_head_free(&rule->head);
}

static void
free_route(struct route *route)
{
	for (size_t i = 0; i < route->n_rules; i++)
		free_rule(&route->rules[i]);
	mem_free(route->rules);
	template_free(route->response.redirect);
	mem_free(route->response.origin);
	mem_free(route->raw);
	mem_free(route->id);
	free_match(&route->match);
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
