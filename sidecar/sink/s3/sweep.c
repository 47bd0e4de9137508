// SPDX-License-Identifier: MIT
/* sweep.c - see sweep.h. It makes one call at a time, because it is in no hurry, and the store has other clients to serve. */
#include "sink/s3/sweep.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/state.h"
#include "sink/s3/call.h"
#include "sink/s3/s3_open.h"
#include "sink/s3/sweep_page.h"

#include <time.h>

#define FAILURES_MAX 10u /* after so many uploads could not be aborted, no other is tried */
#define PAGES_MAX 10000u /* a list of more pages counts as one without an end */

enum sweep_state { SWEEP_LISTING, SWEEP_ENDING, SWEEP_OVER };

static const unsigned may_become[] = {
	[SWEEP_LISTING] = BIT(SWEEP_ENDING) | BIT(SWEEP_OVER),
	[SWEEP_ENDING] = BIT(SWEEP_LISTING) | BIT(SWEEP_OVER),
	[SWEEP_OVER] = 0,
};

struct s3_sweep {
	struct sweep_job job;
	enum sweep_state state;
	struct s3_object object;
	struct s3_call call;
	struct s3_ask ask;
	struct buf query, target;
	struct s3_page page;
	struct s3_marks marks, next_marks; /* where the page begins, and the next one ... */
	enum s3_marks_said next;           /* ... if there is one */
	size_t at;                         /* which upload of it is being ended */
	size_t n_gone;                     /* of it */
	bool is_again;                     /* it was asked for before ... */
	uint64_t ended_before;             /* ... when so many had been ended */
	unsigned n_pages, n_failures;
	uint64_t n_seen, n_ended;
	struct error error; /* the first thing that went wrong */
};

static const struct s3_settings *
settings_of(const struct s3_sweep *sweep)
{
	return s3_settings(sweep->job.to);
}

static void
sweep_move(struct s3_sweep *sweep, enum sweep_state to)
{
	must(state_may_become(may_become, (int)sweep->state, (int)to));
	sweep->state = to;
}

/* -- the end -------------------------------------------------------------------------------------------- */

/* Logs the first of several failures in a row. That keys are still being fetched is not logged as one. */
static void
say(const struct s3_sweep *sweep)
{
	bool is_good = !error_is_set(&sweep->error);
	bool is_news = !*sweep->job.is_told && sweep->error.kind != ERR_BUSY;

	log_line(is_good          ? LOG_INFO
			: is_news ? LOG_WARN
				  : LOG_DEBUG,
		"sink",
		is_good ? "a bucket was swept of unfinished uploads"
			: "a bucket could not be swept of unfinished uploads; it is tried again",
		LOG_TEXTVAL("destination", sweep->job.to->name),
		LOG_TEXTVAL("prefix", settings_of(sweep)->sweep_prefix), LOG_NUM("seen", sweep->n_seen),
		LOG_NUM("ended", sweep->n_ended), LOG_TEXTVAL("reason", is_good ? NULL : sweep->error.message));
	*sweep->job.is_told = !is_good && (is_news || *sweep->job.is_told);
}

/* True: it went well. */
static bool
end(struct s3_sweep *sweep)
{
	bool is_good = !error_is_set(&sweep->error);

	sweep_move(sweep, SWEEP_OVER);
	s3_counts_sweep_end(sweep->object.counts, is_good ? S3_SWEEP_DONE : S3_SWEEP_FAILED);
	say(sweep);
	return is_good;
}

static void
tell_end(struct s3_sweep *sweep)
{
	bool is_good = end(sweep);

	sweep->job.on_end(sweep->job.arg, is_good);
}

/* -- the uploads of a page ------------------------------------------------------------------------------ */

static void list(struct s3_sweep *sweep);
static void end_next(struct s3_sweep *sweep);

