// SPDX-License-Identifier: MIT
/* disposition.h - the Content-Disposition of a part (RFC 7578 section 4.2): the field's name and the file's; and of a request
 * whose body is one file (RFC 6266), of which only the file's name counts.
 *
 * Reads what browsers and HTTP clients send, quoted and unquoted, and refuses what two parsers could read differently.
 * Pure; one thread. */
#ifndef PENSTOCK_DISPOSITION_H
#define PENSTOCK_DISPOSITION_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>

enum disposition_place {
	PLACE_NAME,
	PLACE_FILENAME,
	PLACE_EXTENDED_NAME, /* name* */
	PLACE_EXTENDED_FILENAME,
	PLACE_OTHER, /* parameters that say nothing to us */
	N_PLACES
};

/* Zeroed: empty. Its memory is kept from one to the next. */
struct disposition {
	struct buf field, filename; /* decoded */
	bool is_file;               /* there is a filename, which may be empty */
	bool has[N_PLACES];
	struct buf values[N_PLACES]; /* of the parameters, unquoted */
};

/* False: ERR_MALFORMED without an offset, or ERR_NOMEM. */
bool disposition_read(struct disposition *d, struct str value, struct error *err);

/* The same of a request: of any type (`attachment`), and a name of a field is not looked for. */
bool disposition_read_file(struct disposition *d, struct str value, struct error *err);

size_t disposition_memory(const struct disposition *d); /* bytes that it holds */
void disposition_free(struct disposition *d);

#endif
