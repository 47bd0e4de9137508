// SPDX-License-Identifier: MIT
/* fuzz_decide.c - any head against a fixed table of routes: allowed or refused, never both, and never allowed with a
 * length, a boundary or a path that two parsers could read differently.
 *
 * The input is a byte of bits, then a head as on the wire with LF for line ends: "METHOD TARGET VERSION", then
 * "name: value" lines; a name of one letter a to f stands for one of `names`. The bits say how busy the process is (1
 * draining, 2 over memory) and which good lines come before those of the input (4 the request line, instead of the
 * input's; 8 Host, 16 Content-Type, 32 chunked, 64 a Content-Length, 128 one over the limit), so that a fuzzer without seeds gets to every check.
 * With -DFUZZ_STANDALONE it has a main() that takes files. */
#include "decide/decide.h"
#include "source/multipart/form.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 32

struct fuzz_head {
	struct {
		struct str name, value;
	} headers[HEADERS_MAX];
	size_t n;
	struct head head;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char upload_text[] = "upload", any_host[] = "*.example.org", post[] = "POST", put[] = "PUT", file[] = "file";
static char ids[][8] = { "upload", "below", "rest" };
static char *methods[] = { post, put };
static struct path_segment upload[] = { { SEGMENT_TEXT, upload_text } };
static struct path_segment below[] = { { SEGMENT_TEXT, upload_text }, { SEGMENT_ONE, NULL } };
static struct path_segment rest[] = { { SEGMENT_REST, NULL } };
static struct path_pattern paths[] = { { .segments = upload, .n_segments = 1 },
	{ .segments = below, .n_segments = 2 }, { .segments = rest, .n_segments = 1 } };
static char *hosts[] = { any_host };
static char tenant[] = "x-tenant", album[] = "album", any_a[] = "a*";
static struct named_pattern tenants[] = { { tenant, any_a } }, albums[] = { { album, any_a } };
static struct route routes[] = {
	{ .id = ids[0],
		.match = { .paths = paths,
			.n_paths = 1,
			.headers = { tenants, 1 },
			.query = { albums, 1 },
			.methods = methods,
			.n_methods = 2 },
		.limits = { .body = LIMIT_NONE } },
	{ .id = ids[1],
		.match = { .hosts = hosts,
			.n_hosts = 1,
			.paths = paths,
			.n_paths = 2,
			.methods = methods,
			.n_methods = 1 },
		.limits = { .body = 10 } },
	{ .id = ids[2],
		.raw = file,
		.match = { .hosts = hosts,
			.n_hosts = 1,
			.paths = paths + 2,
			.n_paths = 1,
			.methods = methods + 1,
			.n_methods = 1 },
		.limits = { .body = 1u << 30 } },
};
static const struct config config = { .routes = routes, .n_routes = 3 };

static struct str
cut(struct str *text, char at)
{
	const char *end = text->len > 0 ? memchr(text->data, at, text->len) : NULL;
	size_t n = end != NULL ? (size_t)(end - text->data) : text->len;
	struct str first = { text->data, n };

	n += end != NULL;
	*text = (struct str){ text->data + n, text->len - n };
	return first;
}

static struct str
full_name(struct str name)
{
	static const char *const names[] = { "host", "content-length", "transfer-encoding", "content-type",
		"content-encoding", "expect", tenant };

	if (name.len == 1 && name.data[0] >= 'a' && name.data[0] <= 'g')
		return str_of(names[name.data[0] - 'a']);
	return name;
}

static bool
nth_header(const void *arg, struct str name, size_t nth, struct str *value)
{
	const struct fuzz_head *fuzz = arg;

	for (size_t i = 0; i < fuzz->n; i++)
		if (str_equal_nocase(fuzz->headers[i].name, name) && nth-- == 0) {
			*value = fuzz->headers[i].value;
			return true;
		}
	return false;
}

static void
add_lines(struct str text, struct fuzz_head *fuzz)
{
	while (text.len > 0 && fuzz->n < HEADERS_MAX) {
		struct str line = cut(&text, '\n');

		fuzz->headers[fuzz->n].name = full_name(cut(&line, ':'));
		fuzz->headers[fuzz->n].value = str_trim(line);
		fuzz->n++;
	}
}

static void
read_head(struct str text, unsigned bits, struct fuzz_head *fuzz)
{
	struct str line = cut(&text, '\n');

	if (bits & 4)
		line = STR("POST http://a.example.org/upload/%41 HTTP/1.1");
	fuzz->n = 0;
	fuzz->head = (struct head){ .header = nth_header, .arg = fuzz };
	fuzz->head.method = cut(&line, ' ');
	fuzz->head.target = cut(&line, ' ');
	fuzz->head.version = line;
	add_lines(bits & 8 ? STR("a:a.example.org:80") : STR(""), fuzz);
	add_lines(bits & 16 ? STR("d:multipart/form-data; boundary=B") : STR(""), fuzz);
	add_lines(bits & 32 ? STR("c:chunked") : STR(""), fuzz);
	add_lines(bits & 64 ? STR("b:10") : STR(""), fuzz);
	add_lines(bits & 128 ? STR("b:99999999999999") : STR(""), fuzz);
	add_lines(text, fuzz);
}

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

static void
check_path(const struct decision *d)
{
	for (size_t i = 0; i < d->path.n_segments; i++) {
		struct buf out = { 0 };
		struct str s;

		promise(percent_decode(d->path.segments[i], false, &out));
		s = buf_str(&out);
		promise(s.len > 0 && !str_is(s, ".") && !str_is(s, "..") && memchr(s.data, '\0', s.len) == NULL);
		buf_free(&out);
	}
	for (size_t i = 0; i < d->match.n_captures; i++)
		promise(d->match.captures[i].len <= d->path.encoded.len);
}

/* From HTTP/2 on a body needs neither a length nor chunks. */
static bool
frames_itself(struct str version)
{
	return str_starts_nocase(version, "HTTP/2") || str_starts_nocase(version, "HTTP/3");
}

static void
check_allowed(const struct fuzz_head *fuzz, const struct decision *d)
{
	struct error err = { 0 };
	struct boundary boundary;
	struct str value;
	bool chunked = nth_header(fuzz, STR("transfer-encoding"), 0, &value);

	promise(d->route != NULL);
	promise(d->route->match.headers.n == 0 ||
		(nth_header(fuzz, str_of(tenant), 0, &value) && !nth_header(fuzz, str_of(tenant), 1, &value)));
	promise(d->route->raw != NULL || boundary_read(head_header(&fuzz->head, "content-type"), &boundary, &err));
	promise(frames_itself(fuzz->head.version) || chunked == (d->length == LENGTH_UNKNOWN));
	promise(!(chunked && nth_header(fuzz, STR("content-length"), 0, &value)));
	promise(!nth_header(fuzz, STR("host"), 1, &value) && !nth_header(fuzz, STR("content-length"), 1, &value));
	promise(d->length == LENGTH_UNKNOWN || d->length <= d->route->limits.body);
	check_path(d);
}

static void
try_head(const struct fuzz_head *fuzz, const struct load *load)
{
	struct decision d = { 0 };

	decide(&config, &fuzz->head, load, &d);
	promise(d.allow != error_is_set(&d.error));
	promise(d.error.kind != ERR_METHOD || d.route == NULL);
	promise((d.retry_after_s > 0) ==
		(d.error.kind == ERR_BUSY || d.error.kind == ERR_DRAINING || d.error.kind == ERR_TOO_MANY));
	promise(!d.allow || !(load->is_draining || load->is_over_memory));
	if (d.allow)
		check_allowed(fuzz, &d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_head fuzz;

	if (size < 1)
		return 0;
	read_head((struct str){ (const char *)data + 1, size - 1 }, data[0], &fuzz);
	try_head(&fuzz, &(struct load){ 0 });
	try_head(&fuzz, &(struct load){ .is_draining = data[0] & 1, .is_over_memory = data[0] & 2 });
	return 0;
}

#ifdef FUZZ_STANDALONE
#include <stdio.h>

int
main(int argc, char **argv)
{
	static uint8_t data[1 << 20];

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t n = file != NULL ? fread(data, 1, sizeof data, file) : 0;

		if (file == NULL)
			return 1;
		fclose(file);
		LLVMFuzzerTestOneInput(data, n);
	}
	return 0;
}
#endif
