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
 * -DBESIDE: a second consumer, on another loop, with a channel of its own to which the same chunks are pushed, shared. What
 * belongs to a channel is an array for that, and c is whose. To keep the search small, mailboxes and channels, which are
 * checked without it, then take one step for each call, and nothing is undone.
 *
 * -DMUTATE_x breaks one thing each; run.sh checks that spin sees it. */

#ifndef N_CHUNKS
#define N_CHUNKS 3
#endif
#ifndef SLOTS
#define SLOTS 2
#endif

/* consumers, the mails, and whose they are */
#ifdef BESIDE
#define N 2
#define whole atomic
#define both_are(x) (item[0] == x && item[1] == x)
#else
#define N 1
#define whole
#define both_are(x) (item[0] == x)
#endif
#define ORDERS(c) (2 * (c))
#define NEWS(c) (2 * (c) + 1)
#define PRODUCER_LOOP 0
#ifdef SAME
#define loop_of(c) (c)
#define N_LOOPS N
#else
#define loop_of(c) (c + 1)
#define N_LOOPS (N + 1)
#endif
#define box_of(m) (m % 2 == 0 -> loop_of(m / 2) : PRODUCER_LOOP)

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
chan list[N_LOOPS] = [2 * N] of { byte }; /* queued mails, oldest first */
byte bits[2 * N];
bool asleep[N_LOOPS], eventfd[N_LOOPS];

/* the channels */
byte ring[N * SLOTS];
byte head[N], tail[N];
bool finished[N], hungry[N];
byte wanted[N]; /* room that the producer waits for */
bool channel_freed[N];

/* chunks, by number from 1 */
bool is_out[N_CHUNKS + 1]; /* not in the pool */
byte sharers[N_CHUNKS + 1];

/* the order and its outcome, which the producer lends to the consumer until ENDED, and from UNDO until UNDONE */
bool lent[N], order_freed[N], outcome_committed[N];

/* for the claims only */
byte n_ended[N], n_undo[N], n_undone[N], n_close[N];

/* -- the producer's own ------------------------------------------------------------------------------- */

mtype = { STREAMING, SENDING, WAITING, COMMITTING, CANCELLING, UNDOING, GONE, CLOSED };
mtype item[N] = STREAMING;
byte pushed, need;
bool suspended, may_cancel;

/* -- the consumers' own ------------------------------------------------------------------------------- */

mtype = { READY, RUNNING, HELD, OVER, FREED };
mtype transfer[N] = READY;
byte popped[N];
bool paused[N], committed[N], may_fail[N];

#define channel_alive(c) assert(!channel_freed[c])
#define is_running(c) (transfer[c] == RUNNING && !paused[c])

/* -- mailbox.c ---------------------------------------------------------------------------------------- */

