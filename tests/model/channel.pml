// SPDX-License-Identifier: MIT
/* channel.pml - loop/mailbox.c and channel/channel.c with both of their users, for spin. README.md says how it is run.
 *
 * One producer (a part, with the client's connection) and one consumer (a transfer). Process 0 is the loop of
 * the producer; process 1 the loop of the consumer, unless -DSAME puts both on process 0, where the producer
 * pumps the consumer. Each access to something shared is a step of its own, in the order of the C code.
 *
 * Whoever is blocked for ever with work left is an invalid end state: a lost wake-up. What may happen to a
 * loop from outside (client, upstream) is limited to what needs no wake-up; whether a side may abort is drawn
 * at the start, so that an abort never hides a wake-up that was lost.
 *
 * -DMUTATE_x breaks one thing each; run.sh checks that spin sees it. */

#ifndef N_CHUNKS
#define N_CHUNKS 3
#endif
#ifndef SLOTS
#define SLOTS 2
#endif

/* the mails, and whose they are */
#define ORDERS 0
#define NEWS 1
#define PRODUCER_LOOP 0
#ifdef SAME
#define CONSUMER_LOOP 0
#define N_LOOPS 1
#else
#define CONSUMER_LOOP 1
#define N_LOOPS 2
#endif
#define box_of(m) (m == ORDERS -> CONSUMER_LOOP : PRODUCER_LOOP)

/* orders */
#define START 1
#define DATA 2
#define FINISH 4
#define COMMIT 8
#define CANCEL 16
#define UNDO 32
#define CLOSE 64
/* news */
#define SPACE 1
#define PREPARED 2
#define ENDED 4
#define UNDONE 8

/* -- shared ------------------------------------------------------------------------------------------- */

/* mailboxes */
chan list[N_LOOPS] = [2] of { bit }; /* queued mails, oldest first */
byte bits[2];
bool asleep[N_LOOPS], eventfd[N_LOOPS];

/* the channel */
byte ring[SLOTS];
byte head, tail;
bool finished, hungry;
byte wanted; /* room that the producer waits for */
bool channel_freed;

/* the order and its outcome, which the producer lends to the consumer until ENDED, and from UNDO until UNDONE */
bool lent, order_freed, outcome_committed;

/* for the claims only */
byte chunks_out, n_ended, n_undo, n_undone, n_close;

/* -- the producer's own ------------------------------------------------------------------------------- */

mtype = { STREAMING, SENDING, COMMITTING, CANCELLING, UNDOING, CLOSED };
mtype part = STREAMING;
byte pushed, need;
bool suspended, may_cancel;

/* -- the consumer's own ------------------------------------------------------------------------------- */

mtype = { READY, RUNNING, HELD, OVER, FREED };
mtype transfer = READY;
byte popped;
bool paused, committed, may_fail;

#define channel_alive assert(!channel_freed)
#define is_running (transfer == RUNNING && !paused)

/* -- mailbox.c ---------------------------------------------------------------------------------------- */

/* Scratch of each process: before, won, was_asleep. */
inline post(m, b)
{
	atomic { channel_alive; before = bits[m]; bits[m] = bits[m] | (b) }
	if
	:: before != 0 /* queued already */
	:: else ->
#ifdef MUTATE_LOOK_FIRST
		was_asleep = asleep[box_of(m)];
#endif
		atomic { channel_alive; list[box_of(m)]!m } /* after this the mail may be gone */
		if
		:: box_of(m) == me
		:: else ->
#ifndef MUTATE_LOOK_FIRST
			was_asleep = asleep[box_of(m)];
#endif
			if
			:: was_asleep ->
				atomic { won = asleep[box_of(m)]; asleep[box_of(m)] = false }
				if
				:: won -> eventfd[box_of(m)] = true
				:: else
				fi
			:: else
			fi
		fi
	fi;
	atomic { before = 0; won = false; was_asleep = false }
}

/* -- channel.c, producer ------------------------------------------------------------------------------ */

#define room (SLOTS - (tail - head))

inline want_space(n) /* -> ok */
{
	atomic { channel_alive; ok = (room >= n) }
	if
	:: ok
	:: else ->
		wanted = n;
#ifndef MUTATE_SPACE
		atomic { channel_alive; ok = (room >= n) }
		if
		:: ok -> wanted = 0
		:: else
		fi
#endif
	fi
}

inline push()
{
	atomic {
		channel_alive;
		assert(room > 0);
		ring[tail % SLOTS] = pushed + 1;
		pushed++;
		chunks_out++
	}
	tail++
}

inline take_hunger() /* -> ok */
{
	atomic { channel_alive; ok = hungry }
	if
	:: ok -> atomic { ok = hungry; hungry = false }
	:: else
	fi
}

