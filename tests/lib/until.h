// SPDX-License-Identifier: MIT
/* until.h - a loop that runs until something is so: on the test's own thread, and for as long as that takes. One for each
 * program. */
#ifndef PENSTOCK_TEST_UNTIL_H
#define PENSTOCK_TEST_UNTIL_H

#include "loop/loop.h"

struct loop *until_start(void); /* NULL: it could not be made */
void until_stop(void);

/* Asked at the end of each turn. */
void until(bool (*is_so)(const void *arg), const void *arg);
void until_turned(void); /* one turn, without a sleep */

/* For peer.h's scripts: until one has told `n` times since the last until_forget(). */
struct mail *until_mail(void);
void until_told(unsigned n);
void until_forget(void);

#endif
