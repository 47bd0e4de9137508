// SPDX-License-Identifier: MIT
/* exchange_head.c - the head of a request: its lines, and where it goes.
 *
 * Of a small request the head costs more than the body: libcurl parses a URL, makes another of it, and writes every text of a head byte
 * by byte. So it gets the URL of the server alone and the target beside it, and its lines as one block of memory. */
#include "sink/exchange_priv.h"

#include "base/mem.h"
#include "base/must.h"

#include <string.h>

#define AGENT "penstock/" PENSTOCK_VERSION

/* -- lines -------------------------------------------------------------------------------------------- */

/* Counts what it would hold, while it has no memory. */
struct list {
	struct curl_slist *nodes;
	char *text;
	size_t n, bytes;
	bool has_agent;
};

static void
put(char *to, const char *text, size_t len, size_t *at)
{
	memcpy(to + *at, text, len);
	*at += len;
}

static void
add(struct list *list, const char *name, const char *value)
{
	size_t name_len = strlen(name), value_len = strlen(value), size = name_len + value_len + sizeof ": ",
	       at = 0;

	if (list->nodes != NULL) {
		char *line = list->text + list->bytes;

		put(line, name, name_len, &at);
		put(line, ": ", 2, &at);
		put(line, value, value_len + 1, &at);
		list->nodes[list->n] = (struct curl_slist){ .data = line };
		if (list->n > 0)
			list->nodes[list->n - 1].next = &list->nodes[list->n];
	}
	list->n++;
	list->bytes += size;
	list->has_agent = list->has_agent || str_equal_nocase(str_of(name), STR("user-agent"));
}

static bool
is_chunked(const struct exchange_request *request)
{
	return (request->body == EXCHANGE_READ || request->body == EXCHANGE_STREAM) &&
		request->length == EXCHANGE_LENGTH_UNKNOWN;
}

static void
add_all(struct list *list, const struct exchange_request *request)
{
	const struct header_lines *more = &request->to->headers;

	add(list, "Expect", ""); /* leaves libcurl's out */
	if (is_chunked(request))
		add(list, "Transfer-Encoding", "chunked");
	for (size_t i = 0; i < request->n_lines; i++)
		if (request->lines[i].value != NULL)
			add(list, request->lines[i].name, request->lines[i].value);
	for (size_t i = 0; i < more->n; i++)
		if (more->items[i].value != NULL) /* else it is one of `lines`, if it is meant */
			add(list, more->items[i].name, more->items[i].value);
	if (!list->has_agent)
		add(list, "User-Agent", AGENT);
}

struct curl_slist *
exchange_head_lines(const struct exchange_request *request)
{
	struct list counted = { 0 }, list = { 0 };

	add_all(&counted, request);
	list.nodes = mem_alloc(counted.n * sizeof *list.nodes + counted.bytes);
	if (list.nodes == NULL)
		return NULL;
	list.text = (char *)&list.nodes[counted.n];
	add_all(&list, request);
	must(list.n == counted.n && list.bytes == counted.bytes);
	return list.nodes;
}

/* -- where -------------------------------------------------------------------------------------------- */

/* Nothing of which libcurl's parser of URLs would make anything else. */
static bool
is_plain(const char *target)
{
	if (target[0] != '/')
		return false;
	for (const unsigned char *c = (const unsigned char *)target; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '#')
			return false;
	return true;
}

/* NULL: the server has no prefix. */
static const char *
prefix_of(const char *url)
{
	const char *authority = strstr(url, "://");

	return authority != NULL ? strchr(authority + 3, '/') : NULL;
}

static bool
set_whole_url(CURL *easy, const struct exchange_request *request)
{
	struct buf url = { 0 };
	bool ok;

	buf_add_text(&url, request->to->url);
	buf_add_text(&url, request->target);
	ok = !url.failed && curl_easy_setopt(easy, CURLOPT_URL, url.data) == CURLE_OK;
	buf_free(&url);
	return ok;
}

bool
exchange_head_aim(CURL *easy, const struct exchange_request *request)
{
	const char *url = request->to->url;

	if (!is_plain(request->target) || prefix_of(url) != NULL)
		return set_whole_url(easy, request);
	return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, request->target) == CURLE_OK;
}
