// SPDX-License-Identifier: MIT
/* pool.pml - the budget and the waiters of channel/pool.c, for spin: nobody who is patient sleeps for ever over chunks
 * that he could have. README.md says how it is run.
 *
 * Two givers come back with a chunk each. Waiter 0 loses its patience at any time, as a loop does whose request is
 * cancelled; waiter 1 never does. -DKEEP: no giver at all, and reservations for POOL_KEEP, which are bounded by
 * a count of their own. Each atomic operation of the C code is one step. */

#ifdef KEEP
#define KEEP_MAX 2
#define GIVERS 0
#define WANT_0 2
#define WANT_1 1
byte available = 1;
#else
#define KEEP_MAX 9
#define GIVERS 2
#define WANT_0 3 /* never: so it cannot help the other by giving back */
#define WANT_1 2
byte available = 0;
#endif

byte kept;
short n_armed;
bool armed[2], mail[2];
bool served;

inline wake_waiters()
{
	if
	:: n_armed == 0
	:: else ->
		w = 0;
		do
		:: w < 2 ->
			atomic { hit = armed[w]; armed[w] = false }
			if
			:: hit -> n_armed--; mail[w] = true
			:: else
			fi;
			w++
		:: else -> break
		od
	fi;
	atomic { w = 0; hit = false }
}

inline unreserve(n)
{
	atomic { available = available + n; kept = kept - n }
	wake_waiters()
}

inline reserve(n) /* -> ok */
{
#ifdef MUTATE_TWO_COUNTS
	atomic { ok = (kept + n <= KEEP_MAX); if :: ok -> kept = kept + n :: else fi }
	if
	:: ok ->
		atomic { ok = (available >= n); if :: ok -> available = available - n :: else fi }
		if
		:: ok
		:: else -> kept = kept - n
		fi
	:: else
	fi
#else
	atomic {
		ok = (available >= n && kept + n <= KEEP_MAX);
		if
		:: ok -> available = available - n; kept = kept + n
		:: else
		fi
	}
#endif
}

inline arm()
{
#ifdef MUTATE_FLAG_FIRST
	atomic { hit = armed[me]; armed[me] = true }
	if
	:: hit
	:: else -> n_armed++
	fi;
#else
	n_armed++;
	atomic { hit = armed[me]; armed[me] = true }
	if
	:: hit -> n_armed--
	:: else
	fi;
#endif
	hit = false
}

proctype giver()
{
	byte w;
	bool hit;

	atomic { available++ }
	wake_waiters()
}

proctype waiter(bit me; byte want)
{
	byte w;
	bool hit, ok;

	do
	:: reserve(want);
		if
		:: ok -> break
		:: else
		fi;
		arm();
#ifndef MUTATE_RECHECK
		reserve(want);
		if
		:: ok -> break
		:: else
		fi;
#endif
		if
		:: me == 0 -> break /* no longer wanted: the mark stays, its mail will be for nothing */
		:: mail[me] -> mail[me] = false
		fi
	od;
	if
	:: ok && me == 1 -> served = true
	:: ok && me == 0 -> unreserve(want)
	:: else
	fi
}

init
{
	atomic {
		run waiter(0, WANT_0);
		run waiter(1, WANT_1);
#if GIVERS
		run giver();
		run giver()
#endif
	}
	(_nr_pr == 1);
	assert(served)
}
