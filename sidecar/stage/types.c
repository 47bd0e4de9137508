// SPDX-License-Identifier: MIT
/* types.c - the stage for `types` and `extensions`: whether a part is what its rule takes, by what the client says of it
 * and by what libmagic finds in its first bytes (detector.h), which is the fact `detected_type`.
 *
 * A refusal says what was declared, what was found, and what the rule takes. */
#include "base/file_name.h"
#include "config/media_type.h"
#include "config/texts.h"
#include "stage/detector.h"
#include "stage/stage.h"

#include <stdio.h>
#include <string.h>

extern const struct stage types_stage;

#define SHOWN_MAX 64  /* bytes of a client's text in a sentence */
#define LISTED_MAX 72 /* bytes of what a rule takes */
#define RULE_MAX 32   /* bytes of the rule's name */

static bool
wanted(const struct rule *rule)
{
	return rule != NULL && (rule->types.declared.n > 0 || rule->types.wants_detected || rule->extensions.n > 0);
}

static bool
holds(const struct rule *rule)
{
	return rule != NULL && rule->types.wants_detected;
}

/* "image/png, image/gif, ..." */
static void
list(const struct texts *texts, char out[LISTED_MAX + 8])
{
	size_t at = 0;

	for (size_t i = 0; i < texts->n; i++) {
		size_t n = strlen(texts->items[i]) + 2;

		if (at + n > LISTED_MAX) {
			snprintf(out + at, 8, "%s...", at > 0 ? ", " : "");
			return;
		}
		at += (size_t)snprintf(out + at, LISTED_MAX + 8 - at, "%s%s", at > 0 ? ", " : "", texts->items[i]);
	}
}

/* `what`: a sentence about the part. */
static bool
refuse(const struct stage_part *part, const char *limit, const struct texts *taken, const char *what,
	struct error *err)
{
	char listed[LISTED_MAX + 8];

	list(taken, listed);
	error_set(err, ERR_MEDIA_TYPE, "%s; the rule \"%.*s\" takes %s", what, RULE_MAX, part->rule->name, listed);
	error_name_limit(err, limit);
	err->offset = part->at;
	return false;
}

/* -- what is declared ---------------------------------------------------------------------------------- */

/* A value without a type is text (RFC 7578 section 4.4), a file without one is bytes. */
static struct str
declared_type(const struct stage_part *part)
{
	if (part->type.data != NULL)
		return media_type_essence(part->type);
	return part->filename.data != NULL ? STR("application/octet-stream") : STR("text/plain");
}

static bool
takes_type(const struct texts *globs, struct str type)
{
	char lower[TEXTS_BYTES_MAX];

	if (type.len > sizeof lower)
		return false;
	for (size_t i = 0; i < type.len; i++)
		lower[i] = str_lower(type.data[i]);
	for (size_t i = 0; i < globs->n; i++)
		if (glob_match(str_of(globs->items[i]), (struct str){ lower, type.len }))
			return true;
	return false;
}

static bool
check_declared(const struct stage_part *part, struct error *err)
{
	const struct texts *globs = &part->rule->types.declared;
	struct str type = declared_type(part);
	char what[SHOWN_MAX + 80];

	if (globs->n == 0 || (type.data != NULL && takes_type(globs, type)))
		return true;
	if (type.data == NULL)
		snprintf(what, sizeof what, "its Content-Type is not one media type");
	else if (part->type.data == NULL)
		snprintf(what, sizeof what, "it has no Content-Type, which means %.*s", STR_ARG(type));
	else
		snprintf(what, sizeof what, "it is declared as %.*s",
			type.len < SHOWN_MAX ? (int)type.len : SHOWN_MAX, type.data);
	return refuse(part, "types.declared", globs, what, err);
}

/* -- how the file is called ----------------------------------------------------------------------------- */

static bool
takes_extension(const struct texts *extensions, struct str extension)
{
	for (size_t i = 0; i < extensions->n; i++)
		if (str_equal_nocase(str_of(extensions->items[i]), extension))
			return true;
	return false;
}

static bool
check_extension(const struct stage_part *part, struct error *err)
{
	const struct texts *extensions = &part->rule->extensions;
	struct str extension = file_name_extension(part->filename);
	char what[SHOWN_MAX];

	if (extensions->n == 0 || takes_extension(extensions, extension))
		return true;
	if (part->filename.data == NULL)
		snprintf(what, sizeof what, "it has no file name");
	else if (extension.data == NULL)
		snprintf(what, sizeof what, "its file name has no extension");
	else
		snprintf(what, sizeof what, "its file name ends in .%.*s", STR_ARG(extension));
	return refuse(part, "extensions", extensions, what, err);
}

static bool
begin(void *state, const struct stage_part *part, struct error *err)
{
	(void)state;
	return check_declared(part, err) && check_extension(part, err);
}

/* -- what its first bytes are ----------------------------------------------------------------------------- */

static bool
refuse_detected(const struct stage_part *part, const char *found, struct error *err)
{
	struct str declared = part->type.data != NULL ? media_type_essence(part->type) : STR("nothing");
	char what[2 * SHOWN_MAX + 32];

	if (declared.data == NULL)
		declared = STR("no media type");
	snprintf(what, sizeof what, "it is %.*s, declared as %.*s", SHOWN_MAX, found,
		declared.len < SHOWN_MAX ? (int)declared.len : SHOWN_MAX, declared.data);
	refuse(part, "types.detected", &part->rule->types.detected, what, err);
	err->offset = part->data_at;
	return false;
}

/* A missing database keeps workers from starting, so it is missing here only if main could read it at a reload, and then the
 * worker could not. */
static bool
judge(void *state, const struct stage_part *part, struct str first, struct error *err)
{
	const struct texts *types = &part->rule->types.detected;
	const char *found;

	(void)state;
	if (part->tools->detector == NULL)
		return error_set(err, ERR_INTERNAL, "libmagic's database could not be read");
	found = detector_type(part->tools->detector, first, err);
	if (found == NULL)
		return false;
	if (!facts_add(part->facts, STAGE_DETECTED_TYPE, str_of(found)))
		return error_nomem(err);
	return types->n == 0 || takes_type(types, str_of(found)) || refuse_detected(part, found, err);
}

const struct stage types_stage = { .wanted = wanted, .begin = begin, .holds = holds, .judge = judge };
