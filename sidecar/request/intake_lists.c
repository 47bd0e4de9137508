// SPDX-License-Identifier: MIT
/* intake_lists.c - the lists of an intake in which its requests stand: all of them, those that wait for chunks, and those whose
 * transfers have news. intake.c goes through them. */
#include "request/room_priv.h"

void
intake_add(struct intake *intake, struct request *request)
{
	counter_add(intake->setup.requests, 1);
	counter_add(intake->setup.busy, 1);
	request->next = intake->requests;
	request->link = &intake->requests;
	if (request->next != NULL)
		request->next->link = &request->next;
	intake->requests = request;
}

static void
forget_news(struct request *request)
{
	struct request **at = &request->intake->changed;

	while (request->changed.is_in && *at != request)
		at = &(*at)->changed.next;
	if (request->changed.is_in)
		*at = request->changed.next;
}

void
intake_remove(struct request *request)
{
	struct intake *intake = request->intake;

	intake_want_no_chunks(request);
	forget_news(request);
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	counter_sub(intake->setup.requests, 1);
	counter_sub(intake->setup.busy, 1);
}

/* -- waiting for chunks ------------------------------------------------------------------------------ */

void
intake_want_chunks(struct request *request)
{
	struct intake *intake = request->intake;

	if (request->wants_chunks.is_in)
		return;
	request->wants_chunks = (struct listed){ .is_in = true };
	*intake->wants_chunks_end = request;
	intake->wants_chunks_end = &request->wants_chunks.next;
}

void
intake_want_no_chunks(struct request *request)
{
	struct request **at = &request->intake->wants_chunks;

	if (!request->wants_chunks.is_in)
		return;
	while (*at != request)
		at = &(*at)->wants_chunks.next;
	*at = request->wants_chunks.next;
	if (*at == NULL)
		request->intake->wants_chunks_end = at;
	request->wants_chunks.is_in = false;
}

/* -- news -------------------------------------------------------------------------------------------- */

/* News of thousands of parts may come in one turn of the loop: they are looked at once, before clients are read. */
void
intake_on_news(void *arg)
{
	struct request *request = arg;

	if (request->changed.is_in)
		return;
	request->changed = (struct listed){ .is_in = true, .next = request->intake->changed };
	request->intake->changed = request;
}