/* -- channel.c, consumer ------------------------------------------------------------------------------ */

inline tell_space()
{
	atomic {
		channel_alive;
		seen = wanted;
		ok = (seen != 0 && room >= seen);
		seen = 0
	}
	if
	:: ok ->
		atomic { ok = (wanted != 0); wanted = 0 }
		if
		:: ok -> post(NEWS, SPACE)
		:: else
		fi
	:: else
	fi
}

/* Takes a chunk and gives it back to the pool. -> got */
inline take()
{
	atomic {
		channel_alive;
		got = (head != tail);
		if
		:: got ->
			assert(ring[head % SLOTS] == popped + 1); /* in order, none lost, none twice */
			popped++;
			ring[head % SLOTS] = 0;
			chunks_out--
		:: else
		fi
	}
	if
	:: got -> head++
	:: else
	fi
}

inline want_data() /* -> ok: marked, so wait */
{
	atomic { channel_alive; ok = (head == tail) }
	if
	:: ok -> ok = !finished
	:: else
	fi;
	if
	:: ok ->
		hungry = true;
#ifndef MUTATE_DATA
		atomic { channel_alive; ok = (head == tail) }
		if
		:: ok -> ok = !finished
		:: else
		fi;
		if
		:: ok
		:: else -> hungry = false
		fi
#endif
	:: else
	fi
}

inline free_channel()
{
	do
	:: take();
#ifdef MUTATE_FREE_TELLS
		if
		:: got -> tell_space()
		:: else
		fi;
#endif
		if
		:: got
		:: else -> break
		fi
	od;
	atomic {
		/* no mail of the channel may be under way, or the mailbox would touch freed memory */
		assert(bits[NEWS] == 0);
		assert(bits[ORDERS] == 0);
		channel_freed = true
	}
}

/* -- the consumer: a transfer ------------------------------------------------------------------------- */

inline end_transfer(success)
{
	atomic {
		assert(transfer != OVER && transfer != FREED);
		assert(lent && !order_freed);
		outcome_committed = success;
		lent = false;
		transfer = OVER;
		n_ended++;
		assert(n_ended == 1)
	}
	post(NEWS, ENDED)
}

/* The read callback, until it pauses, holds, or yields (the socket is full: writable comes from outside). */
inline send()
{
	do
	:: was_finished = finished;
		take();
		if
		:: got ->
			tell_space();
			if
			:: skip
			:: break
			:: post(ORDERS, DATA); break /* "go on later", as the disk thread does */
			fi
		:: !got && was_finished ->
			assert(popped == pushed);
			if
			:: committed -> end_transfer(true)
			:: else -> transfer = HELD; post(NEWS, PREPARED)
			fi;
			break
		:: else ->
			want_data();
			if
			:: ok -> paused = true; break
			:: else
			fi
		fi
	od;
	atomic { was_finished = false; got = false; ok = false }
}

inline resume_transfer()
{
	if
	:: transfer == RUNNING -> paused = false; send()
	:: else
	fi
}

inline on_orders(b)
{
	if
	:: (b & COMMIT) -> committed = true
	:: else
	fi;
	if
	:: (b & CANCEL) && transfer != OVER ->
		assert((b & (CLOSE | UNDO)) == 0);
		end_transfer(false)
	:: else ->
		if
		:: (b & START) && transfer == READY -> transfer = RUNNING; send()
		:: (b & COMMIT) && transfer == HELD -> end_transfer(true)
		:: (b & (DATA | FINISH)) && transfer == RUNNING -> resume_transfer()
		:: else
		fi;
		if
		:: (b & UNDO) ->
			atomic { assert(lent && !order_freed); assert(transfer == OVER); lent = false; n_undone++ }
			post(NEWS, UNDONE)
		:: else
		fi;
		if
		:: (b & CLOSE) ->
			assert(transfer == OVER);
			free_channel();
			transfer = FREED
		:: else
		fi
	fi
}

/* -- the producer: a part and its connection ---------------------------------------------------------- */

inline pump()
{
	take_hunger();
	if
	:: ok ->
#ifdef SAME
		resume_transfer()
#else
		post(ORDERS, DATA)
#endif
	:: else
	fi
}

inline suspend()
{
	atomic { assert(!suspended); suspended = true }
}

inline resume()
{
	atomic { assert(suspended); suspended = false }
}

/* A piece of the client's body: there is room for it, and after it the connection is suspended if there would not
 * be for the next. The client may also be done before all chunks were used. */
