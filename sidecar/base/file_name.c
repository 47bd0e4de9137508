// SPDX-License-Identifier: MIT
/* file_name.c - see file_name.h. */
#include "base/file_name.h"

struct str
file_name_base(struct str name)
{
	for (size_t i = name.len; i > 0; i--)
		if (name.data[i - 1] == '/' || name.data[i - 1] == '\\')
			return (struct str){ name.data + i, name.len - i };
	return name;
}

static bool
is_alnum(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
file_name_is_extension(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.data[i]))
			return false;
	return s.len > 0 && s.len <= FILE_NAME_EXTENSION_MAX;
}

struct str
file_name_extension(struct str name)
{
	struct str base = file_name_base(name), extension;
	size_t i = base.len;

	while (i > 0 && base.data[i - 1] != '.')
		i--;
	extension = (struct str){ base.data + i, base.len - i };
	return i > 0 && file_name_is_extension(extension) ? extension : STR_NONE;
}
