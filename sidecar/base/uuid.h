// SPDX-License-Identifier: MIT
/* uuid.h - random names: UUIDs of version 4 (RFC 9562 section 5.4), 36 characters and a NUL. */
#ifndef PENSTOCK_UUID_H
#define PENSTOCK_UUID_H

#define UUID_SIZE 37

void uuid_make(char out[UUID_SIZE]); /* [any] */

#endif
