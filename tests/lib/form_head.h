// SPDX-License-Identifier: MIT
/* form_head.h - the head of a request that carries a form with the boundary "B", for tests that begin behind it. */
#ifndef PENSTOCK_TESTS_FORM_HEAD_H
#define PENSTOCK_TESTS_FORM_HEAD_H

#include "route/head.h"

extern const struct head form_head;

#endif
