// SPDX-License-Identifier: MIT
/* tools.c - see tools.h. */
#include "stage/tools.h"

#include "stage/detector.h"

static bool
wants_detector(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		for (size_t k = 0; k < config->routes[i].n_rules; k++)
			if (config->routes[i].rules[k].types.wants_detected)
				return true;
	return false;
}

bool
stage_tools_open(struct stage_tools *tools, const struct config *config, struct error *err)
{
	if (tools->detector != NULL || !wants_detector(config))
		return true;
	tools->detector = detector_new(err);
	return tools->detector != NULL;
}

void
stage_tools_close(struct stage_tools *tools)
{
	detector_free(tools->detector);
	*tools = (struct stage_tools){ 0 };
}

bool
stage_tools_check(const struct config *config, struct error *err)
{
	struct stage_tools tools = { 0 };
	bool ok = stage_tools_open(&tools, config, err);

	stage_tools_close(&tools);
	return ok;
}
