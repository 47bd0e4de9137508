// SPDX-License-Identifier: MIT
/* shim.c - LD_PRELOAD: makes the n-th call of one kind fail, once or ever after.
 *
 * The file named by FAULT_CONTROL is mapped and shared with the test, which arms a fault by writing kind, number and
 * errno, then uploads something and reads how many calls there were. Kinds are bits; see the table in fault.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
	ALLOCATE = 1 << 0,
	WRITE = 1 << 1, /* of a regular file */
	FSYNC = 1 << 2,
	RENAME = 1 << 3,
	OPEN = 1 << 4,
	ACCEPT = 1 << 5,
	EPOLL = 1 << 6,
	RECEIVE = 1 << 7,
	SEND = 1 << 8,
	SOCKET = 1 << 9,
	CONNECT = 1 << 10,
	MKDIR = 1 << 11,
	FSYNC_FOLDER = 1 << 12,
	NO_FLAGS = 1 << 13, /* renames with flags, on a file system that knows none, like NFS */
	LOCK = 1 << 14,
	NO_LINKS = 1 << 15,
};

struct control {
	_Atomic uint32_t kind, nth, error, seen, fired, ever; /* ever: those after the n-th fail too */
};

static struct control idle;
static struct control *control = &idle;

/* Whose allocations are made to fail: penstock's own, libmicrohttpd's and jansson's. libcurl 7.88 is left out: when
 * memory for its socket table is missing it divides by zero or waits for ever. */
#define RANGES_MAX 4
static struct {
	uintptr_t from, to;
} ranges[RANGES_MAX];
static size_t n_ranges;

static int
add_range(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *name = info->dlpi_name;

	(void)size;
	(void)arg;
	if (name[0] != '\0' && strstr(name, "libmicrohttpd") == NULL && strstr(name, "libjansson") == NULL)
		return 0;
	for (int i = 0; i < info->dlpi_phnum && n_ranges < RANGES_MAX; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
			ranges[n_ranges].from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			ranges[n_ranges].to = ranges[n_ranges].from + info->dlpi_phdr[i].p_memsz;
			n_ranges++;
		}
	return 0;
}

static bool
is_ours(const void *caller)
{
	for (size_t i = 0; i < n_ranges; i++)
		if ((uintptr_t)caller >= ranges[i].from && (uintptr_t)caller < ranges[i].to)
			return true;
	return false;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("FAULT_CONTROL");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd >= 0 ? mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	dl_iterate_phdr(add_range, NULL);
	if (map != MAP_FAILED)
		control = map;
	if (fd >= 0)
		close(fd);
}

/* errno is set if this call is to fail. */
static bool
fails(enum kind kind)
{
	uint32_t n;

	if (!(atomic_load(&control->kind) & kind))
		return false;
	n = atomic_fetch_add(&control->seen, 1) + 1;
	if (n != control->nth && (!control->ever || n < control->nth))
		return false;
	atomic_store(&control->fired, 1);
	errno = (int)control->error;
	return true;
}

#define NO_MEMORY() (is_ours(__builtin_return_address(0)) && fails(ALLOCATE))
#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

/* -- memory: glibc's own names, because dlsym() allocates ------------------------------------------------ */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *
malloc(size_t size)
{
	return NO_MEMORY() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return NO_MEMORY() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return size > 0 && NO_MEMORY() ? NULL : __libc_realloc(p, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	return NO_MEMORY() ? NULL : __libc_memalign(alignment, size);
}

/* -- files ------------------------------------------------------------------------------------------------ */

static bool
is_kind(int fd, mode_t kind)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

ssize_t
write(int fd, const void *data, size_t len)
{
	if ((atomic_load(&control->kind) & WRITE) && is_kind(fd, S_IFREG) && fails(WRITE))
		return -1;
	return REAL(ssize_t, write, int, const void *, size_t)(fd, data, len);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	return fails(WRITE) ? -1 : REAL(ssize_t, pwrite, int, const void *, size_t, off_t)(fd, data, len, at);
}

int
fdatasync(int fd)
{
	return fails(FSYNC) ? -1 : REAL(int, fdatasync, int)(fd);
}

int
fsync(int fd)
{
	if (is_kind(fd, S_IFDIR) ? fails(FSYNC_FOLDER) : fails(FSYNC))
		return -1;
	return REAL(int, fsync, int)(fd);
}

int
flock(int fd, int how)
{
	if (how != LOCK_UN && fails(LOCK))
		return -1;
	return REAL(int, flock, int, int)(fd, how);
}

int
linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
	if (fails(NO_LINKS)) {
		errno = EPERM; /* what Linux says for a file system without links */
		return -1;
	}
	return REAL(int, linkat, int, const char *, int, const char *, int)(from_at, from, to_at, to, flags);
}

int
renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	if (fails(RENAME) || (flags != 0 && fails(NO_FLAGS)))
		return -1;
	return REAL(int, renameat2, int, const char *, int, const char *, unsigned)(
		from_at, from, to_at, to, flags);
}

int
renameat(int from_at, const char *from, int to_at, const char *to)
{
	return fails(RENAME) ? -1
			     : REAL(int, renameat, int, const char *, int, const char *)(from_at, from, to_at, to);
}

int
openat(int at, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (fails(OPEN))
		return -1;
	return REAL(int, openat, int, const char *, int, ...)(at, path, flags, mode);
}

int
mkdirat(int at, const char *path, mode_t mode)
{
	return fails(MKDIR) ? -1 : REAL(int, mkdirat, int, const char *, mode_t)(at, path, mode);
}

/* -- sockets ---------------------------------------------------------------------------------------------- */

int
accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	if (fails(ACCEPT))
		return -1;
	return REAL(int, accept4, int, struct sockaddr *, socklen_t *, int)(fd, addr, len, flags);
}

int
epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
	if (op != EPOLL_CTL_DEL && fails(EPOLL))
		return -1;
	return REAL(int, epoll_ctl, int, int, int, struct epoll_event *)(set, op, fd, event);
}

ssize_t
recv(int fd, void *data, size_t len, int flags)
{
	return fails(RECEIVE) ? -1 : REAL(ssize_t, recv, int, void *, size_t, int)(fd, data, len, flags);
}

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	return fails(SEND) ? -1 : REAL(ssize_t, send, int, const void *, size_t, int)(fd, data, len, flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	return fails(SEND) ? -1 : REAL(ssize_t, sendmsg, int, const struct msghdr *, int)(fd, message, flags);
}

int
socket(int domain, int type, int protocol)
{
	return fails(SOCKET) ? -1 : REAL(int, socket, int, int, int)(domain, type, protocol);
}

int
connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return fails(CONNECT) ? -1 : REAL(int, connect, int, const struct sockaddr *, socklen_t)(fd, addr, len);
}
