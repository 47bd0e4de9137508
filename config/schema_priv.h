// SPDX-License-Identifier: MIT
/* schema_priv.h - the schema of values that hold no table, for schema.c: the members of an object that is open. */
#ifndef PENSTOCK_SCHEMA_PRIV_H
#define PENSTOCK_SCHEMA_PRIV_H

#include "config/keys.h"
#include "config/writer.h"

void schema_write_pattern(struct writer *w, const char *name, const char *pattern);
void schema_write_words(struct writer *w, const struct key *key);
void schema_write_word_or_list(struct writer *w, const struct key *key);
void schema_write_number(struct writer *w, const struct key *key);
void schema_write_one_or_many(struct writer *w, const char *pattern, uint64_t max);
void schema_write_object_of(struct writer *w, const char *key);
void schema_write_secret(struct writer *w);
void schema_write_headers(struct writer *w, const struct key *key);
void schema_write_word(struct writer *w, const char *pattern, uint64_t min, uint64_t max);
void schema_write_text(struct writer *w, const char *pattern);
void schema_write_content_type(struct writer *w, const struct key *key);
void schema_write_texts(struct writer *w, const struct key *key);
void schema_write_named(struct writer *w, const struct key *key);
void schema_open_none_or(struct writer *w); /* the word, or what is written then; two are open: '}' and ']' */
void schema_write_statuses(struct writer *w, const struct key *key);
void schema_write_default(struct writer *w, const struct key *key);

#endif
