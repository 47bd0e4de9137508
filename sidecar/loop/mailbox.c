// SPDX-License-Identifier: MIT
/* mailbox.c - see mailbox.h. A Treiber stack that posters push on and the owner takes whole; taking all at
 * once means that no node is ever popped alone, so there is no ABA. */
#include "loop/mailbox.h"

#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	_Alignas(64) _Atomic(struct mail *) head; /* newest first */
	_Alignas(64) _Atomic bool asleep;         /* the owner is, or is about to be, in epoll_wait */
	int fd;
};

static _Thread_local const struct mailbox *mine;

struct mailbox *
mailbox_new(struct error *err)
{
	struct mailbox *box = mem_aligned(64, sizeof *box);

	if (box == NULL) {
		error_nomem(err);
		return NULL;
	}
	atomic_init(&box->head, NULL);
	atomic_init(&box->asleep, false);
	box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (box->fd < 0) {
		error_set(err, ERR_SYSTEM, "eventfd: %s", strerror(errno));
		mem_free(box);
		return NULL;
	}
	return box;
}

void
mailbox_free(struct mailbox *box)
{
	if (box == NULL)
		return;
	must(atomic_load_explicit(&box->head, memory_order_relaxed) == NULL);
	if (mine == box)
		mine = NULL;
	close(box->fd);
	mem_free(box);
}

int
mailbox_fd(const struct mailbox *box)
{
	return box->fd;
}

void
mail_init(struct mail *mail, void (*deliver)(struct mail *, unsigned))
{
	mail->next = NULL;
	atomic_init(&mail->bits, 0);
	mail->deliver = deliver;
}

static void
push(struct mailbox *box, struct mail *mail)
{
	struct mail *head = atomic_load_explicit(&box->head, memory_order_relaxed);

	do
		mail->next = head;
	/* seq_cst: publishes mail->next (pairs with the acquire exchange in mailbox_deliver()), and stands in one
	 * order with wake()'s look at `asleep` (pairs with mailbox_sleep_begin()) */
	while (!atomic_compare_exchange_weak_explicit(
		&box->head, &head, mail, memory_order_seq_cst, memory_order_relaxed));
}

static void
wake(struct mailbox *box)
{
	uint64_t one = 1;

	/* Our push, then this look at `asleep`; the owner writes `asleep`, then looks at the list
	 * (mailbox_sleep_begin). All four are seq_cst, so at least one of the two sees the other. */
	if (!atomic_load_explicit(&box->asleep, memory_order_seq_cst))
		return;
	if (!atomic_exchange_explicit(&box->asleep, false, memory_order_relaxed))
		return; /* another poster writes */
	while (write(box->fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void
mailbox_post(struct mailbox *box, struct mail *mail, unsigned bits)
{
	/* acq_rel: what we wrote before is visible to whoever takes the bits (exchange in mailbox_deliver());
	 * and if the mail is free again, what the owner did with it before is visible to us before we reuse
	 * mail->next. */
	unsigned before = atomic_fetch_or_explicit(&mail->bits, bits, memory_order_acq_rel);

	must(bits != 0);
	if (before != 0)
		return; /* queued already */
	push(box, mail);
	if (mine != box)
		wake(box);
}

void
mailbox_own(struct mailbox *box)
{
	mine = box;
}

bool
mailbox_is_mine(const struct mailbox *box)
{
	return mine == box;
}

static struct mail *
reverse(struct mail *list)
{
	struct mail *oldest = NULL;

	while (list != NULL) {
		struct mail *next = list->next;

		list->next = oldest;
		oldest = list;
		list = next;
	}
	return oldest;
}

unsigned
mailbox_deliver(struct mailbox *box)
{
	/* acquire: pairs with the release in push() */
	struct mail *list = reverse(atomic_exchange_explicit(&box->head, NULL, memory_order_acquire));
	unsigned n = 0;

	while (list != NULL) {
		struct mail *mail = list;
		unsigned bits;

		list = mail->next; /* before the bits are taken: from then on the mail may be queued again, or freed */
		bits = atomic_exchange_explicit(
			&mail->bits, 0, memory_order_acq_rel); /* pairs with mailbox_post() */
		mail->deliver(mail, bits);
		n++;
	}
	return n;
}

bool
mailbox_sleep_begin(struct mailbox *box)
{
	atomic_store_explicit(&box->asleep, true, memory_order_seq_cst); /* both pair with push() and wake() */
	if (atomic_load_explicit(&box->head, memory_order_seq_cst) == NULL)
		return true;
	atomic_store_explicit(&box->asleep, false, memory_order_relaxed);
	return false;
}

void
mailbox_sleep_end(struct mailbox *box)
{
	atomic_store_explicit(&box->asleep, false, memory_order_relaxed);
}

/* A poster may write only after the sleep that he wanted to end: then the next sleep ends early, once. */
void
mailbox_empty_fd(struct mailbox *box)
{
	uint64_t count;

	while (read(box->fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}
