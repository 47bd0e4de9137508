// SPDX-License-Identifier: MIT
/* load.c - the load generator of tests/bench: uploads multipart forms over loopback, as fast as it can or at a
 * given rate, from a buffer that stays in the cache. A form that is as small as that buffer goes in one send, as clients send it. One
 * thread per connection; prints one line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HOT 65536
#define BOUNDARY "----bench7f3a91c0e5d24b68"

static struct {
	unsigned port, connections, uploads, fields, values; /* values: small ones, before the files */
	uint64_t size, rate;
	const char *path;
	bool chunked;
} how = { .port = 8081, .connections = 1, .uploads = 1, .fields = 1, .size = 1 << 20, .path = "/upload" };

struct lane {
	pthread_t thread;
	uint64_t bytes;
	unsigned good, bad, refused; /* refused: those of the bad for which there was no room */
	double *took;                /* seconds, of each upload */
};

/* Where a form goes: into a socket, or into memory (fd -1). */
struct out {
	int fd;
	char *text;
	size_t n;
};

static char hot[HOT], whole[HOT + 4096];
static size_t n_whole; /* 0: a form is sent piece by piece */

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int
dial(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)how.port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
put(struct out *out, const char *data, size_t len)
{
	if (out->fd >= 0)
		return send_all(out->fd, data, len);
	memcpy(out->text + out->n, data, len);
	out->n += len;
	return true;
}

/* With a rate: sends in slices of a tenth of a second, of 1,000 bytes at least. */
static void
keep_rate(double start, uint64_t sent)
{
	double due = start + (double)sent / (double)how.rate, left = due - now();

	if (left > 0)
		usleep((useconds_t)(left * 1e6));
}

static bool
send_hot(struct out *out, uint64_t len, double start, uint64_t *sent)
{
	uint64_t slice = how.rate == 0 ? HOT : how.rate > 10000 ? how.rate / 10 : 1000;

	while (len > 0) {
		size_t n = len < HOT ? (size_t)len : HOT;

		if (n > slice)
			n = (size_t)slice;
		if (!put(out, hot, n))
			return false;
		len -= n;
		*sent += n;
		if (how.rate > 0)
			keep_rate(start, *sent);
	}
	return true;
}

static size_t
part_head(char *out, size_t size, unsigned i)
{
	const char *before = i > 0 ? "\r\n" : "";

	if (i < how.values)
		return (size_t)snprintf(out, size,
			"%s--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"v%u\"\r\n\r\na small value",
			before, i);
	return (size_t)snprintf(out, size,
		"%s--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"f%u\"; filename=\"f%u.bin\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\n",
		before, i, i);
}

static uint64_t
part_size(unsigned i)
{
	return i < how.values ? 0 : how.size;
}

static bool
send_chunk_line(struct out *out, uint64_t size)
{
	char line[32];
	int n = snprintf(line, sizeof line, "%llx\r\n", (unsigned long long)size);

	return !how.chunked || put(out, line, (size_t)n);
}

static bool
send_part(struct out *out, unsigned i, double start, uint64_t *sent)
{
	char head[400];
	size_t n = part_head(head, sizeof head, i);

	return send_chunk_line(out, n + part_size(i)) && put(out, head, n) &&
		send_hot(out, part_size(i), start, sent) && (!how.chunked || put(out, "\r\n", 2));
}

static const char tail[] = "\r\n--" BOUNDARY "--\r\n";

static uint64_t
body_size(void)
{
	uint64_t total = sizeof tail - 1;
	char head[400];

	for (unsigned i = 0; i < how.values + how.fields; i++)
		total += part_head(head, sizeof head, i) + part_size(i);
	return total;
}

static bool
send_head(struct out *out)
{
	char head[600];
	int n = snprintf(head, sizeof head,
		"POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: multipart/form-data; boundary=" BOUNDARY "\r\n%s",
		how.path, how.chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "");

	if (!how.chunked)
		n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %llu\r\n\r\n",
			(unsigned long long)body_size());
	return put(out, head, (size_t)n);
}

static bool
put_form(struct out *out)
{
	uint64_t sent = 0;
	double start = now();

	if (!send_head(out))
		return false;
	for (unsigned i = 0; i < how.values + how.fields; i++)
		if (!send_part(out, i, start, &sent))
			return false;
	return send_chunk_line(out, sizeof tail - 1) && put(out, tail, sizeof tail - 1) &&
		(!how.chunked || put(out, "\r\n0\r\n\r\n", 7));
}

static bool
send_form(int fd)
{
	struct out out = { .fd = fd };

	return n_whole > 0 ? send_all(fd, whole, n_whole) : put_form(&out);
}

static void
make_whole(void)
{
	struct out out = { .fd = -1, .text = whole };

	if (how.rate > 0 || how.chunked || body_size() > HOT)
		return;
	put_form(&out);
	n_whole = out.n;
}

