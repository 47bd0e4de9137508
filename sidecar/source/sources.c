// SPDX-License-Identifier: MIT
/* sources.c - see source.h: all sources, and the one that a route takes. */
#include "base/must.h"
#include "source/format.h"
#include "source/source.h"

#define SOURCE(name) extern const struct source name##_source;
#include "source/sources.def"
#undef SOURCE

#define SOURCE(name) &name##_source,
static const struct source *const sources[] = {
#include "source/sources.def"
	NULL
};
#undef SOURCE

static const struct source *
source_of(const struct route *route)
{
	const struct source_format *format = source_format_of(route);
	size_t i = 0;

	while (sources[i] != NULL && sources[i]->format != format)
		i++;
	must(sources[i] != NULL);
	return sources[i];
}

bool
source_begin(struct source_reader *reader, const struct source_setup *setup, struct error *err)
{
	const struct source *source = source_of(setup->route);

	*reader = (struct source_reader){ .source = source, .body = source->new (setup, err) };
	return reader->body != NULL;
}

bool
source_feed(struct source_reader *reader, const char *data, size_t len, struct error *err)
{
	reader->offset += len;
	return reader->source->feed(reader->body, data, len, err);
}

bool
source_finish(struct source_reader *reader, struct error *err)
{
	return reader->source->finish(reader->body, err);
}

size_t
source_memory(const struct source_reader *reader)
{
	return reader->source->memory(reader->body);
}

void
source_end(struct source_reader *reader)
{
	if (reader->source != NULL)
		reader->source->free(reader->body);
	*reader = (struct source_reader){ 0 };
}

static void
stop_first(size_t n)
{
	while (n-- > 0)
		if (sources[n]->stop != NULL)
			sources[n]->stop();
}

bool
sources_start(struct error *err)
{
	for (size_t i = 0; sources[i] != NULL; i++) {
		if (sources[i]->start == NULL || sources[i]->start(err))
			continue;
		stop_first(i);
		return false;
	}
	return true;
}

void
sources_stop(void)
{
	stop_first(sizeof sources / sizeof sources[0] - 1);
}
