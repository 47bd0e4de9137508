// SPDX-License-Identifier: MIT
/* rows.h - for the files with rows of the key table (keys.h): macros by which a row says where its value goes, and ranges that many
 * rows share. */
#ifndef PENSTOCK_ROWS_H
#define PENSTOCK_ROWS_H

#include "config/keys.h"
#include "config/route.h"

#define AT(type, member) .offset = offsetof(struct type, member), .width = sizeof(((struct type *)0)->member)
#define ENTRIES(type, count, entry)                                                                                \
	.count_offset = offsetof(struct type, count), .each = sizeof(struct entry),                                \
	.place_offset = offsetof(struct entry, place)
#define KEYS(array) .keys = (array), .n = sizeof(array) / sizeof((array)[0])
#define TABLES(...)                                                                                                \
	.tables = (const struct key_table *const[])                                                                \
	{                                                                                                          \
		__VA_ARGS__, NULL                                                                                  \
	}
#define WORDS(...)                                                                                                 \
	.words = (const struct word[])                                                                             \
	{                                                                                                          \
		__VA_ARGS__,                                                                                       \
		{                                                                                                  \
			NULL, 0                                                                                    \
		}                                                                                                  \
	}

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define TIB (1024 * 1024 * MIB)
#define SIZE_TOP (UINT64_C(1) << 60) /* 1EiB; sums of a few stay far from overflow */
#define DAY_MS (UINT64_C(24) * 3600 * 1000)
#define YEAR_MS (UINT64_C(8760) * 3600 * 1000)
#define NONE                                                                                                       \
	{                                                                                                          \
		"none", LIMIT_NONE                                                                                 \
	}

#endif