static void
on_ended(void *arg, const struct s3_reply *reply)
{
	struct s3_sweep *sweep = arg;
	bool is_gone = reply->fate == S3_DONE || reply->status == 404;

	if (reply->fate == S3_DONE) {
		s3_counts_swept(sweep->object.counts);
		sweep->n_ended++;
	}
	if (is_gone) {
		sweep->n_gone++;
	} else {
		sweep->n_failures++;
		error_keep_first(&sweep->error, &reply->error);
	}
	sweep->at++;
	end_next(sweep);
}

static void
set_abort(struct s3_sweep *sweep, const struct s3_page_upload *upload)
{
	buf_clear(&sweep->target);
	buf_add_char(&sweep->target, '/');
	s3_escape(&sweep->target, str_of(upload->key), true);
	buf_clear(&sweep->query);
	buf_add_text(&sweep->query, "uploadId=");
	s3_escape(&sweep->query, str_of(upload->id), false);
	sweep->object.target = sweep->target.data;
	sweep->ask = (struct s3_ask){
		.op = S3_OP_ABORT,
		.method = "DELETE",
		.query = buf_str(&sweep->query),
		.headers = S3_HEADERS_SOME,
		.body = EXCHANGE_NO_BODY,
		.payload = S3_EMPTY_PAYLOAD,
		.tries_more = settings_of(sweep)->retry_parts,
		.until_ms = CLOCK_NEVER,
	};
}

/* False: error says why. */
static bool
ask(struct s3_sweep *sweep, void (*on_end)(void *arg, const struct s3_reply *reply))
{
	sweep->call.on_end = on_end;
	if (sweep->query.failed || sweep->target.failed)
		return error_nomem(&sweep->error);
	return s3_call_begin(&sweep->call, &sweep->ask, &sweep->error);
}

/* Asks for the same page once more, which is now without what was aborted, if the store gave more than was asked for, or if the
 * next page would begin behind an upload that is gone: stores differ in what they list then. */
static bool
is_same_again(const struct s3_sweep *sweep)
{
	bool has_mark = sweep->next == S3_MARKS_ON && s3_page_has_mark(&sweep->page, &sweep->next_marks);

	return sweep->n_gone > 0 && (sweep->page.is_full || has_mark);
}

/* It was asked for once more already, and what was gone by the store's own word stands in it still. That would never end. */
static bool
is_stuck(const struct s3_sweep *sweep)
{
	return sweep->is_again && sweep->n_ended == sweep->ended_before;
}

static void
turn_page(struct s3_sweep *sweep, bool is_again)
{
	struct s3_marks marks = sweep->marks;

	sweep->is_again = is_again;
	sweep->ended_before = sweep->n_ended;
	if (!is_again) {
		sweep->marks = sweep->next_marks;
		sweep->next_marks = marks;
	}
	list(sweep);
}

static void
end_page(struct s3_sweep *sweep)
{
	struct error stuck = { 0 };
	bool is_again = is_same_again(sweep);

	if (is_again && is_stuck(sweep)) {
		error_set(&stuck, ERR_UPSTREAM,
			"the store goes on listing uploads of which it says that they are gone");
		error_keep_first(&sweep->error, &stuck);
		is_again = false;
	}
	sweep->n_seen += is_again ? sweep->n_gone : sweep->page.n_seen;
	if (sweep->n_failures < FAILURES_MAX && (is_again || sweep->next == S3_MARKS_ON)) {
		turn_page(sweep, is_again);
		return;
	}
	if (sweep->next == S3_MARKS_STUCK)
		error_set(&sweep->error, ERR_UPSTREAM, "the store does not say where its list goes on");
	tell_end(sweep);
}

static void
end_next(struct s3_sweep *sweep)
{
	if (sweep->n_failures == FAILURES_MAX || sweep->at == sweep->page.n) {
		end_page(sweep);
		return;
	}
	set_abort(sweep, &sweep->page.uploads[sweep->at]);
	if (!ask(sweep, on_ended))
		tell_end(sweep);
}

/* -- a page --------------------------------------------------------------------------------------------- */