inline on_piece()
{
	if
	:: pushed < N_CHUNKS ->
		push();
		if
		:: need == 2 && pushed < N_CHUNKS -> push()
		:: else
		fi;
		pump();
		if
		:: need = 1
		:: need = SLOTS
		fi;
		if
		:: pushed < N_CHUNKS ->
			want_space(need);
			if
			:: ok
			:: else -> suspend()
			fi
		:: else -> need = 0
		fi
	:: true -> /* the end of the part; with the commit in it, or not */
		if
		:: atomic { part = SENDING; finished = true } post(ORDERS, FINISH)
		:: atomic { part = COMMITTING; finished = true } post(ORDERS, FINISH | COMMIT)
		fi
	fi;
	ok = false
}

inline cancel()
{
	atomic {
		may_cancel = false;
		if
		:: part == UNDOING /* only asks for UNDONE to come soon */
		:: else -> part = CANCELLING
		fi
	}
	post(ORDERS, CANCEL);
#ifdef MUTATE_CLOSE
	close()
#endif
}

inline close()
{
	/* what was lent is freed right after */
	atomic { n_close++; assert(n_close == 1); part = CLOSED }
	post(ORDERS, CLOSE);
	order_freed = true
}

inline on_news(b)
{
	if
	:: (b & UNDONE) -> assert(part == UNDOING); close()
	:: (b & ENDED) ->
		assert(part != UNDOING && part != CLOSED);
		assert(!lent);
		if
		:: suspended -> resume()
		:: else
		fi;
		if
		:: outcome_committed ->
			atomic { part = UNDOING; lent = true; n_undo++ }
			post(ORDERS, UNDO)
		:: close()
		fi
	:: else ->
		if
		:: (b & PREPARED) && part == SENDING -> part = COMMITTING; post(ORDERS, COMMIT)
		:: else
		fi;
		if
#ifdef MUTATE_RESUME
		:: (b & SPACE) && part == STREAMING ->
#else
		:: (b & SPACE) && part == STREAMING && suspended -> /* it may come for nothing */
#endif
			want_space(need);
			if
			:: ok -> resume()
			:: else
			fi
		:: else
		fi
	fi;
	ok = false
}

/* -- loop.c ------------------------------------------------------------------------------------------- */

#define runs_producer (me == PRODUCER_LOOP)
#define runs_consumer (me == CONSUMER_LOOP)
#define can_read (runs_producer && part == STREAMING && !suspended)
#define can_cancel (runs_producer && may_cancel && (part == STREAMING || part == SENDING || part == COMMITTING || part == UNDOING))
#define can_write (runs_consumer && is_running)
#define can_fail (runs_consumer && may_fail && (transfer == RUNNING || transfer == HELD))
#define something_outside (can_read || can_cancel || can_write || can_fail)
#define is_done ((!runs_producer || part == CLOSED) && (!runs_consumer || transfer == FREED))

inline outside()
{
	if
	:: can_read -> on_piece()
	:: can_cancel -> cancel()
	:: can_write -> send()
	:: can_fail -> may_fail = false; end_transfer(false)
	:: len(list[me]) > 0 /* not now */
	:: else
	fi
}

inline deliver()
{
	todo = len(list[me]); /* the whole list at once: what comes later waits for the next turn */
	do
	:: todo > 0 ->
		atomic { list[me]?mail; channel_alive; b = bits[mail]; bits[mail] = 0 }
		if
		:: mail == ORDERS -> on_orders(b)
		:: mail == NEWS -> on_news(b)
		fi;
		atomic { b = 0; mail = 0; todo-- }
	:: else -> break
	od
}

inline sleep()
{
	if
	:: something_outside /* ready already */
	:: else ->
		asleep[me] = true;
		if
#ifndef MUTATE_SLEEP
		:: nempty(list[me]) -> asleep[me] = false
		:: empty(list[me]) ->
#else
		:: true ->
#endif
			eventfd[me] || something_outside; /* epoll_wait */
			asleep[me] = false
		fi
	fi;
	eventfd[me] = false
}

proctype loop(bit me)
{
	byte before, b, seen, todo;
	bit mail;
	bool won, was_asleep, ok, got, was_finished;

	do
	:: is_done -> break
	:: else -> sleep(); outside(); deliver()
	od
}

init
{
	atomic {
		/* what this run may do */
		if
		:: may_cancel = true
		:: skip
		fi;
		if
		:: may_fail = true
		:: skip
		fi;
		if
		:: need = 1
		:: need = SLOTS
		fi;
		lent = true;
		bits[ORDERS] = START; /* told before the loops are looked at */
		list[CONSUMER_LOOP]!ORDERS;
		run loop(0);
#ifndef SAME
		run loop(1)
#endif
	}
	(_nr_pr == 1);
	assert(n_ended == 1 && n_close == 1);
	assert(n_undone == n_undo);
	assert(chunks_out == 0);
	assert(!suspended);
	assert(channel_freed && order_freed)
}
