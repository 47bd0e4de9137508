// SPDX-License-Identifier: MIT
/* link.h - the second pass over what read_files() has read: what needs all files, or two keys at once, to
 * be understood. Destinations get their URL of a socket, rules their action, destination and template. */
#ifndef PENSTOCK_LINK_H
#define PENSTOCK_LINK_H

#include "config/read.h"

void link_all(struct loading *l);

#endif
