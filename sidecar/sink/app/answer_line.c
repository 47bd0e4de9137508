// SPDX-License-Identifier: MIT
/* answer_line.c - see answer_line.h. Of a line that may stand once one client would take the first and another the last. */
#include "sink/app/answer_line.h"

enum once { LENGTH, CODING, TYPE, LOCATION, ETAG, RETRY_AFTER, N_ONCE };

static const char *const once_names[N_ONCE] = {
	[LENGTH] = "content-length",
	[CODING] = "transfer-encoding",
	[TYPE] = "content-type",
	[LOCATION] = "location",
	[ETAG] = "etag",
	[RETRY_AFTER] = "retry-after",
};

static bool
is_identity(struct str value)
{
	return value.len == 0 || str_equal_nocase(value, STR("identity"));
}

/* N_ONCE: it may stand more than once. */
static enum once
find_once(struct str name)
{
	enum once i = 0;

	while (i < N_ONCE && !str_equal_nocase(name, str_of(once_names[i])))
		i++;
	return i;
}

static const char *
look_at_length(const struct answer_lines *lines, enum once which, struct str value)
{
	const unsigned both = 1u << LENGTH | 1u << CODING;
	uint64_t length;

	if ((lines->seen & both) == both)
		return "its answer says in two ways how long it is";
	if (which == LENGTH && !str_to_u64(value, &length))
		return "the length of its answer is no number";
	return NULL;
}

const char *
answer_lines_look(struct answer_lines *lines, struct str name, struct str value, bool is_wanted)
{
	enum once which = find_once(name);

	if (str_equal_nocase(name, STR("content-encoding")) && !is_identity(value))
		return "its answer is encoded, for which it was not asked";
	if (is_wanted && str_has_control(value))
		return "a line in the head of its answer holds a control byte";
	if (which == N_ONCE || (which > CODING && !is_wanted))
		return NULL;
	if (lines->seen & 1u << which)
		return "a line in the head of its answer stands twice, which may stand once";
	lines->seen |= 1u << which;
	return look_at_length(lines, which, value);
}
