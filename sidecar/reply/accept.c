// SPDX-License-Identifier: MIT
/* accept.c - see accept.h. Linear in the head's bytes; of ranges that are equally specific the larger weight counts. */
#include "reply/accept.h"

#include <string.h>

enum specificity { FITS_NOT, FITS_ANY, FITS_TYPE, FITS_EXACTLY };

/* A media type that could be sent, and how much it is wanted so far. */
struct offer {
	const char *type, *subtype;
	enum specificity by;
	int weight; /* thousandths */
};

/* Takes what comes before the next `mark` outside of quotes, blanks trimmed; `rest` goes on behind it. */
static struct str
take_until(struct str *rest, char mark)
{
	bool quoted = false;
	size_t i = 0, skip;
	struct str taken;

	for (; i < rest->len && (quoted || rest->data[i] != mark); i++) {
		if (rest->data[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->data[i] == '\\')
			i += i + 1 < rest->len;
	}
	taken = (struct str){ rest->data, i };
	skip = i < rest->len ? i + 1 : i;
	*rest = (struct str){ rest->data + skip, rest->len - skip };
	return str_trim(taken);
}

/* RFC 9110 section 12.4.2: 0 to 1 with at most three digits behind the dot. -1: it is none. */
static int
read_weight(struct str s)
{
	int weight, scale = 100;

	if (s.len == 0 || s.len > 5 || (s.data[0] != '0' && s.data[0] != '1') || (s.len > 1 && s.data[1] != '.'))
		return -1;
	weight = (s.data[0] - '0') * 1000;
	for (size_t i = 2; i < s.len; i++, scale /= 10) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return -1;
		weight += (s.data[i] - '0') * scale;
	}
	return weight <= 1000 ? weight : -1;
}

/* The weight behind a media range, among its parameters. */
static int
weight_of(struct str parameters)
{
	int weight = 1000;

	while (parameters.len > 0) {
		struct str one = take_until(&parameters, ';');

		if (str_starts_nocase(one, "q="))
			weight = read_weight((struct str){ one.data + 2, one.len - 2 });
	}
	return weight;
}

static enum specificity
fit(const struct offer *offer, struct str type, struct str subtype)
{
	if (str_is(type, "*"))
		return str_is(subtype, "*") ? FITS_ANY : FITS_NOT;
	if (!str_equal_nocase(type, str_of(offer->type)))
		return FITS_NOT;
	if (str_is(subtype, "*"))
		return FITS_TYPE;
	return str_equal_nocase(subtype, str_of(offer->subtype)) ? FITS_EXACTLY : FITS_NOT;
}

/* One media range with its parameters. */
static void
weigh(struct offer *offers, size_t n, struct str range)
{
	struct str subtype = take_until(&range, ';'), type = take_until(&subtype, '/');
	int weight = weight_of(range);

	for (size_t i = 0; i < n && weight >= 0; i++) {
		enum specificity by = fit(&offers[i], type, subtype);

		if (by == FITS_NOT || by < offers[i].by || (by == offers[i].by && weight <= offers[i].weight))
			continue;
		offers[i].by = by;
		offers[i].weight = weight;
	}
}

bool
accept_prefers_page(const struct head *head)
{
	struct offer offers[] = { { "text", "html", FITS_NOT, 0 }, { "application", "problem+json", FITS_NOT, 0 },
		{ "application", "json", FITS_NOT, 0 } };
	struct str line;

	for (size_t i = 0; head->header != NULL && head->header(head->arg, STR("accept"), i, &line); i++)
		while (line.len > 0)
			weigh(offers, sizeof offers / sizeof offers[0], take_until(&line, ','));
	return offers[0].weight > offers[1].weight && offers[0].weight > offers[2].weight;
}
