// SPDX-License-Identifier: MIT
/* retry_after.c - see retry_after.h. */
#include "sink/retry_after.h"

#include "sink/exchange.h"

void
retry_after_note(struct retry_after *said, struct str line)
{
	if (str_starts_nocase(line, "date:"))
		exchange_take_value(line, "date:", said->date, sizeof said->date);
	else if (str_starts_nocase(line, "retry-after:") &&
		!str_to_u64(exchange_value_of(line, "retry-after:"), &said->seconds))
		exchange_take_value(line, "retry-after:", said->at, sizeof said->at);
}

static uint64_t
until_date(const struct retry_after *said)
{
	int64_t date_s, at_s;

	if (said->at[0] == '\0' || !http_date_read(said->at, &at_s) || !http_date_read(said->date, &date_s))
		return 0;
	return at_s > date_s ? (uint64_t)(at_s - date_s) : 0;
}

unsigned
retry_after_seconds(const struct retry_after *said)
{
	uint64_t seconds = said->seconds > 0 ? said->seconds : until_date(said);

	return seconds < RETRY_AFTER_MAX_S ? (unsigned)seconds : RETRY_AFTER_MAX_S;
}
