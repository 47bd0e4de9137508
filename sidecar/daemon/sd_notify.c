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

#define SEND_SECONDS 2 /* longest wait for a manager that does not read */

struct sd_notify {
	struct loop *loop;
	int fd; /* -1: there is no manager to tell */
	struct sockaddr_un to;
	socklen_t to_len;
	uint64_t every_ms; /* 0: no watchdog */
	struct timer due;
	struct watchdog *watchdog; /* NULL: no watchdog */
	bool was_good;
};

/* -- sending --------------------------------------------------------------------------------------- */

/* An absolute path, or '@' and an abstract name. */
static bool
read_address(struct sd_notify *sd_notify, const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	if (len < 2 || len >= sizeof sd_notify->to.sun_path || (name[0] != '/' && name[0] != '@'))
		return false;
	sd_notify->to.sun_family = AF_UNIX;
	memcpy(sd_notify->to.sun_path, name, len + 1);
	if (name[0] == '@')
		sd_notify->to.sun_path[0] = '\0';
	sd_notify->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
	return true;
}

static void
open_socket(struct sd_notify *sd_notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct timeval patience = { .tv_sec = SEND_SECONDS };

	if (name == NULL || name[0] == '\0')
		return;
	if (!read_address(sd_notify, name)) {
		log_event(LOG_WARN, "daemon", "NOTIFY_SOCKET is no unix socket: nobody is told", NULL, 0);
		return;
	}
	sd_notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sd_notify->fd >= 0)
		setsockopt(sd_notify->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static void
send_text(struct sd_notify *sd_notify, const struct buf *text)
{
	if (text->failed)
		return;
	if (sendto(sd_notify->fd, text->data, text->len, MSG_NOSIGNAL, (const struct sockaddr *)&sd_notify->to,
		    sd_notify->to_len) < 0)
		log_line(
			LOG_WARN, "daemon", "cannot tell the service manager", LOG_TEXTVAL("why", strerror(errno)));
}

static void
tell(struct sd_notify *sd_notify, const char *what, const char *status)
{
	struct buf text = { 0 };

	if (sd_notify == NULL || sd_notify->fd < 0)
		return;
	buf_addf(&text, "%s\n", what);
	if (status != NULL)
		buf_addf(&text, "STATUS=%s\n", status);
	send_text(sd_notify, &text);
	buf_free(&text);
}

void
sd_notify_ready(struct sd_notify *sd_notify, const char *status)
{
	tell(sd_notify, "READY=1", status);
}

void
sd_notify_stopping(struct sd_notify *sd_notify, const char *status)
{
	tell(sd_notify, "STOPPING=1", status);
}

/* The time lets the manager tell this reload's READY=1 from one that it has missed. */
void
sd_notify_reloading(struct sd_notify *sd_notify)
{
	struct timespec now;
	char what[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(what, sizeof what, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	tell(sd_notify, what, "reading the route files again");
}

/* -- the watchdog ---------------------------------------------------------------------------------- */

/* $WATCHDOG_PID may be this process, or may not be set, which means any process. */
static void
read_watchdog(struct sd_notify *sd_notify)
{
	uint64_t usec = 0, pid = 0;
	const char *pid_text = getenv("WATCHDOG_PID");

	if (sd_notify->fd < 0 || !str_to_u64(str_of(getenv("WATCHDOG_USEC")), &usec) || usec == 0)
		return;
	if (pid_text != NULL && (!str_to_u64(str_of(pid_text), &pid) || pid != (uint64_t)getpid()))
		return;
	sd_notify->every_ms = usec / 2000 > 0 ? usec / 2000 : 1;
}

static void
on_due(struct timer *timer)
{
	struct sd_notify *sd_notify = container_of(timer, struct sd_notify, due);
	struct buf why = { 0 };
	bool good = watchdog_is_good(sd_notify->watchdog, &why);

	if (good)
		tell(sd_notify, "WATCHDOG=1", NULL);
	else if (sd_notify->was_good)
		log_line(LOG_ERROR, "daemon", "the watchdog is told nothing", LOG_STR("why", buf_str(&why)));
	sd_notify->was_good = good;
	buf_free(&why);
	loop_set_timer(sd_notify->loop, timer, clock_after(loop_now_ms(sd_notify->loop), sd_notify->every_ms));
}

static bool
start_watchdog(struct sd_notify *sd_notify, const struct watchdog_target *targets, size_t n, struct error *err)
{
	sd_notify->watchdog = watchdog_new(sd_notify->loop, targets, n, err);
	if (sd_notify->watchdog == NULL)
		return false;
	sd_notify->due.fire = on_due;
	if (!loop_set_timer(sd_notify->loop, &sd_notify->due, loop_now_ms(sd_notify->loop)))
		return error_nomem(err);
	return true;
}

/* -- begin and end --------------------------------------------------------------------------------- */

struct sd_notify *
sd_notify_new(struct loop *loop, const struct watchdog_target *targets, size_t n, struct error *err)
{
	struct sd_notify *sd_notify = mem_zalloc(sizeof *sd_notify);

	if (sd_notify == NULL) {
		error_nomem(err);
		return NULL;
	}
	sd_notify->loop = loop;
	sd_notify->fd = -1;
	sd_notify->was_good = true;
	open_socket(sd_notify);
	read_watchdog(sd_notify);
	if (sd_notify->every_ms == 0 || start_watchdog(sd_notify, targets, n, err))
		return sd_notify;
	sd_notify_stop(sd_notify);
	sd_notify_free(sd_notify);
	return NULL;
}

void
sd_notify_stop(struct sd_notify *sd_notify)
{
	if (sd_notify == NULL)
		return;
	loop_clear_timer(sd_notify->loop, &sd_notify->due);
	if (sd_notify->watchdog != NULL)
		watchdog_stop(sd_notify->watchdog);
}

void
sd_notify_free(struct sd_notify *sd_notify)
{
	if (sd_notify == NULL)
		return;
	watchdog_free(sd_notify->watchdog);
	if (sd_notify->fd >= 0)
		close(sd_notify->fd);
	mem_free(sd_notify);
}
