// SPDX-License-Identifier: MIT
/* field_error.h - an error that concerns one field of the form. Pure. */
#ifndef PENSTOCK_FIELD_ERROR_H
#define PENSTOCK_FIELD_ERROR_H

#include "base/error.h"
#include "base/str.h"

#define FIELD_SHOWN_MAX 64 /* bytes of its name in the sentence; a longer one would push the reason out of it */

/* `err` is set: puts the field's name before its sentence and into err->field, as far as it fits. Always false. */
bool field_error(struct error *err, struct str field);

void field_error_name(struct error *err, struct str field); /* into err->field alone */

#endif
