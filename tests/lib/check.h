// SPDX-License-Identifier: MIT
/* check.h - what every unit test includes: cmocka and the headers that it wants before itself. */
#ifndef PENSTOCK_CHECK_H
#define PENSTOCK_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
