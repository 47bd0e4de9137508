// SPDX-License-Identifier: MIT
/* postproc.c - see postproc.h.
 *
 * The donor. MHD_create_post_processor() wants a connection, from which it reads the Content-Type and
 * nothing else. So one private connection is made at start (a socketpair, no listening socket, no thread), whose
 * Content-Type names a random boundary of ours, and every post-processor is made from it. The same code
 * then serves requests, `penstock explain`, tests and fuzzers, and no spelling of the client's Content-Type
 * matters to libmicrohttpd.
 *
 * The mask. The post-processor looks closer at each carriage return, which makes a body of nothing else some
 * thirty times as costly as any other. Such stretches are XORed with a random byte, a new one for every
 * slice, on the way in, and once more on the way out: whatever the bytes are, on average one in 256 is then
 * a carriage return, as in random data. What was fed first comes out first, so two masks at a time suffice:
 * the current one, and the one before it for the few bytes that the post-processor still holds back. */
#include "source/multipart/postproc.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/random.h"
#include "base/str.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 8192u /* the post-processor's own, one per request; larger ones measured no faster */
#define BOUNDARY_HEX 60   /* 240 random bits */
#define MASK_SLICE 4096u

struct mask {
	uint64_t fed, delivered; /* bytes of the form's parts, in and out */
	uint64_t switch_at;      /* from this byte on `now` applies, before it `before` */
	unsigned char now, before;
	uint64_t random;
};

struct postproc {
	struct MHD_PostProcessor *mhd;
	postproc_sink *sink;
	void *arg;
	char key[STR_U64_SIZE]; /* the part's number, as libmicrohttpd will tell it */
	bool has_parts, stopped;
	struct mask mask;
};

/* -- the donor ---------------------------------------------------------------------------------------- */

static struct {
	struct MHD_Daemon *daemon;
	struct MHD_Connection *connection;
	int peer; /* our end of the socketpair */
	char delimiter[BOUNDARY_HEX + 3];
	char end[BOUNDARY_HEX + 5]; /* what stands behind a part */
} donor = { .peer = -1 };

static enum MHD_Result
on_donor_access(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *len, void **context)
{
	(void)arg;
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	(void)len;
	if (*context != NULL)
		return MHD_NO; /* resumed at tear-down */
	*context = &donor;
	donor.connection = connection;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void
make_delimiter(void)
{
	unsigned char random[BOUNDARY_HEX / 2];

	random_bytes(random, sizeof random);
	snprintf(donor.delimiter, sizeof donor.delimiter, "--");
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(donor.delimiter + 2 + 2 * i, 3, "%02x", random[i]);
	snprintf(donor.end, sizeof donor.end, "\r\n%s", donor.delimiter);
}

static bool
send_donor_head(int fd)
{
	char head[256];
	int n = snprintf(head, sizeof head,
		"POST / HTTP/1.1\r\nHost: donor\r\nContent-Type: multipart/form-data; boundary=%s\r\n"
		"Content-Length: 1\r\n\r\n",
		donor.delimiter + 2);

	return write(fd, head, (size_t)n) == n;
}

static bool
connect_donor(struct error *err)
{
	struct sockaddr addr = { .sa_family = AF_UNIX };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return error_set(err, ERR_SYSTEM, "socketpair: %s", strerror(errno));
	donor.peer = pair[0];
	if (MHD_add_connection(donor.daemon, pair[1], &addr, sizeof addr) != MHD_YES ||
		!send_donor_head(donor.peer))
		return error_set(err, ERR_SYSTEM, "libmicrohttpd did not take its own connection");
	for (int i = 0; i < 16 && donor.connection == NULL; i++)
		MHD_run(donor.daemon);
	return donor.connection != NULL ? true
					: error_set(err, ERR_SYSTEM, "libmicrohttpd did not read its own head");
}

bool
postproc_setup(struct error *err)
{
	must(donor.daemon == NULL);
	make_delimiter();
	donor.daemon = MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_donor_access, NULL, MHD_OPTION_END);
	if (donor.daemon == NULL)
		return error_set(err, ERR_SYSTEM, "libmicrohttpd did not start");
	if (connect_donor(err))
		return true;
	postproc_teardown();
	return false;
}

void
postproc_teardown(void)
{
	if (donor.daemon == NULL)
		return;
	if (donor.connection != NULL)
		MHD_resume_connection(donor.connection); /* none may be suspended when the daemon stops */
	MHD_run(donor.daemon);
	MHD_stop_daemon(donor.daemon);
	if (donor.peer >= 0)
		close(donor.peer);
	donor.daemon = NULL;
	donor.connection = NULL;
	donor.peer = -1;
}

/* -- the mask ----------------------------------------------------------------------------------------- */

/* xorshift64*: it only has to be one that a body cannot know. */
static unsigned char
next_mask(struct mask *mask)
{
	mask->random ^= mask->random >> 12;
	mask->random ^= mask->random << 25;
	mask->random ^= mask->random >> 27;
	return (unsigned char)(mask->random * 0x2545f4914f6cdd1d >> 56);
}

/* A new mask from the next byte on, unless bytes of two masks are still inside. */
static void
change_mask(struct mask *mask, unsigned char to)
{
	if (to == mask->now || mask->delivered < mask->switch_at)
		return;
	mask->before = mask->now;
	mask->now = to;
	mask->switch_at = mask->fed;
}

/* Eight bytes at a time: compilers do not do it by themselves at -O2. */
static void
xor_copy(char *to, const char *from, size_t len, unsigned char with)
{
	uint64_t word, all = with * UINT64_C(0x0101010101010101);
	size_t i = 0;

	for (; i + sizeof word <= len; i += sizeof word) {
		memcpy(&word, from + i, sizeof word);
		word ^= all;
		memcpy(to + i, &word, sizeof word);
	}
	for (; i < len; i++)
		to[i] = (char)((unsigned char)from[i] ^ with);
}

