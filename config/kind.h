// SPDX-License-Identifier: MIT
/* kind.h - a kind of destination, as far as a route file knows it: the word of its `type`, its rows of the key table, what
 * holds between them, and its traits. Each kind is one constant of this type in the kind.c of its folder in sink/, and one line of
 * sinks.def. No other code asks of which kind a destination is: it asks for a trait, or calls a function of the kind.
 *
 * All of it is constant, needs no library, and is linked into HAProxy's filter, too.
 */
#ifndef PENSTOCK_KIND_H
#define PENSTOCK_KIND_H

#include "config/keys.h"
#include "config/template.h"

#include <string.h>

struct http_peer;
struct loading;
struct node;

/* The settings of every kind begin with these. */
struct destination_settings {
	bool refuses_unsafe; /* names.unsafe: see sink/safe_name.h */
};

enum kind_trait {
	/* An application may be on the other side: a rule may say `method`, by POST it makes the names, and its answer may
	 * become the client's. */
	KIND_APPLICATION = 1 << 0,
	/* May want a length before the first byte. */
	KIND_LENGTH = 1 << 1,
	/* Completes on this machine. So it completes before any that does not, all orders of one form for one place do so together,
	 * and none takes long. */
	KIND_LOCAL = 1 << 2,
	/* What it has committed outlives the process. */
	KIND_LASTS = 1 << 3,
	/* While an object is on its way its bytes lie there as an upload, which has an id (order.upload) and stays until it is
	 * completed or aborted. */
	KIND_UPLOADS = 1 << 4,
	/* Its objects have a Content-Type. */
	KIND_TYPE = 1 << 5,
	/* Its objects have metadata and a Content-Disposition. */
	KIND_METADATA = 1 << 6,
	/* It can make a link to an object by which anybody gets it for a while, without keys of the store. */
	KIND_LINKS = 1 << 7,
	/* The name of an object need not be known before it is told to commit. */
	KIND_NAMES_LATE = 1 << 8,
	/* The requests that make and remove its objects have header lines that are made of the upload's, or are its client's. Such a kind
	 * is KIND_APPLICATION, too. */
	KIND_LINES = 1 << 9,
};

#define KIND_KEEP_USUAL (16u * 1024)
#define KIND_KEEP_MOST (5u * 1024 * 1024)

struct destination_kind {
	const char *word; /* of `type` */
	const char *noun; /* "an http destination" */
	const struct key_table *keys;
	size_t settings_size;
	unsigned traits;           /* of enum kind_trait */
	enum template_style style; /* how its names are written */

	/* NULL: nothing. Whether its keys fit each other, and what is there on this machine. */
	void (*link)(struct loading *l, struct destination *d, const struct node *node);
	/* After all rules have been linked: what depends on those that store there. `d` is struct loading's number of it. NULL:
	 * nothing does. */
	void (*after_rules)(struct loading *l, size_t d);

	void (*free)(struct destination_settings *settings); /* what they hold; NULL: nothing */

	/* Where destination `at` of `config` really is, as struct destination has it. False: that could not be read.
	 * `elsewhere`: not on this machine, so nothing is looked for. Two kinds that are both KIND_LOCAL never say the same. */
	bool (*place)(const struct config *config, size_t at, bool elsewhere, struct buf *out);

	bool (*can_undo)(const struct destination_settings *settings);

	/* Of a kind that can undo: after that all is as before, whatever had the name: no object ever replaces another, or the one that
	 * was replaced comes back. */
	bool (*restores)(const struct destination_settings *settings);

	/* Bytes that wait in memory for the commit, KIND_KEEP_USUAL to KIND_KEEP_MOST: only a longer object begins before, as a
	 * stream. NULL: KIND_KEEP_USUAL. */
	size_t (*keep_max)(const struct destination_settings *settings);

	/* Bytes that an object of at most `largest` bytes (LIMIT_NONE: nobody knows) holds of the memory budget at one time on its way
	 * there: they are set aside for the form before its body is asked for, and its orders take them from their `reserve`
	 * (sink/order.h, which has `largest`, too). For one object at a time: those of a form come one after the other, and one that has
	 * all its bytes waits for nothing but its store. A smaller object never needs more than a larger one, but for LIMIT_NONE, which is
	 * held for some usual size. NULL: nothing. */
	uint64_t (*form_memory)(const struct destination_settings *settings, uint64_t largest);

	/* What holds for the objects of rules that do not say it themselves. NULL: nothing. */
	const struct object_head *(*head)(const struct destination_settings *settings);

	/* KIND_METADATA: what stands in front of the name of a line, and the bytes that all names with that and all values may have
	 * together. */
	const char *metadata;
	size_t metadata_max;

	/* Longest time in which it lets nothing be heard from the end of a form to its answer. NULL: none. */
	uint64_t (*silence_ms)(const struct destination_settings *settings);

	/* The server that must be connectable for /readyz; NULL, or returns NULL: none. */
	const struct http_peer *(*ready_peer)(const struct destination_settings *settings);

	/* KIND_APPLICATION: the server that is asked (sink/question.h). */
	const struct http_peer *(*asked_peer)(const struct destination_settings *settings);
};

/* All, in the order of sink/sinks.def, and their tables; NULL at the end. sink/kinds.c has them. */
extern const struct destination_kind *const destination_kinds[];
extern const struct key_table *const destination_tables[];

/* `names`: a row of every kind, with the struct destination_settings at its offset. */
extern const struct key_table destination_names;

const struct destination_kind *kind_find(struct str word); /* NULL: there is none */

static inline bool
kind_has(const struct destination_kind *kind, enum kind_trait trait)
{
	return (kind->traits & (unsigned)trait) != 0;
}

/* Two destinations can be one place on this machine, whatever they are called. */
static inline bool
kind_is_one_place(const struct destination *a, const struct destination *b)
{
	return a == b ||
		(kind_has(a->kind, KIND_LOCAL) && kind_has(b->kind, KIND_LOCAL) && strcmp(a->at, b->at) == 0);
}

/* The other side makes the names of the rule's objects. */
static inline bool
kind_makes_names(const struct rule *rule)
{
	return kind_has(rule->to->kind, KIND_APPLICATION) && rule->method == STORE_POST;
}

/* Of what this rule stores. */
static inline size_t
kind_keep_max(const struct rule *rule)
{
	const struct destination_kind *kind = rule->to->kind;

	return kind->keep_max != NULL ? kind->keep_max(rule->to->settings) : KIND_KEEP_USUAL;
}

/* For messages: "an http destination or ...", of all that have the trait. Returns nouns->text. */
struct kind_nouns {
	char text[256];
};
const char *kind_nouns(enum kind_trait trait, struct kind_nouns *nouns);

#endif
