// SPDX-License-Identifier: MIT
/* container_of.h - from a pointer to a member to the struct that it is embedded in, for callbacks that are given the member. */
#ifndef PENSTOCK_CONTAINER_OF_H
#define PENSTOCK_CONTAINER_OF_H

#include <stddef.h>

/* container_of(timer, struct request, timer): `pointer` points to the member, and is not const. */
#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