/* Scratch of each process: before, won, was_asleep. */
inline post(m, b)
{
	whole {
		atomic { channel_alive(m / 2); before = bits[m]; bits[m] = bits[m] | (b) }
		if
		:: before != 0 /* queued already */
		:: else ->
#ifdef MUTATE_LOOK_FIRST
			was_asleep = asleep[box_of(m)];
#endif
			atomic { channel_alive(m / 2); list[box_of(m)]!m } /* after this the mail may be gone */
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
}

/* -- pool.c ------------------------------------------------------------------------------------------- */

/* Scratch of each process: ok, last. */
inline give(k)
{
	atomic { assert(is_out[k]); last = (sharers[k] == 0) }
#ifdef MUTATE_COUNT
	if
	:: !last -> sharers[k] = sharers[k] - 1 /* a look and a store */
	:: else
	fi;
#else
	if
	:: !last ->
		atomic { assert(is_out[k]); last = (sharers[k] == 0); sharers[k] = sharers[k] - 1 }
		if
		:: last -> sharers[k] = 0
		:: else
		fi
	:: else
	fi;
#endif
	if
	:: last -> atomic { assert(is_out[k]); is_out[k] = false }
	:: else
	fi;
	last = false
}

/* -- channel.c, producer ------------------------------------------------------------------------------ */

#define room(c) (SLOTS - (tail[c] - head[c]))

inline want_space(c, n) /* -> ok */
{
	whole {
		atomic { channel_alive(c); ok = (room(c) >= n) }
		if
		:: ok
		:: else ->
			wanted[c] = n;
#ifndef MUTATE_SPACE
			atomic { channel_alive(c); ok = (room(c) >= n) }
			if
			:: ok -> wanted[c] = 0
			:: else
			fi
#endif
		fi
	}
}

inline push(c)
{
	whole {
		atomic {
			channel_alive(c);
			assert(room(c) > 0);
			ring[c * SLOTS + tail[c] % SLOTS] = pushed
		}
		tail[c]++
	}
}

inline take_hunger(c) /* -> ok */
{
	whole {
		atomic { channel_alive(c); ok = hungry[c] }
		if
		:: ok -> atomic { ok = hungry[c]; hungry[c] = false }
		:: else
		fi
	}
}

/* -- channel.c, consumer ------------------------------------------------------------------------------ */

inline tell_space(c)
{
	whole {
		atomic {
			channel_alive(c);
			seen = wanted[c];
			ok = (seen != 0 && room(c) >= seen);
			seen = 0
		}
		if
		:: ok ->
			atomic { ok = (wanted[c] != 0); wanted[c] = 0 }
			if
			:: ok -> post(NEWS(c), SPACE)
			:: else
			fi
		:: else
		fi
	}
}

/* -> got, k: number of the chunk */
inline take(c)
{
	whole {
		atomic {
			channel_alive(c);
			got = (head[c] != tail[c]);
			if
			:: got ->
				k = ring[c * SLOTS + head[c] % SLOTS];
				assert(k == popped[c] + 1); /* in order, none lost, none twice */
				popped[c]++;
				ring[c * SLOTS + head[c] % SLOTS] = 0
			:: else
			fi
		}
		if
		:: got -> head[c]++
		:: else
		fi
	}
}

inline want_data(c) /* -> ok: marked, so wait */
{
	whole {
		atomic { channel_alive(c); ok = (head[c] == tail[c]) }
		if
		:: ok -> ok = !finished[c]
		:: else
		fi;
		if
		:: ok ->
			hungry[c] = true;
#ifndef MUTATE_DATA
			atomic { channel_alive(c); ok = (head[c] == tail[c]) }
			if
			:: ok -> ok = !finished[c]
			:: else
			fi;
			if
			:: ok
			:: else -> hungry[c] = false
			fi
#endif
		:: else
		fi
	}
}

inline free_channel(c)
{
	do
	:: take(c);
#ifdef MUTATE_FREE_TELLS
		if
		:: got -> tell_space(c)
		:: else
		fi;
#endif
		if
		:: got -> give(k)
		:: else -> break
		fi
	od;
	atomic {
		/* no mail of the channel may be under way, or the mailbox would touch freed memory */
		assert(bits[NEWS(c)] == 0);
		assert(bits[ORDERS(c)] == 0);
		k = 0;
		channel_freed[c] = true
	}
}

/* -- the consumer: a transfer ------------------------------------------------------------------------- */

inline end_transfer(c, success)
{
	atomic {
		assert(transfer[c] != OVER && transfer[c] != FREED);
		assert(lent[c] && !order_freed[c]);
		outcome_committed[c] = success;
		lent[c] = false;
		transfer[c] = OVER;
		n_ended[c]++;
		assert(n_ended[c] == 1)
	}
	post(NEWS(c), ENDED)
}

/* The read callback, until it pauses, holds, or yields (the socket is full: writable comes from outside). */
inline send(c)
{
	do
	:: was_finished = finished[c];
		take(c);
		if
		:: got ->
			tell_space(c);
			assert(is_out[k]); /* its bytes are read */
			give(k);
			if
			:: skip
			:: break
			:: post(ORDERS(c), DATA); break /* "go on later", as the disk thread does */
			fi
		:: !got && was_finished ->
			assert(popped[c] == pushed);
			if
			:: committed[c] -> end_transfer(c, true)
			:: else -> transfer[c] = HELD; post(NEWS(c), PREPARED)
			fi;
			break
		:: else ->
			want_data(c);
			if
			:: ok -> paused[c] = true; break
			:: else
			fi
		fi
	od;
	atomic { was_finished = false; got = false; ok = false; k = 0 }
}

inline resume_transfer(c)
{
	if
	:: transfer[c] == RUNNING -> paused[c] = false; send(c)
	:: else
	fi
}

inline on_orders(c, b)
{
	if
	:: (b & COMMIT) -> committed[c] = true
	:: else
	fi;
	if
	:: (b & CANCEL) && transfer[c] != OVER ->
		assert((b & (CLOSE | UNDO)) == 0);
		end_transfer(c, false)
	:: else ->
		if
		:: (b & START) && transfer[c] == READY -> transfer[c] = RUNNING; send(c)
		:: (b & COMMIT) && transfer[c] == HELD -> end_transfer(c, true)
		:: (b & (DATA | FINISH)) && transfer[c] == RUNNING -> resume_transfer(c)
		:: else
		fi;
		if
		:: (b & UNDO) ->
			atomic { assert(lent[c] && !order_freed[c]); assert(transfer[c] == OVER); lent[c] = false; n_undone[c]++ }
			post(NEWS(c), UNDONE)
		:: else
		fi;
		if
		:: (b & CLOSE) ->
			assert(transfer[c] == OVER);
			free_channel(c);
			transfer[c] = FREED
		:: else
		fi
	fi
}

/* -- the producer: a part and its connection ---------------------------------------------------------- */

inline pump(c)
{
	take_hunger(c);
	if
	:: ok ->
		if
		:: loop_of(c) == me -> resume_transfer(c)
		:: else -> post(ORDERS(c), DATA)
		fi
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

/* A chunk for all: counted before the first may have it. */
inline push_to_all()
{
#ifdef BESIDE
	atomic { pushed++; is_out[pushed] = true }
#ifndef MUTATE_SHARE_LATE
	sharers[pushed] = 1;
#endif
	push(0);
	push(1);
#ifdef MUTATE_SHARE_LATE
	sharers[pushed] = 1
#endif
#else
	atomic { pushed++; is_out[pushed] = true }
	push(0)
#endif
}

inline want_space_in_all(n) /* -> ok */
{
	want_space(0, n);
#ifdef BESIDE
#ifndef MUTATE_ROOM_OF_ONE
	if
	:: ok -> want_space(1, n)
	:: else
	fi
#endif
#endif
}

/* A piece of the client's body: there is room for it, and after it the connection is suspended if there would not
 * be for the next. The client may also be done before all chunks were used. */
inline on_piece()
{
	if
	:: pushed < N_CHUNKS ->
		push_to_all();
		if
		:: need == 2 && pushed < N_CHUNKS -> push_to_all()
		:: else
		fi;
		pump(0);
#ifdef BESIDE
		pump(1);
#endif
		if
		:: need = 1
		:: need = SLOTS
		fi;
		if
		:: pushed < N_CHUNKS ->
			want_space_in_all(need);
			if
			:: ok
			:: else -> suspend()
			fi
		:: else -> need = 0
		fi
	:: true -> finish()
	fi;
	ok = false
}

/* The end of the part; with the commit in it, or not. */
inline finish()
{
#ifdef BESIDE
	atomic { item[0] = SENDING; finished[0] = true }
	post(ORDERS(0), FINISH);
	atomic { item[1] = SENDING; finished[1] = true }
	post(ORDERS(1), FINISH)
#else
	if
	:: atomic { item[0] = SENDING; finished[0] = true } post(ORDERS(0), FINISH)
	:: atomic { item[0] = COMMITTING; finished[0] = true } post(ORDERS(0), FINISH | COMMIT)
	fi
#endif
}

inline cancel_one(c)
{
	if
	:: item[c] == UNDOING /* only asks for UNDONE to come soon */
	:: else -> item[c] = CANCELLING
	fi;
	post(ORDERS(c), CANCEL)
}

inline cancel()
{
	may_cancel = false;
	cancel_one(0);
#ifdef BESIDE
	cancel_one(1);
#endif
#ifdef MUTATE_CLOSE
	close(0)
#endif
}

inline close(c)
{
	/* what was lent is freed right after */
	atomic { n_close[c]++; assert(n_close[c] == 1); item[c] = CLOSED }
	post(ORDERS(c), CLOSE);
	order_freed[c] = true
}

inline on_prepared(c)
{
#ifdef BESIDE
	item[c] = WAITING;
	if
	:: both_are(WAITING) ->
		item[0] = COMMITTING; post(ORDERS(0), COMMIT);
		item[1] = COMMITTING; post(ORDERS(1), COMMIT)
	:: else
	fi
#else
	item[c] = COMMITTING; post(ORDERS(c), COMMIT)
#endif
}

/* One that has failed takes the other one with it, unless that was told to complete. */
inline on_ended(c)
{
#ifdef BESIDE
	item[c] = GONE;
	if
	:: !outcome_committed[c] && (item[1 - c] == STREAMING || item[1 - c] == SENDING || item[1 - c] == WAITING) ->
		cancel_one(1 - c)
	:: else
	fi;
	if
	:: both_are(GONE) -> close(0); close(1)
	:: else
	fi
#else
	if
	:: outcome_committed[c] ->
		atomic { item[c] = UNDOING; lent[c] = true; n_undo[c]++ }
		post(ORDERS(c), UNDO)
	:: else -> close(c)
	fi
#endif
}

inline on_news(c, b)
{
	if
	:: (b & UNDONE) -> assert(item[c] == UNDOING); close(c)
	:: (b & ENDED) ->
		assert(item[c] != UNDOING && item[c] != GONE && item[c] != CLOSED);
		assert(!lent[c]);
		if
		:: suspended -> resume()
		:: else
		fi;
		on_ended(c)
	:: else ->
		if
		:: (b & PREPARED) && item[c] == SENDING -> on_prepared(c)
		:: else
		fi;
		if
#ifdef MUTATE_RESUME
		:: (b & SPACE) && both_are(STREAMING) ->
#else
		:: (b & SPACE) && both_are(STREAMING) && suspended -> /* it may come for nothing */
#endif
			want_space_in_all(need);
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
#ifdef SAME
#define my me
#define runs_consumer true
#else
#define my (me == PRODUCER_LOOP -> 0 : me - 1)
#define runs_consumer (me != PRODUCER_LOOP)
#endif
#ifdef BESIDE
#define is_before_the_end(c) (item[c] == STREAMING || item[c] == SENDING || item[c] == WAITING)
#define may_be_cancelled (is_before_the_end(0) && is_before_the_end(1))
#else
#define may_be_cancelled (item[0] == STREAMING || item[0] == SENDING || item[0] == COMMITTING || item[0] == UNDOING)
#endif
#define can_read (runs_producer && both_are(STREAMING) && !suspended)
#define can_cancel (runs_producer && may_cancel && may_be_cancelled)
#define can_write (runs_consumer && is_running(my))
#define can_fail (runs_consumer && may_fail[my] && (transfer[my] == RUNNING || transfer[my] == HELD))
#define something_outside (can_read || can_cancel || can_write || can_fail)
#define is_done ((!runs_producer || both_are(CLOSED)) && (!runs_consumer || transfer[my] == FREED))

inline outside()
{
	if
	:: can_read -> on_piece()
	:: can_cancel -> cancel()
	:: can_write -> send(my)
	:: can_fail -> may_fail[my] = false; end_transfer(my, false)
	:: len(list[me]) > 0 /* not now */
	:: else
	fi
}

inline deliver()
{
	todo = len(list[me]); /* the whole list at once: what comes later waits for the next turn */
	do
	:: todo > 0 ->
		atomic { list[me]?mail; channel_alive(mail / 2); b = bits[mail]; bits[mail] = 0 }
		if
		:: mail % 2 == 0 -> on_orders(my, b)
		:: mail == NEWS(0) -> on_news(0, b)
#ifdef BESIDE
		:: mail == NEWS(1) -> on_news(1, b)
#endif
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

proctype loop(byte me)
{
	byte before, b, seen, todo, k, mail;
	bool won, was_asleep, ok, got, was_finished, last;

	do
	:: is_done -> break
	:: else -> sleep(); outside(); deliver()
	od
}

/* What a consumer may do in this run; told before the loops are looked at. */
inline begin(c)
{
	if
	:: may_fail[c] = true
	:: skip
	fi;
	lent[c] = true;
	bits[ORDERS(c)] = START;
	list[loop_of(c)]!ORDERS(c)
}

inline check_end(c)
{
	assert(n_ended[c] == 1 && n_close[c] == 1);
	assert(n_undone[c] == n_undo[c]);
	assert(channel_freed[c] && order_freed[c])
}

init
{
	byte k;

	atomic {
		if
		:: may_cancel = true
		:: skip
		fi;
		if
		:: need = 1
		:: need = SLOTS
		fi;
		begin(0);
#ifdef BESIDE
		begin(1);
#endif
		run loop(0);
#if N_LOOPS > 1
		run loop(1);
#endif
#if N_LOOPS > 2
		run loop(2)
#endif
	}
	(_nr_pr == 1);
	check_end(0);
#ifdef BESIDE
	check_end(1);
#endif
	for (k : 1 .. N_CHUNKS) {
		assert(!is_out[k]) /* all are back, */
		assert(sharers[k] == 0) /* and as they were */
	}
	assert(!suspended)
}
