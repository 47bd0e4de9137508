// SPDX-License-Identifier: MIT
/* version.c - which libyaml this program runs with. */
#include "config/load.h"

#include <yaml.h>

const char *
config_library_version(void)
{
	return yaml_get_version_string();
}
