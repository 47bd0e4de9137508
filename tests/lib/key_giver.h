// SPDX-License-Identifier: MIT
/* key_giver.h - an endpoint of a test's own that gives keys as a container's, an instance's metadata and STS do, and a clock that
 * can be put forward. One at a time. The n-th keys are "An", "Sn" and "Tn". */
#ifndef PENSTOCK_TEST_KEY_GIVER_H
#define PENSTOCK_TEST_KEY_GIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key_manner {
	unsigned token_status, role_status, keys_status; /* of an answer to each */
	const char *refusal;                             /* body of one that is not 200 */
	const char *role;                                /* that the instance names */
	long expires_in_s;                               /* 0: keys have no Expiration */
	bool is_mute;                                    /* no answer comes, and no end */
};

bool key_giver_start(void); /* all goes well, and keys are good for an hour. False: it cannot be made */
void key_giver_stop(void);  /* nobody is there any more; twice is fine */

struct key_manner key_giver_manner(void);
void key_giver_set(struct key_manner manner); /* from now on; texts are borrowed */

const char *key_giver_url(void);
size_t key_giver_requests(void); /* answered so far, or left without an answer */
size_t key_giver_keys(void);     /* given so far */

/* Is the text in the n-th request, from 0, of the last eight? */
bool key_giver_was_asked(size_t n, const char *text);

int64_t key_giver_now_s(void);
void key_giver_put_forward(size_t s);

#endif
