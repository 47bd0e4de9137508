// SPDX-License-Identifier: MIT
/* ask.h - one question to an application (sink/question.h) on an engine: one exchange, whose answer is read whole.
 *
 * It is signed if there is a key. A GET or HEAD may be sent again where a connection that was kept has died (sink/exchange.h); any
 * other method, and whatever has a body, is sent once. A redirect is an answer as any other. Its answer is an error where nobody could tell what it says: it
 * breaks off, is encoded, has a line that is folded, holds a control byte or stands twice where it may stand once, says in two ways how long it is,
 * or is longer than it may be. What comes with a 204, 205 or 304 is no part of it.
 *
 * All on the engine's thread. */
#ifndef PENSTOCK_APP_ASK_H
#define PENSTOCK_APP_ASK_H

#include "sink/engine.h"
#include "sink/question.h"

#define ASK_COST                                                                                                   \
	(16u * 1024) /* bytes that one question under way is charged for beside three times its lines: libcurl's own, and its connection's */
#define ASK_LINES_MAX (32u * 1024) /* bytes of the lines of an answer that are kept */

/* As sinks.ask of sink/order.h. NULL: out of memory, or `blocks` has no room. */
struct asking *ask_begin(struct engine *engine, const struct question *question,
	void (*on_answer)(void *arg, struct app_answer *answer), void *arg);

void ask_stop(struct asking *asking); /* as sinks.ask_stop */

#endif
