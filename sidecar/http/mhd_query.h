// SPDX-License-Identifier: MIT
/* mhd_query.h - keeps libmicrohttpd from taking the query of a target apart.
 *
 * Nobody here asks it for the parameters: route/ has the target as it was sent. It would take memory of the connection for each. And
 * 1.0.1, when a head that nearly fills that memory has no line at all, takes the value of its last parameter for the end of the
 * head: of one without `=` that is NULL, and what it then reads and writes is anywhere. One request would end the process. */
#ifndef PENSTOCK_MHD_QUERY_H
#define PENSTOCK_MHD_QUERY_H

/* For MHD_OPTION_URI_LOG_CALLBACK, with the target that it was given, when that has been copied: libmicrohttpd has it in a buffer of
 * its own, which it is about to cut up, and will find the query empty. */
void mhd_query_drop(const char *target);

#endif
