// SPDX-License-Identifier: MIT
/* routes.h - a route file that a test has as a text. */
#ifndef PENSTOCK_TEST_ROUTES_H
#define PENSTOCK_TEST_ROUTES_H

#include "config/load.h"
#include "lib/check.h"

/* The caller's, for config_free(). What is wrong with the text is printed, and the test fails. */
static inline struct config *
routes_of(const char *text)
{
	struct findings findings = { 0 };
	struct config *config = config_load_text("t.yaml", str_of(text), &findings);

	if (config == NULL)
		print_message("%s", buf_str(&findings.text).data);
	findings_free(&findings);
	assert_non_null(config);
	return config;
}

/* load() and unload() of a group of tests, which all look at `config`. */
#define ROUTES_LOADED(text)                                                                                        \
	static struct config *config;                                                                              \
	static int load(void **state)                                                                              \
	{                                                                                                          \
		(void)state;                                                                                       \
		config = routes_of(text);                                                                          \
		return 0;                                                                                          \
	}                                                                                                          \
	static int unload(void **state)                                                                            \
	{                                                                                                          \
		(void)state;                                                                                       \
		config_free(config);                                                                               \
		return 0;                                                                                          \
	}

#endif
