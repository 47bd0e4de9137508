// SPDX-License-Identifier: MIT
/* fake_store.h - a sink that a test plays: it takes all bytes and says of each object what the test wants. One for each program, on the
 * test's thread, for orders of any kind of destination (fake_world->sink). */
#ifndef PENSTOCK_TEST_FAKE_STORE_H
#define PENSTOCK_TEST_FAKE_STORE_H

#include "sink/sink.h"

struct fake_store {
	bool owes_words; /* it says neither that all bytes are away nor that an object is there, up to fake_store_speak() */
	bool refuses;   /* an object that is to become visible fails */
	size_t n_there; /* objects that are visible now */
	size_t n_made;  /* that have ever been */
};

extern struct fake_store *const fake_store;
extern const struct sink fake_store_sink;

void fake_store_speak(void);

/* An object whose bytes are away is lost, though nobody has asked for anything. There must be one. */
void fake_store_break(void);

#endif
