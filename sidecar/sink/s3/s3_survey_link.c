// SPDX-License-Identifier: MIT
/* s3_survey_link.c - follows a link to the object that was put, as somebody would who was given it: without a line of ours, and with
 * no keys but those in its query. */
#include "sink/s3/s3_link.h"
#include "sink/s3/s3_survey_priv.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define LIFETIME_S 60u /* where no rule says how long */
#define TRIES_MORE 3u
#define WAIT_FIRST_MS 100u

/* As object_lines.h of part/ makes them, of a name that is not ASCII. */
static const char attachment[] = "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt";

static struct s3_link_wish
wish_of(const struct s3_tour *tour)
{
	struct s3_link_wish wish = { .to = tour->trial.settings,
		.target = tour->first,
		.as = tour->link.shows ? NULL : attachment,
		.lifetime_s = tour->link.lifetime_s > 0 ? tour->link.lifetime_s : LIFETIME_S,
		.now = time(NULL) };

	for (size_t i = 0; i < tour->trial.n_things; i++)
		if (tour->trial.things[i].key == tour->first)
			wish.version = tour->trial.things[i].version;
	return wish;
}

static bool
make_link(const struct s3_tour *tour, struct order_link *link, struct error *err)
{
	struct s3_link_wish wish = wish_of(tour);
	struct s3_keys *keys = s3_keyring_take(tour->trial.keyring, err);
	bool ok = keys != NULL && s3_link_make(&wish, keys, link, err);

	s3_keys_release(keys);
	return ok;
}

static bool
is_busy(const struct survey_reply *reply)
{
	unsigned status = reply->result.is_whole ? reply->result.status : 0;

	return !reply->is_ended && (status == 429 || status == 500 || status == 503);
}

static void
follow(struct s3_tour *tour, const char *url, struct survey_reply *reply)
{
	struct survey *survey = tour->trial.survey;
	struct exchange_line host = { "Host", tour->trial.settings->host };
	struct survey_request request = { .to = &tour->trial.peer,
		.method = "GET",
		.target = url + strlen(tour->trial.settings->peer.url),
		.lines = &host,
		.n_lines = 1,
		.wanted = { "content-disposition:" } };

	survey_ask(survey, &request, reply);
	for (unsigned i = 0; i < TRIES_MORE && is_busy(reply); i++) {
		survey_wait(survey, (uint64_t)WAIT_FIRST_MS << i);
		buf_free(&reply->body);
		survey_ask(survey, &request, reply);
	}
}

static void
judge(struct s3_tour *tour, const struct survey_reply *reply)
{
	bool is_same = !reply->body.failed && str_equal(buf_str(&reply->body), s3_survey_body(tour));
	bool is_saved = strncasecmp(reply->values[0], attachment, sizeof "attachment" - 1) == 0;
	struct survey_words words;

	if (reply->is_ended)
		return;
	if (!survey_is_good(reply))
		s3_survey_found(tour, S3_LINK, false, "%s", survey_say(reply, &words));
	else if (!is_same)
		s3_survey_found(tour, S3_LINK, false, "does not give what was put");
	else if (!tour->link.shows && !is_saved)
		s3_survey_found(tour, S3_LINK, false,
			"gives what was put, but not as an attachment: a browser would run a page of it");
	else
		s3_survey_found(
			tour, S3_LINK, true, "gives what was put%s", tour->link.shows ? "" : ", as an attachment");
}

void
s3_survey_try_link(struct s3_tour *tour)
{
	struct survey_reply reply = { 0 };
	struct order_link link = { 0 };
	struct error error = { 0 };

	if (make_link(tour, &link, &error)) {
		follow(tour, link.url.data, &reply);
		judge(tour, &reply);
	} else {
		s3_survey_found(tour, S3_LINK, false, "%s", error.message);
	}
	buf_free(&reply.body);
	buf_free(&link.url);
}
