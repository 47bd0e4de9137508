// SPDX-License-Identifier: MIT
/* link.h - the second pass over what read_files() has read: it does what needs all files, or several keys at once. Destinations get their URL of a socket, rules their action, destination and template. */
#ifndef PENSTOCK_LINK_H
#define PENSTOCK_LINK_H

#include "config/loading.h"

void link_all(struct loading *l);

#endif