/* Reads one answer; returns its status, 0: none. *close_after: it said so, or there is no length. */
static int
read_answer(int fd, bool *close_after)
{
	char text[65536];
	size_t n = 0;
	char *end = NULL, *length;

	while (n < sizeof text - 1 && end == NULL) {
		ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);

		if (got <= 0)
			return 0;
		n += (size_t)got;
		text[n] = '\0';
		end = strstr(text, "\r\n\r\n");
	}
	length = strcasestr(text, "\r\ncontent-length:");
	*close_after = strcasestr(text, "\r\nconnection: close") != NULL || length == NULL;
	if (end != NULL && length != NULL) {
		size_t left = strtoul(length + 17, NULL, 10) - (n - (size_t)(end + 4 - text));

		while ((ssize_t)left > 0) {
			ssize_t got = recv(fd, text + 20, sizeof text - 21, 0);

			if (got <= 0)
				break;
			left -= (size_t)got;
		}
	}
	return (int)strtol(text + 9, NULL, 10);
}

/* One upload on lane's connection, which is made if there is none (*fd < 0). A store that has refused may have answered before all
 * was sent. */
static int
upload(int *fd)
{
	bool close_after = true;
	int status = 0;

	if (*fd < 0)
		*fd = dial();
	if (*fd < 0)
		return 0;
	send_form(*fd);
	status = read_answer(*fd, &close_after);
	if (close_after || status == 0) {
		close(*fd);
		*fd = -1;
	}
	return status;
}

static void *
run(void *arg)
{
	struct lane *lane = arg;
	int fd = -1;

	for (unsigned i = 0; i < how.uploads; i++) {
		double start = now();
		int status = upload(&fd);

		lane->took[i] = now() - start;
		if (status >= 200 && status < 300) {
			lane->good++;
			lane->bytes += how.size * how.fields;
		} else {
			lane->bad++;
			lane->refused += status == 503 || status == 408;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "port", 1, NULL, 'p' },
		{ "path", 1, NULL, 'P' },
		{ "connections", 1, NULL, 'c' },
		{ "uploads", 1, NULL, 'u' },
		{ "fields", 1, NULL, 'f' },
		{ "values", 1, NULL, 'v' },
		{ "size", 1, NULL, 's' },
		{ "rate", 1, NULL, 'r' },
		{ "chunked", 0, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (o) {
		case 'p':
			how.port = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'P':
			how.path = optarg;
			break;
		case 'c':
			how.connections = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'u':
			how.uploads = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'f':
			how.fields = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'v':
			how.values = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			how.size = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			how.rate = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			how.chunked = true;
			break;
		default:
			exit(2);
		}
	}
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* In milliseconds: `percent` of a hundred took no longer. `took` is sorted. */
static double
percentile(const double *took, size_t n, unsigned percent)
{
	return took[(n - 1) * percent / 100] * 1e3;
}

/* Thousands of threads that mostly wait: each has a small stack, in which an answer has room. */
static void
run_all(struct lane *lanes, struct lane *sum)
{
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 << 10);
	for (unsigned i = 0; i < how.connections; i++) {
		if (pthread_create(&lanes[i].thread, &small, run, &lanes[i]) != 0)
			exit(1);
		if (how.rate > 0) /* slow clients come one after the other, and do not send in step */
			usleep(400);
	}
	for (unsigned i = 0; i < how.connections; i++) {
		pthread_join(lanes[i].thread, NULL);
		sum->good += lanes[i].good;
		sum->bad += lanes[i].bad;
		sum->refused += lanes[i].refused;
		sum->bytes += lanes[i].bytes;
	}
}

int
main(int argc, char **argv)
{
	struct lane *lanes, sum = { 0 };
	double start, took, *each;
	size_t n;

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	for (uint32_t i = 0, x = 1; i < HOT; i++) { /* bytes that look random, the same in every run */
		x = x * 1664525 + 1013904223;
		hot[i] = (char)(x >> 24);
	}
	make_whole();
	lanes = calloc(how.connections, sizeof *lanes);
	n = (size_t)how.connections * how.uploads;
	each = calloc(n + 1, sizeof *each);
	if (lanes == NULL || each == NULL || n == 0)
		return 1;
	for (unsigned i = 0; i < how.connections; i++)
		lanes[i].took = each + (size_t)i * how.uploads;
	start = now();
	run_all(lanes, &sum);
	took = now() - start;
	qsort(each, n, sizeof *each, by_size);
	printf("{\"bytes\":%llu,\"seconds\":%.4f,\"good\":%u,\"bad\":%u,\"refused\":%u,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
		(unsigned long long)sum.bytes, took, sum.good, sum.bad, sum.refused, percentile(each, n, 50),
		percentile(each, n, 99));
	free(each);
	free(lanes);
	return sum.bad > 0;
}
