// SPDX-License-Identifier: MIT
/* sd_notify.c - see sd_notify.h. A message that cannot be sent is dropped: the manager has its own time-outs. */
#include "daemon/sd_notify.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SEND_SECONDS 2 /* a manager that does not read is not waited for longer */

struct herald {
	struct loop *loop;
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_len;
	uint64_t every_ms; /* 0: no watchdog */
	struct timer due;
	struct pulse *pulse; /* NULL: no watchdog */
	bool was_good;
};

/* -- sending --------------------------------------------------------------------------------------- */

/* An absolute path, or '@' and an abstract name. */
static bool
read_address(struct herald *herald, const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	if (len < 2 || len >= sizeof herald->to.sun_path || (name[0] != '/' && name[0] != '@'))
		return false;
	herald->to.sun_family = AF_UNIX;
	memcpy(herald->to.sun_path, name, len + 1);
	if (name[0] == '@')
		herald->to.sun_path[0] = '\0';
	herald->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
	return true;
}

static void
open_socket(struct herald *herald)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct timeval patience = { .tv_sec = SEND_SECONDS };

	if (name == NULL || name[0] == '\0')
		return;
	if (!read_address(herald, name)) {
		log_event(LOG_WARN, "ops", "NOTIFY_SOCKET is no unix socket: nobody is told", NULL, 0);
		return;
	}
	herald->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (herald->fd >= 0)
		setsockopt(herald->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static void
send_text(struct herald *herald, const struct buf *text)
{
	if (text->failed)
		return;
	if (sendto(herald->fd, text->data, text->len, MSG_NOSIGNAL, (const struct sockaddr *)&herald->to,
		    herald->to_len) < 0)
		log_line(LOG_WARN, "ops", "cannot tell the service manager", LOG_TEXTVAL("why", strerror(errno)));
}

static void
tell(struct herald *herald, const char *what, const char *status)
{
	struct buf text = { 0 };

	if (herald == NULL || herald->fd < 0)
		return;
	buf_addf(&text, "%s\n", what);
	if (status != NULL)
		buf_addf(&text, "STATUS=%s\n", status);
	send_text(herald, &text);
	buf_free(&text);
}

void
herald_ready(struct herald *herald, const char *status)
{
	tell(herald, "READY=1", status);
}

void
herald_stopping(struct herald *herald, const char *status)
{
	tell(herald, "STOPPING=1", status);
}

/* The time lets the manager tell this reload's READY=1 from one that it has missed. */
void
herald_reloading(struct herald *herald)
{
	struct timespec now;
	char what[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(what, sizeof what, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	tell(herald, what, "reading the route files again");
}

/* -- the watchdog ---------------------------------------------------------------------------------- */

/* For this process, or for whichever asks. */
static void
read_watchdog(struct herald *herald)
{
	uint64_t usec = 0, pid = 0;
	const char *pid_text = getenv("WATCHDOG_PID");

	if (herald->fd < 0 || !str_to_u64(str_of(getenv("WATCHDOG_USEC")), &usec) || usec == 0)
		return;
	if (pid_text != NULL && (!str_to_u64(str_of(pid_text), &pid) || pid != (uint64_t)getpid()))
		return;
	herald->every_ms = usec / 2000 > 0 ? usec / 2000 : 1;
}

static void
on_due(struct timer *timer)
{
	struct herald *herald = container_of(timer, struct herald, due);
	struct buf why = { 0 };
	bool good = pulse_is_good(herald->pulse, &why);

	if (good)
		tell(herald, "WATCHDOG=1", NULL);
	else if (herald->was_good)
		log_line(LOG_ERROR, "ops", "the watchdog is told nothing", LOG_STR("why", buf_str(&why)));
	herald->was_good = good;
	buf_free(&why);
	loop_set_timer(herald->loop, timer, clock_after(loop_now_ms(herald->loop), herald->every_ms));
}

static bool
start_watchdog(struct herald *herald, const struct pulse_target *targets, size_t n, struct error *err)
{
	herald->pulse = pulse_new(herald->loop, targets, n, err);
	if (herald->pulse == NULL)
		return false;
	herald->due.fire = on_due;
	if (!loop_set_timer(herald->loop, &herald->due, loop_now_ms(herald->loop)))
		return error_nomem(err);
	return true;
}

/* -- begin and end --------------------------------------------------------------------------------- */

struct herald *
herald_new(struct loop *loop, const struct pulse_target *targets, size_t n, struct error *err)
{
	struct herald *herald = mem_zalloc(sizeof *herald);

	if (herald == NULL) {
		error_nomem(err);
		return NULL;
	}
	herald->loop = loop;
	herald->fd = -1;
	herald->was_good = true;
	open_socket(herald);
	read_watchdog(herald);
	if (herald->every_ms == 0 || start_watchdog(herald, targets, n, err))
		return herald;
	herald_stop(herald);
	herald_free(herald);
	return NULL;
}

void
herald_stop(struct herald *herald)
{
	if (herald == NULL)
		return;
	loop_clear_timer(herald->loop, &herald->due);
	if (herald->pulse != NULL)
		pulse_stop(herald->pulse);
}

void
herald_free(struct herald *herald)
{
	if (herald == NULL)
		return;
	pulse_free(herald->pulse);
	if (herald->fd >= 0)
		close(herald->fd);
	mem_free(herald);
}