/* How many of the next `len` bytes that come out have the same mask, and which. */
static size_t
unmask_run(const struct mask *mask, size_t len, unsigned char *with)
{
	uint64_t until_switch;

	*with = mask->now;
	if (mask->delivered >= mask->switch_at)
		return len;
	*with = mask->before;
	until_switch = mask->switch_at - mask->delivered;
	return until_switch < len ? (size_t)until_switch : len;
}

static bool
deliver_masked(struct postproc *postproc, const char *data, size_t len, unsigned char with)
{
	char plain[MASK_SLICE];

	while (len > 0) {
		size_t n = len < sizeof plain ? len : sizeof plain;

		xor_copy(plain, data, n, with);
		if (!postproc->sink(postproc->arg, plain, n))
			return false;
		data += n;
		len -= n;
	}
	return true;
}

static bool
deliver(struct postproc *postproc, const char *data, size_t len)
{
	while (len > 0) {
		unsigned char with;
		size_t n = unmask_run(&postproc->mask, len, &with);
		bool ok = with == 0 ? postproc->sink(postproc->arg, data, n)
				    : deliver_masked(postproc, data, n, with);

		if (!ok)
			return false;
		postproc->mask.delivered += n;
		data += n;
		len -= n;
	}
	return true;
}

/* -- the post-processor ------------------------------------------------------------------------------- */

/* libmicrohttpd's callback: `key` is the part's number. It may come with no bytes at all, more than once. */
static enum MHD_Result
on_piece(void *arg, enum MHD_ValueKind kind, const char *key, const char *filename, const char *type,
	const char *encoding, const char *data, uint64_t offset, size_t len)
{
	struct postproc *postproc = arg;
	(void)kind;
	(void)filename;
	(void)type;
	(void)encoding;
	(void)offset;
	if (len == 0)
		return MHD_YES;
	if (key == NULL)
		return MHD_NO; /* its copy of the name could not be made: it says so in no other way; see feed() */
	must(strcmp(key, postproc->key) == 0);
	if (deliver(postproc, data, len))
		return MHD_YES;
	postproc->stopped = true;
	return MHD_NO;
}

struct postproc *
postproc_new(postproc_sink *sink, void *arg, struct error *err)
{
	struct postproc *postproc = mem_zalloc(sizeof *postproc);

	must(donor.connection != NULL); /* form_setup() comes first */
	if (postproc != NULL)
		postproc->mhd = MHD_create_post_processor(donor.connection, BUFFER_SIZE, on_piece, postproc);
	if (postproc == NULL || postproc->mhd == NULL) {
		mem_free(postproc);
		error_nomem(err);
		return NULL;
	}
	postproc->sink = sink;
	postproc->arg = arg;
	random_bytes(&postproc->mask.random, sizeof postproc->mask.random);
	postproc->mask.random |= 1;
	return postproc;
}

void
postproc_free(struct postproc *postproc)
{
	if (postproc == NULL)
		return;
	MHD_destroy_post_processor(postproc->mhd); /* what it thinks of the end does not matter: the guard knows */
	mem_free(postproc);
}

static bool
feed(struct postproc *postproc, const char *data, size_t len, struct error *err)
{
	if (len == 0 || MHD_post_process(postproc->mhd, data, len) == MHD_YES)
		return true;
	if (!postproc->stopped) /* our own stream cannot be malformed, so it is memory that it lacks */
		error_nomem(err);
	return false;
}

struct head {
	char text[200];
	size_t len;
};

static void
add(struct head *head, struct str text)
{
	must(text.len <= sizeof head->text - head->len);
	memcpy(head->text + head->len, text.data, text.len);
	head->len += text.len;
}

/* One feed for the whole head, so that the post-processor never moves its buffer line by line. */
bool
postproc_begin(struct postproc *postproc, unsigned part, struct error *err)
{
	struct head head;
	size_t digits = str_write_u64(postproc->key, part);

	head.len = 0;
	if (!postproc->has_parts)
		add(&head, str_of(donor.delimiter));
	add(&head, STR("\r\nContent-Disposition: form-data; name=\""));
	add(&head, (struct str){ postproc->key, digits });
	add(&head, STR("\"\r\n\r\n"));
	postproc->has_parts = true;
	return feed(postproc, head.text, head.len, err);
}

static bool
feed_masked(struct postproc *postproc, const char *data, size_t len, struct error *err)
{
	char masked[MASK_SLICE];

	while (len > 0) {
		size_t n = len < sizeof masked ? len : sizeof masked;

		change_mask(&postproc->mask, next_mask(&postproc->mask));
		xor_copy(masked, data, n, postproc->mask.now);
		postproc->mask.fed += n;
		if (!feed(postproc, masked, n, err))
			return false;
		data += n;
		len -= n;
	}
	return true;
}

bool
postproc_data(struct postproc *postproc, const char *data, size_t len, bool is_dense, struct error *err)
{
	if (!is_dense)
		change_mask(&postproc->mask, 0);
	if (is_dense || postproc->mask.now != 0)
		return feed_masked(postproc, data, len, err);
	postproc->mask.fed += len;
	return feed(postproc, data, len, err);
}

/* The delimiter alone makes it give up what it held back; what follows it comes with the next head. */
bool
postproc_end(struct postproc *postproc, struct error *err)
{
	if (!feed(postproc, donor.end, strlen(donor.end), err))
		return false;
	must(postproc->mask.delivered == postproc->mask.fed);
	return true;
}
