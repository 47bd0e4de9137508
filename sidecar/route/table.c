// SPDX-License-Identifier: MIT
/* table.c - see table.h. */
#include "route/table.h"

#include "base/container_of.h"
#include "base/mem.h"
#include "config/load.h"

#include <string.h>

struct tally { /* outlives each table that counts in it */
	struct counter n;
	struct refcount refs;
};

static struct tally *
tally_of(struct counter *counter)
{
	return container_of(counter, struct tally, n);
}

static void
tally_release(struct counter *counter)
{
	if (counter != NULL && refcount_release(&tally_of(counter)->refs))
		mem_free(tally_of(counter));
}

static struct counter *
tally_new(void)
{
	struct tally *tally = mem_zalloc(sizeof *tally);

	if (tally == NULL)
		return NULL;
	refcount_init(&tally->refs);
	return &tally->n;
}

static struct counter *
take_tally(const struct table *before, const char *id)
{
	for (size_t i = 0; before != NULL && i < before->config->n_routes; i++) {
		if (strcmp(before->config->routes[i].id, id) != 0)
			continue;
		refcount_acquire(&tally_of(before->active[i])->refs);
		return before->active[i];
	}
	return tally_new();
}

static bool
take_tallies(struct table *table, const struct table *before)
{
	const struct config *config = table->config;

	table->active = mem_array(config->n_routes, sizeof(struct counter *));
	for (size_t i = 0; table->active != NULL && i < config->n_routes; i++) {
		table->active[i] = take_tally(before, config->routes[i].id);
		if (table->active[i] == NULL)
			return false;
	}
	return table->active != NULL;
}

static void
table_free(struct table *table)
{
	for (size_t i = 0; table->active != NULL && i < table->config->n_routes; i++)
		tally_release(table->active[i]);
	mem_free(table->active);
	if (table->opened != NULL)
		table->opener->close(table->opened);
	config_free(table->config);
	mem_free(table);
}

struct table *
table_new(struct config *config, const struct table *before, const struct table_opener *opener, struct state *state,
	struct error *err)
{
	struct table *table = mem_zalloc(sizeof *table);

	if (table == NULL) {
		config_free(config);
		error_nomem(err);
		return NULL;
	}
	refcount_init(&table->refs);
	table->config = config;
	table->opener = opener;
	if (!take_tallies(table, before))
		error_nomem(err);
	else
		table->opened = opener->open(config, before != NULL ? before->opened : NULL, state, err);
	if (table->opened != NULL)
		return table;
	table_free(table);
	return NULL;
}

struct table *
table_acquire(struct table *table)
{
	refcount_acquire(&table->refs);
	return table;
}

void
table_release(struct table *table)
{
	if (table != NULL && refcount_release(&table->refs))
		table_free(table);
}
