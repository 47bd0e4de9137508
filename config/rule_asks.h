// SPDX-License-Identifier: MIT
/* rule_asks.h - what a rule asks of its parts, as plain data: a piece of route.h, which has the rule. */
#ifndef PENSTOCK_RULE_ASKS_H
#define PENSTOCK_RULE_ASKS_H

#include <stdbool.h>
#include <stddef.h>

/* Bits of what a rule wants to know of its parts' bytes. */
enum digest {
	DIGEST_SHA256 = 1 << 0,
	DIGEST_SHA512 = 1 << 1,
	DIGEST_SHA1 = 1 << 2,
	DIGEST_MD5 = 1 << 3,
	DIGEST_CRC32C = 1 << 4,
	DIGEST_CRC64NVME = 1 << 5,
};

/* What a rule compares with, in lower case. None: it does not ask. */
struct texts {
	char **items;
	size_t n;
};

/* What a part has to be. */
struct types {
	struct texts declared; /* globs of media types: by its Content-Type */
	struct texts detected; /* media types: by its first bytes */
	bool wants_detected; /* what its first bytes are has to be known, for `detected` or something else of the rule */
};

/* Bits of the headers that say a digest. */
enum verify {
	VERIFY_CONTENT_DIGEST = 1 << 0,
	VERIFY_REPR_DIGEST = 1 << 1,
	VERIFY_CONTENT_MD5 = 1 << 2,
};

struct rule_verify {
	unsigned headers; /* of enum verify: what they say has to be so; 0: nobody looks there */
	char *field; /* of a file: the value fields that say its digest; its own name stands for the `*`. NULL: none do */
	bool refuses_missing; /* a part of which none is said */
};

/* What has to be known of the form for a part that the rule takes. */
struct rule_needs {
	struct texts
		fields; /* names of fields, exactly as written: of each a value has to come before the part ... */
	bool holds; /* ... or until the form has ended; then the rule's objects get their names at that moment */
};

#endif
