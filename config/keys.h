// SPDX-License-Identifier: MIT
/* keys.h - the key table: every key of a route file, one row each.
 *
 * The reader (read.h), the JSON Schema (schema.c), the reference in README.md (reference.c) and the tests
 * are all driven by these rows, so they cannot tell different stories. A new key is a new row, and a new
 * enum key_type only if its value is of a new form.
 */
#ifndef PENSTOCK_KEYS_H
#define PENSTOCK_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value looks like, and what it becomes in the struct of its table. */
enum key_type {
	KEY_COUNT,  /* whole number -> unsigned or uint64_t */
	KEY_SIZE,   /* 64MiB -> uint64_t bytes */
	KEY_TIME,   /* 30s -> uint64_t milliseconds */
	KEY_RATE,   /* 8MiB/s -> uint64_t bytes a second */
	KEY_BOOL,   /* true, false -> bool */
	KEY_TRUE,   /* true and nothing else: the key itself says it all; nothing is stored */
	KEY_WORD,   /* one of `words` -> an enum or bool */
	KEY_WORDS,  /* one of `words`, or a list of those that are not 0, which may be empty -> bits, unsigned */
	KEY_ID,     /* letters, digits, '.', '_', '-' -> char * */
	KEY_TEXT,   /* any text without control bytes -> char * */
	KEY_SECRET, /* text, { env: NAME } or { file: PATH }; never shown, its owner wipes it -> char * */
	KEY_FILE,   /* { file: PATH }, only the path is kept -> char * */
	KEY_HOSTS,  /* host pattern or list of them -> struct match */
	KEY_PATHS,  /* path pattern or list of them -> struct match */
	KEY_NAMED_HEADERS, /* map of globs by the names of headers -> struct match */
	KEY_NAMED_QUERY,   /* map of globs by the names of query parameters -> struct match */
	KEY_METHODS,       /* method or list of methods -> struct match */
	KEY_ADDRESS,       /* address to listen on -> struct listen */
	KEY_LISTEN, /* address or list of addresses; with tables[0], also mappings of its keys -> struct listen * */
	KEY_NETWORKS,     /* address, network or word, or list of them -> struct trust */
	KEY_URL,          /* http, https or unix URL -> struct http_peer */
	KEY_HEADERS,      /* map of header lines, values may be secrets -> struct header_lines */
	KEY_LINES,        /* the same, and values may be { template: TEXT } -> struct header_lines */
	KEY_CONTENT_TYPE, /* one of `words`, or a media type -> struct content_type */
	KEY_METADATA,     /* map of templates -> struct metadata */
	KEY_TYPE_GLOBS,   /* glob of media types, or list of globs -> struct texts */
	KEY_TYPES,        /* media type, or list of them -> struct texts */
	KEY_PASSED,       /* name of a header that may be passed on, or list of them -> struct texts */
	KEY_PASSED_ON,    /* the same of one that may go to a store -> struct texts */
	KEY_EXTENSIONS,   /* extension of file names, or list of them -> struct texts */
	KEY_FIELDS,       /* name of a field, exactly, or list of them -> struct texts */
	KEY_ORIGINS,      /* origin of a page, or list of them -> struct texts */
	KEY_HEADER_NAMES, /* names of headers, a list or one text with commas -> char *, as a header line lists them */
	KEY_STATUSES,     /* "none", status of an answer, 4xx and the like, or list of them -> struct statuses */
	KEY_TEMPLATE,     /* name of an object; read when its destination or route is known (link.c) */
	KEY_REFERENCE,    /* name of a destination; looked up when all are known (link.c) */
	KEY_SIGN,         /* "none", or mapping with the keys of tables[0] -> struct sign */
	KEY_TABLE,        /* mapping with the keys of tables[0] -> the same struct, or the one at `offset` in it */
	KEY_MAP,          /* name -> mapping with the keys of the table that its `type` names */
	KEY_LIST,         /* list of mappings with the keys of tables[0] */
};

/* A word that stands for a value; the list ends with a NULL name. */
struct word {
	const char *name;
	uint64_t value;
};

struct key {
	const char *name;
	enum key_type type;
	bool required;
	const char *group;        /* of all keys of one group, exactly one must be given */
	const char *instead;      /* of this other group none needs to be given beside it */
	const char *fallback;     /* the default, as it would be written; NULL: none */
	uint64_t min, max;        /* numbers, sizes, times in ms; entries of lists and maps; bytes of a KEY_TEXT */
	const struct word *words; /* KEY_WORD: all; numbers: words that are taken besides */
	const struct key_table *const *tables;   /* NULL at the end */
	size_t offset, width;                    /* where the value goes in the table's struct; width 0: nowhere */
	size_t count_offset, each, place_offset; /* KEY_LIST: its length, size and struct place of an entry */
	const char *help;                        /* one sentence for the reference, Markdown */
};

struct key_table {
	const char *title; /* "a route": for messages */
	const char *path;  /* "routes[]": for the reference */
	const struct key *keys;
	size_t n;
};

/* The table of a whole file. */
const struct key_table *keys_file(void);

const struct key *keys_find(const struct key_table *table, const char *name);

/* Some other table that has a key of this name, or NULL. */
const struct key_table *keys_elsewhere(const char *name, const struct key_table *not_this);

#endif
