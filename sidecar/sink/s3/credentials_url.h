// SPDX-License-Identifier: MIT
/* credentials_url.h - the addresses at which keys are asked for. Pure. [any] */
#ifndef PENSTOCK_S3_CREDENTIALS_URL_H
#define PENSTOCK_S3_CREDENTIALS_URL_H

#include "base/str.h"

/* "http://host:80/a/b?c" is base "http://host:80" and target "/a/b?c", both within `text`; the target may be empty.
 * False: it is no http or https URL, or has a user, a fragment, or a byte that no URL has. */
bool s3_url_split(struct str text, struct str *base, struct str *target);

/* May keys be asked for there without TLS? Only from this machine, and from the two services that ECS and EKS have at fixed
 * addresses: on the way to any other address others could read the keys, or answer. `base` is from s3_url_split(). */
bool s3_url_is_safe(struct str base);

#endif
