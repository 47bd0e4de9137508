// SPDX-License-Identifier: MIT
/* test_sink.c - the print server in a child process, asked over loopback; what it prints comes through a pipe. */
#include "http/sink_server.h"

#include "lib/check.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 30 /* an alarm, never waited for */
#define LOTS 40    /* requests at once */

#define SHA_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA_NONE "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct server {
	pid_t pid;
	FILE *out;
	unsigned port;
};

static struct server
start(struct sink_options options)
{
	struct server server = { 0 };
	struct error err = { 0 };
	char line[200];
	int ends[2];

	alarm(SECONDS);
	assert_int_equal(pipe(ends), 0);
	server.pid = fork();
	assert_true(server.pid >= 0);
	if (server.pid == 0) {
		alarm(SECONDS);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		_exit(sink_run(&options, &err) ? 0 : 1);
	}
	close(ends[1]);
	server.out = fdopen(ends[0], "r");
	assert_non_null(fgets(line, sizeof line, server.out));
	assert_int_equal(sscanf(line, "penstock sink: listening on http://127.0.0.1:%u\n", &server.port), 1);
	return server;
}

static void
stop(struct server *server)
{
	int status;

	kill(server->pid, SIGTERM);
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	fclose(server->out);
}

static int
dial(const struct server *server)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)server->port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static unsigned
answer(int fd)
{
	char text[2000] = "";
	size_t n = 0;

	while (strstr(text, "\r\n\r\n") == NULL) {
		ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);

		assert_true(got > 0);
		n += (size_t)got;
		text[n] = '\0';
	}
	return (unsigned)strtoul(text + strlen("HTTP/1.1 "), NULL, 10);
}

static unsigned
ask(const struct server *server, const char *text)
{
	int fd = dial(server);
	unsigned status;

	say(fd, text);
	status = answer(fd);
	close(fd);
	return status;
}

/* Up to the empty line that ends a block. */
static char *
next_block(struct server *server)
{
	static char block[4000];
	size_t n = 0;

	while (fgets(block + n, (int)(sizeof block - n), server->out) != NULL && strcmp(block + n, "\n") != 0)
		n += strlen(block + n);
	block[n] = '\0';
	return block;
}

static void
any_method_and_framing_is_printed_as_it_came(void **state)
{
	static const struct {
		const char *request, *block;
	} rows[] = {
		{ "PUT /a%20b/%zz?x=%41+ HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\nabc",
			"PUT /a%20b/%zz?x=%41+\nHost: h\nX-A: 1\nx-a: 2\nContent-Length: 3\n3 bytes sha256 " SHA_ABC
			"\n" },
		{ "BREW /pot HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
			"BREW /pot\nHost: h\nTransfer-Encoding: chunked\n3 bytes sha256 " SHA_ABC "\n" },
		{ "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
			"POST /\nContent-Length: 3\n3 bytes sha256 " SHA_ABC "\n" },
		{ "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /\nHost: h\n0 bytes sha256 " SHA_NONE "\n" },
	};
	struct server server = start((struct sink_options){ 0 });

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(ask(&server, rows[i].request), 200);
		assert_string_equal(next_block(&server), rows[i].block);
	}
	stop(&server);
}

static void
the_body_is_printed_if_wanted_and_the_status_is_free(void **state)
{
	struct server server = start((struct sink_options){ .print_body = true, .status = 507 });

	(void)state;
	assert_int_equal(ask(&server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"), 507);
	assert_string_equal(
		next_block(&server), "POST /\nHost: h\nContent-Length: 3\n3 bytes sha256 " SHA_ABC "\nabc\n");
	stop(&server);
}

static void
a_body_that_ends_early_is_told_so(void **state)
{
	struct server server = start((struct sink_options){ 0 });
	int fd = dial(&server);

	(void)state;
	say(fd, "POST /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
	shutdown(fd, SHUT_WR);
	assert_string_equal(
		next_block(&server), "POST /cut\nHost: h\nContent-Length: 10\nended early after 3 bytes\n");
	close(fd);
	fd = dial(&server);
	say(fd, "POST /cut HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	close(fd);
	assert_string_equal(
		next_block(&server), "POST /cut\nHost: h\nTransfer-Encoding: chunked\nended early after 3 bytes\n");
	stop(&server);
}

static void
requests_at_once_print_whole_blocks(void **state)
{
	struct server server = start((struct sink_options){ 0 });
	bool seen[LOTS] = { false };
	int fds[LOTS];
	char text[200], want[300];

	(void)state;
	for (int i = 0; i < LOTS; i++) {
		fds[i] = dial(&server);
		snprintf(text, sizeof text,
			"POST /%d HTTP/1.1\r\nHost: h\r\nX-N: %d\r\nContent-Length: 3\r\n\r\nab", i, i);
		say(fds[i], text);
	}
	for (int i = 0; i < LOTS; i++)
		say(fds[i], "c");
	for (int i = 0; i < LOTS; i++) {
		unsigned n = LOTS;
		const char *block = next_block(&server);

		assert_int_equal(sscanf(block, "POST /%u\n", &n), 1);
		assert_true(n < LOTS && !seen[n]);
		seen[n] = true;
		snprintf(want, sizeof want,
			"POST /%u\nHost: h\nX-N: %u\nContent-Length: 3\n3 bytes sha256 " SHA_ABC "\n", n, n);
		assert_string_equal(block, want);
	}
	for (int i = 0; i < LOTS; i++) {
		assert_int_equal(answer(fds[i]), 200);
		close(fds[i]);
	}
	stop(&server);
}

static void
discarding_prints_nothing_and_answers(void **state)
{
	struct server server = start((struct sink_options){ .discard = true, .status = 201 });

	(void)state;
	assert_int_equal(ask(&server, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"), 201);
	kill(server.pid, SIGTERM);
	assert_int_equal(fgetc(server.out), EOF);
	stop(&server);
}

static void
a_port_that_is_taken_is_an_error(void **state)
{
	struct server server = start((struct sink_options){ 0 });
	struct sink_options same = { .port = (uint16_t)server.port };
	struct error err = { 0 };

	(void)state;
	assert_false(sink_run(&same, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_method_and_framing_is_printed_as_it_came),
		cmocka_unit_test(the_body_is_printed_if_wanted_and_the_status_is_free),
		cmocka_unit_test(a_body_that_ends_early_is_told_so),
		cmocka_unit_test(requests_at_once_print_whole_blocks),
		cmocka_unit_test(discarding_prints_nothing_and_answers),
		cmocka_unit_test(a_port_that_is_taken_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