static void
on_list(void *arg)
{
	struct s3_sweep *sweep = arg;
	int64_t now_s = s3_page_now_s((int64_t)time(NULL), sweep->call.reply.later.date);

	s3_page_begin(&sweep->page, settings_of(sweep)->sweep_prefix, settings_of(sweep)->sweep_older_ms, now_s);
}

static void
on_upload(void *arg, const struct s3_answer_upload *upload)
{
	s3_page_add(&((struct s3_sweep *)arg)->page, upload);
}

static void
on_listed(void *arg, const struct s3_reply *reply)
{
	struct s3_sweep *sweep = arg;

	if (reply->fate != S3_DONE) {
		error_keep_first(&sweep->error, &reply->error);
		tell_end(sweep);
		return;
	}
	sweep->next = s3_marks_next(&sweep->marks, sweep->call.answer, &sweep->next_marks);
	if (sweep->page.failed || sweep->next_marks.key.failed || sweep->next_marks.id.failed) {
		error_nomem(&sweep->error);
		tell_end(sweep);
		return;
	}
	sweep->at = sweep->n_gone = 0;
	sweep_move(sweep, SWEEP_ENDING);
	end_next(sweep);
}

/* False: error says why. */
static bool
ask_for_page(struct s3_sweep *sweep)
{
	if (++sweep->n_pages > PAGES_MAX)
		return error_set(&sweep->error, ERR_UPSTREAM, "the store's list has no end");
	buf_clear(&sweep->query);
	s3_marks_query(&sweep->marks, settings_of(sweep)->sweep_prefix, &sweep->query);
	sweep->object.target = "/";
	sweep->ask = (struct s3_ask){
		.op = S3_OP_LIST_UPLOADS,
		.method = "GET",
		.query = buf_str(&sweep->query),
		.headers = S3_HEADERS_SOME,
		.body = EXCHANGE_NO_BODY,
		.payload = S3_EMPTY_PAYLOAD,
		.wants_document = true,
		.document = S3_ANSWER_UPLOADS,
		.tries_more = settings_of(sweep)->retry_parts,
		.until_ms = CLOCK_NEVER,
	};
	return ask(sweep, on_listed);
}

static void
list(struct s3_sweep *sweep)
{
	sweep_move(sweep, SWEEP_LISTING);
	if (!ask_for_page(sweep))
		tell_end(sweep);
}

/* -- life ----------------------------------------------------------------------------------------------- */

bool
s3_sweeps(const struct destination *to)
{
	return s3_settings(to)->sweep_prefix != NULL;
}

static void
sweep_free(struct s3_sweep *sweep)
{
	s3_call_fini(&sweep->call);
	s3_page_free(&sweep->page);
	s3_marks_free(&sweep->marks);
	s3_marks_free(&sweep->next_marks);
	buf_free(&sweep->query);
	buf_free(&sweep->target);
	mem_free(sweep);
}

static bool
set_up(struct s3_sweep *sweep, const struct sweep_job *job)
{
	sweep->job = *job;
	sweep->object = (struct s3_object){
		.engine = job->engine,
		.to = job->to,
		.keyring = s3_open_keyring(job->table, job->to),
		.counts = s3_open_counts(job->table, job->to),
		.peer = s3_settings(job->to)->peer,
	};
	sweep->object.peer.headers = (struct header_lines){ 0 };
	sweep->call.arg = sweep;
	sweep->call.on_list = on_list;
	sweep->call.on_upload = on_upload;
	return s3_call_init(&sweep->call, &sweep->object) ? true : error_nomem(&sweep->error);
}

void *
s3_sweep_begin(const struct sweep_job *job)
{
	struct s3_sweep *sweep = mem_zalloc(sizeof *sweep);

	if (sweep == NULL)
		return NULL;
	if (set_up(sweep, job) && ask_for_page(sweep))
		return sweep;
	end(sweep);
	sweep_free(sweep);
	return NULL;
}

void
s3_sweep_end(void *arg)
{
	struct s3_sweep *sweep = arg;

	if (sweep->state != SWEEP_OVER)
		s3_counts_sweep_end(sweep->object.counts, S3_SWEEP_CUT);
	sweep_free(sweep);
}
