// SPDX-License-Identifier: MIT
/* settings.h - what a route file says of a destination of type directory. For sink/directory alone. */
#ifndef PENSTOCK_DIRECTORY_SETTINGS_H
#define PENSTOCK_DIRECTORY_SETTINGS_H

#include "config/kind.h"

enum exists_policy { EXISTS_REFUSE, EXISTS_REPLACE };

struct directory_settings {
	struct destination_settings common;
	char *path;
	enum exists_policy exists;
};

extern const struct destination_kind directory_kind;
extern const struct key_table directory_keys;

static inline const struct directory_settings *
directory_settings(const struct destination *to)
{
	return (const struct directory_settings *)(const void *)to->settings;
}

#endif
