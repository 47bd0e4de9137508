// SPDX-License-Identifier: MIT
/* reload.c - see reload.h. Reading files blocks the main thread only, and no upload goes through that. */
#include "daemon/reload.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "config/load.h"
#include "config/restart.h"
#include "sink/sinks.h"
#include "stage/tools.h"

#include <string.h>

/* -- saying what is wrong -------------------------------------------------------------------------- */

static void
log_problem(struct str line)
{
	bool is_error = memmem(line.data, line.len, ": error: ", 9) != NULL;

	log_line(is_error ? LOG_ERROR : LOG_WARN, "daemon", "route files", LOG_STR("said", line));
}

/* Logs one line for each; leaves out the indented lines (excerpts and carets), which are for a terminal. */
static void
log_lines(const struct buf *text, void (*log_one)(struct str line))
{
	struct str rest = buf_str(text);

	while (rest.len > 0) {
		const char *end = memchr(rest.data, '\n', rest.len);
		size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;

		if (len > 0 && rest.data[0] != ' ')
			log_one((struct str){ rest.data, len });
		len += end != NULL;
		rest = (struct str){ rest.data + len, rest.len - len };
	}
}

static void
log_obstacle(struct str line)
{
	log_line(LOG_ERROR, "daemon", "refused", LOG_STR("why", line));
}

static void
refuse(struct reload *reload)
{
	metrics_add(reload->metrics, METRIC_RELOADS_REFUSED, 1);
	log_event(LOG_ERROR, "daemon", "the route table stays as it was", NULL, 0);
	sd_notify_ready(reload->sd_notify, "taking uploads; the last reload was refused, the log says why");
}

/* -- reading --------------------------------------------------------------------------------------- */

/* False: the files change something that cannot be changed while the process runs; that is logged. */
static bool
can_take(const struct reload *reload, const struct config *next)
{
	struct buf why = { 0 };
	bool can;

	config_needs_restart(reload->table->config, next, &why);
	can = why.len == 0 && !why.failed;
	log_lines(&why, log_obstacle);
	buf_free(&why);
	return can;
}

/* NULL: something is wrong, and all of it has been logged. */
static struct table *
read_again(const struct reload *reload)
{
	struct findings findings = { 0 };
	struct config *config = config_load(reload->paths, reload->n_paths, &findings);
	struct error err = { 0 };
	struct table *table = NULL;

	log_lines(&findings.text, log_problem);
	findings_free(&findings);
	if (config == NULL)
		return NULL;
	if (!can_take(reload, config)) {
		config_free(config);
		return NULL;
	}
	if (!stage_tools_check(config, &err))
		config_free(config);
	else
		table = table_new(config, reload->table, &sinks_opener, reload->state, &err);
	if (table == NULL)
		log_line(LOG_ERROR, "daemon", "refused", LOG_TEXTVAL("why", err.message));
	return table;
}

/* -- spreading ------------------------------------------------------------------------------------- */

static void
finish(struct reload *reload)
{
	table_release(reload->old);
	reload->old = NULL;
	metrics_add(reload->metrics, METRIC_RELOADS_GOOD, 1);
	log_line(LOG_INFO, "daemon", "the new route table is in force",
		LOG_NUM("routes", reload->table->config->n_routes));
	if (reload->is_over)
		return;
	sd_notify_ready(reload->sd_notify, "taking uploads");
	if (reload->again)
		reload_now(reload);
}

static void
on_taken(struct mail *mail, unsigned bits)
{
	struct reload_taker *taker = container_of(mail, struct reload_taker, taken);

	(void)bits;
	must(taker->reload->n_waiting > 0);
	if (--taker->reload->n_waiting == 0)
		finish(taker->reload);
}

void
reload_taken(void *arg)
{
	struct reload_taker *taker = arg;

	mailbox_post(loop_mailbox(taker->reload->loop), &taker->taken, 1);
}

static void
put_in_force(struct reload *reload, struct table *table)
{
	reload->old = reload->table;
	reload->table = table;
	reload->n_waiting = reload->n_takers;
	log_setup(table->config->log_level, table->config->log_format);
	for (size_t i = 0; i < reload->n_takers; i++)
		reload->takers[i].set(reload->takers[i].who, table_acquire(table));
	if (reload->lookout != NULL)
		lookout_set_table(reload->lookout, table_acquire(table));
}

void
reload_now(struct reload *reload)
{
	struct table *table;

	if (reload->is_over) {
		log_event(LOG_WARN, "daemon", "ignored: shutting down", NULL, 0);
		return;
	}
	reload->again = reload->n_waiting > 0;
	if (reload->again)
		return; /* the files may have changed since they were read: once more, when this one is in force */
	sd_notify_reloading(reload->sd_notify);
	table = read_again(reload);
	if (table != NULL)
		put_in_force(reload, table);
	else
		refuse(reload);
}

/* -- begin and end --------------------------------------------------------------------------------- */

void
reload_init(struct reload *reload, char *const *paths, size_t n_paths)
{
	*reload = (struct reload){ .paths = paths, .n_paths = n_paths };
}

bool
reload_expect(struct reload *reload, struct loop *loop, size_t n_takers)
{
	reload->loop = loop;
	reload->takers = mem_array(n_takers, sizeof *reload->takers);
	return reload->takers != NULL;
}

struct reload_taker *
reload_add(struct reload *reload, void (*set)(void *who, struct table *table))
{
	struct reload_taker *taker = &reload->takers[reload->n_takers++];

	taker->reload = reload;
	taker->set = set;
	mail_init(&taker->taken, on_taken);
	return taker;
}

void
reload_end(struct reload *reload)
{
	reload->is_over = true;
}

void
reload_fini(struct reload *reload)
{
	must(reload->n_waiting == 0);
	table_release(reload->table);
	mem_free(reload->takers);
	*reload = (struct reload){ 0 };
}
