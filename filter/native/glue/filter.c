// SPDX-License-Identifier: MIT
/* filter.c - penstock's filter inside HAProxy (2.6 and later): its line in the configuration and its registration.
 *
 *     filter penstock config FILE [config FILE]... [fail closed|open]
 *
 * in a frontend, backend or listen section of `mode http`. The line is read when HAProxy starts, checks (-c) or
 * reloads, and so are the route files. */
#include "native/glue/glue.h"

#include <haproxy/errors.h>
#include <haproxy/global.h>
#include <haproxy/pool.h>
#include <haproxy/proxy.h>
#include <haproxy/tools.h>
#include <haproxy/version.h>

#include <stdlib.h>
#include <string.h>

static const char filter_id[] = "penstock";

/* -- the process ---------------------------------------------------------------------------------- */

static int
on_init(struct proxy *px, struct flt_conf *conf)
{
	(void)px;
	bugs_start();
	conf->flags |= FLT_CFG_FL_HTX; /* without it the filter is left out, silently, in mode http */
	return 0;
}

static int
on_check(struct proxy *px, struct flt_conf *conf)
{
	(void)conf;
	if (px->mode == PR_MODE_HTTP)
		return 0;
	ha_alert("config : parsing [%s:%d] : proxy '%s': the filter 'penstock' needs 'mode http'.\n", px->conf.file,
		px->conf.line, px->id);
	return 1;
}

static void
on_deinit(struct proxy *px, struct flt_conf *conf)
{
	struct setup *setup = conf->conf;

	(void)px;
	if (setup == NULL)
		return;
	core_free(setup->core);
	for (size_t i = 0; i < setup->n_paths; i++)
		free(setup->paths[i]);
	free(setup);
	conf->conf = NULL;
}

static struct flt_ops penstock_ops = {
	.init = on_init,
	.check = on_check,
	.deinit = on_deinit,
	.attach = stream_attach,
	.detach = stream_detach,
	.channel_pre_analyze = stream_analyze,
	.http_headers = stream_headers,
	.http_payload = stream_payload,
};

/* -- its line in the configuration ---------------------------------------------------------------- */

/* The upstream part of both versions: a distribution's patches do not change the layout. */
static int
is_our_version(void)
{
	const char *theirs = haproxy_version;
	size_t n = strlen(PENSTOCK_HAPROXY_VERSION);

	return strncmp(theirs, PENSTOCK_HAPROXY_VERSION, n) == 0 && (theirs[n] == '\0' || strchr("-+~", theirs[n]));
}

/* HAProxy's own objects have the size that the headers gave these files, or its build options differ. */
static int
has_our_layout(void)
{
	size_t theirs = pool_head_stream->size;

	return theirs >= sizeof(struct stream) && theirs < sizeof(struct stream) + 128;
}

/* An object for another HAProxy links and loads without a word, and then does something else: fields have moved. */
static int
check_stamp(char **err)
{
	if (!is_our_version())
		memprintf(err,
			"'penstock' was built for HAProxy " PENSTOCK_HAPROXY_VERSION
			", and this is %s: build it again with filter/native/build.sh",
			haproxy_version);
	else if (!has_our_layout())
		memprintf(err,
			"'penstock' was built with other options than this HAProxy: build it again with "
			"filter/native/build.sh");
	else
		return 0;
	return -1;
}

static int
read_words(char **args, int *pos, struct setup *setup, char **err)
{
	while (*args[*pos] != '\0') {
		const char *value = args[*pos + 1];

		if (strcmp(args[*pos], "config") == 0 && *value != '\0' && setup->n_paths < PATHS_MAX) {
			setup->paths[setup->n_paths] = strdup(value);
			if (setup->paths[setup->n_paths++] == NULL)
				return memprintf(err, "out of memory"), -1;
		} else if (strcmp(args[*pos], "fail") == 0 &&
			(strcmp(value, "closed") == 0 || strcmp(value, "open") == 0)) {
			setup->fail_open = *value == 'o';
		} else {
			return memprintf(err,
				       "'penstock' expects: config FILE [config FILE]... [fail closed|open], not '%s %s'",
				       args[*pos], value),
			       -1;
		}
		*pos += 2;
	}
	if (setup->n_paths == 0)
		return memprintf(err, "'penstock' needs 'config' and a route file"), -1;
	return 0;
}

static int
load_routes(struct setup *setup, char **err)
{
	const struct core_manner manner = { .fail_open = setup->fail_open, .on_bug = bugs_told, .arg = setup };
	char *problems;

	setup->core = core_new(setup->paths, setup->n_paths, &manner, &problems);
	if (setup->core != NULL)
		return 0;
	memprintf(
		err, "'penstock': the route file is not good:\n%s", problems != NULL ? problems : "out of memory");
	free(problems);
	return -1;
}

static int
parse(char **args, int *cur_arg, struct proxy *px, struct flt_conf *conf, char **err, void *private)
{
	struct setup *setup;
	int pos = *cur_arg + 1;

	(void)private;
	if (check_stamp(err) != 0)
		return -1;
	setup = calloc(1, sizeof *setup);
	if (setup == NULL)
		return memprintf(err, "out of memory"), -1;
	setup->proxy = px;
	conf->id = filter_id;
	conf->conf = setup;
	conf->ops = &penstock_ops;
	if (read_words(args, &pos, setup, err) != 0 || load_routes(setup, err) != 0) {
		on_deinit(px, conf);
		return -1;
	}
	*cur_arg = pos;
	return 0;
}

static struct flt_kw_list keywords = { "PENSTOCK", {}, { { filter_id, parse, NULL }, { NULL, NULL, NULL } } };

/* One way for both: linked into HAProxy, and preloaded beside a packaged one, where HAProxy's own INITCALLs do not run.
 * The library may be preloaded into a child of HAProxy's too, which has no such function. */
#pragma weak flt_register_keywords

__attribute__((constructor)) static void
register_filter(void)
{
	if (flt_register_keywords != NULL)
		flt_register_keywords(&keywords);
}
